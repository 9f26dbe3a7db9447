//! Apollo Federation 2: HelpBot as a subgraph of a larger graph.
//!
//! A router composes the definition that `_service` returns with those of other subgraphs, and
//! resolves their references to objects of HelpBot with `_entities`. Every type that implements `Node`
//! is an entity with the key `id`, so that an entity is found like a node: by the loaders and with the
//! rights of the viewer. Both fields are left out of `schema.graphql` and of introspection, because
//! only routers use them (docs/decisions/0038-federation.md).

use async_graphql::{Any, Context, ID, Object, Result, Value};
use futures_util::future::try_join_all;
use helpbot_api_macros::OutputObject;
use helpbot_domain::Invalid;
use helpbot_services::Error;

use crate::error::top_level;
use crate::schema::access::Access;
use crate::schema::node::{self, Entity};

/// Maximum number of representations of one request. A router sends those of all lists of a response
/// together, which can be more than one page of a list has.
const REPRESENTATIONS_MAX: usize = 1_000;
/// What the definition of a subgraph uses of federation.
const LINK: &str = r#"schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"]) {"#;

/// The fields that a router uses.
#[derive(Default)]
pub struct FederationQuery {
    /// Whether `_service` returns the definition, like introspection.
    pub has_introspection: bool,
}

/// Describes the subgraph to routers.
#[derive(OutputObject)]
#[graphql(name = "_Service")]
pub struct Service {
    /// Definition of the subgraph, with the directives of Apollo Federation 2.
    sdl: String,
}

#[Object]
impl FederationQuery {
    /// Returns the definition of the subgraph for a router.
    ///
    /// Fails with `FORBIDDEN` when the installation does not allow introspection.
    #[graphql(name = "_service", visible = false)]
    async fn service(&self) -> Result<Service> {
        if self.has_introspection {
            return Ok(Service { sdl: subgraph(&super::sdl()) });
        }
        let message =
            "Introspection is turned off on this server. `helpbot schema --federation` prints the definition.";
        Err(top_level(Error::Forbidden(message.into())))
    }

    /// Returns the objects that other subgraphs refer to, in the order of `representations`. An item is
    /// null when no such object exists or the API key may not read it.
    ///
    /// Fails with `BAD_USER_INPUT` for more than 1,000 representations, and for one without `__typename`
    /// and `id`.
    #[graphql(name = "_entities", visible = false)]
    async fn entities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "References to objects, each with `__typename` and `id`. At most 1,000 are accepted.")]
        representations: Vec<Any>,
    ) -> Result<Vec<Option<Entity>>> {
        let access = Access::of(ctx);
        if representations.len() > REPRESENTATIONS_MAX {
            let message = format!("representations can contain at most {REPRESENTATIONS_MAX} objects.");
            return Err(top_level(Invalid::new("representations", message).into()));
        }
        let references: Option<Vec<(&str, ID)>> = representations.iter().map(reference).collect();
        let Some(references) = references else {
            let message = "representations can contain only objects with __typename and id.";
            return Err(top_level(Invalid::new("representations", message).into()));
        };
        let found = references
            .iter()
            .map(async |(type_name, id)| Ok(node::find(access, id).await?.and_then(|node| node.entity(type_name))));
        try_join_all(found).await
    }
}

/// The type and the ID of a representation.
fn reference(representation: &Any) -> Option<(&str, ID)> {
    let Value::Object(fields) = &representation.0 else { return None };
    match (fields.get("__typename")?, fields.get("id")?) {
        (Value::String(type_name), Value::String(id)) => Some((type_name, ID(id.clone()))),
        _ => None,
    }
}

/// The definition of the subgraph, from the definition of the schema: every node is an entity, and the types
/// that other subgraphs may define too can be shared.
pub fn subgraph(schema: &str) -> String {
    let line = |line: &str| match line {
        "schema {" => LINK.to_owned(),
        "type PageInfo {" => "type PageInfo @shareable {".to_owned(),
        _ => match line.strip_suffix(" implements Node {") {
            Some(ty) => format!("{ty} implements Node @key(fields: \"id\") {{"),
            None => line.to_owned(),
        },
    };
    schema.lines().map(|text| line(text) + "\n").collect()
}
