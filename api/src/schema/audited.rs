//! The root of the mutations: it runs each root field as a change that the audit log of its site records.
//!
//! This is the only place that records mutations, so a new mutation is recorded unless [`UNRECORDED`] names it. Mutations
//! of visitors are not recorded.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
};
use helpbot_domain::audit::is_object_id;
use helpbot_domain::ids::SiteId;
use helpbot_domain::key::KeyKind;
use helpbot_services::accounts::audit_log;

use crate::schema::access::Access;

/// Mutations that the audit log does not contain: the work in conversations, whose events name the member who acted, and
/// calculations that change nothing. A test compares the names with the schema.
pub const UNRECORDED: &[&str] = &[
    "addNote",
    "askQuestion",
    "assignConversation",
    "cancelPreview",
    "confirmTranscriptCode",
    "deleteNote",
    "draftReply",
    "markRead",
    "previewChange",
    "rateHandoff",
    "reopenConversation",
    "requestHandoff",
    "requestTranscriptCode",
    "resolveConversation",
    "runEvaluation",
    "sendMessage",
    "setTyping",
    "submitFeedback",
    "unassignConversation",
    "updateConversation",
];

/// The mutations `M`, whose changes are recorded.
#[derive(Default)]
pub struct Audited<M>(M);

impl<M: ContainerType> ContainerType for Audited<M> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let action = ctx.field().name();
        let Access { services, viewer, .. } = Access::of(ctx);
        let input = InputIds::of(ctx);
        let site = viewer.site_id.or(input.site);
        match site.filter(|_| viewer.kind != KeyKind::Widget && !UNRECORDED.contains(&action)) {
            Some(site) => {
                let work = self.0.resolve_field(ctx);
                audit_log::recorded(services, viewer, site, action, input.object, work).await
            }
            None => self.0.resolve_field(ctx).await,
        }
    }
}

impl<M: OutputType> OutputType for Audited<M> {
    fn type_name() -> Cow<'static, str> {
        M::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        M::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        self.0.resolve(ctx, field).await
    }
}

impl<M: ObjectType> ObjectType for Audited<M> {}

/// The IDs in the input of a mutation: of the site and of the object that it changes.
#[derive(Debug, Default, PartialEq, Eq)]
struct InputIds {
    site: Option<SiteId>,
    /// The first ID of an object in the input. Other texts are left out, because visitors may have written them.
    object: Option<String>,
}

impl InputIds {
    fn of(ctx: &Context<'_>) -> Self {
        // Invalid arguments are refused by the field itself.
        let arguments = ctx.field().arguments().unwrap_or_default();
        arguments
            .into_iter()
            .find(|(name, _)| name == "input")
            .map(|(_, input)| Self::in_input(&input))
            .unwrap_or_default()
    }

    fn in_input(input: &Value) -> Self {
        let Value::Object(fields) = input else { return Self::default() };
        let mut named = Self::default();
        for (name, value) in fields {
            let Value::String(text) = value else { continue };
            match name.as_str() {
                "siteId" => named.site = text.parse().ok(),
                name if named.object.is_none() && is_id(name) && is_object_id(text) => {
                    named.object = Some(text.clone())
                }
                _ => {}
            }
        }
        named
    }
}

fn is_id(name: &str) -> bool {
    name == "id" || name.ends_with("Id")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use async_graphql::value;

    use super::*;

    #[test]
    fn only_ids_of_the_input_are_kept() {
        let site = "site_01h455vb4pex5vsknk084sn02q";
        let source = "src_01h455vb4pex5vsknk084sn02q";

        let named =
            InputIds::in_input(&value!({"title": source, "siteId": site, "sessionId": "ann", "sourceId": source}));
        assert_eq!(named, InputIds { site: site.parse().ok(), object: Some(source.to_owned()) });
        assert_eq!(InputIds::in_input(&value!({"sessionId": "visitor"})), InputIds::default());
        assert_eq!(InputIds::in_input(&value!("text")), InputIds::default());
    }

    #[test]
    fn every_mutation_that_is_not_recorded_exists() {
        let sdl = crate::schema::sdl();
        let mutations = sdl.split_once("type Mutation {").expect("mutations").1.split_once("\n}").expect("an end").0;
        let names: BTreeSet<&str> = mutations
            .lines()
            .filter_map(|line| line.strip_prefix('\t').or(line.strip_prefix("  ")))
            .filter_map(|line| line.split_once('('))
            .map(|(name, _)| name)
            .collect();

        let unknown: Vec<_> = UNRECORDED.iter().filter(|name| !names.contains(**name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
