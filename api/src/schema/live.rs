//! The directive `@live`, which makes a query a live query.
//!
//! async-graphql only has to know that it exists: the gateway reads it before the query is executed
//! (`gateway/live`). Name and arguments follow the convention of the npm packages
//! `@n1ru4l/graphql-live-query`.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Directive;
use async_graphql::registry::{__DirectiveLocation, Deprecation, MetaDirective, MetaInputValue, Registry};
use async_graphql::{ContextDirective, CustomDirective, CustomDirectiveFactory, ServerResult};

/// The definition of `@live`.
pub struct LiveDirective;

const IF: &str = "Whether the query is live. Null means true.";
const THROTTLE: &str = "Shortest time between two results in milliseconds, at most 60,000. By default a changed result is \
    sent at most 4 times a second.";

/// Adds the descriptions of the arguments to a schema in the schema definition language. async-graphql's export
/// leaves out those of directives.
pub fn describe_arguments(sdl: &str) -> String {
    sdl.replacen(
        "@live(if: Boolean = true, throttle: Int)",
        &format!(
            "@live(\n  \"\"\"\n  {IF}\n  \"\"\"\n  if: Boolean = true\n  \"\"\"\n  {THROTTLE}\n  \"\"\"\n  throttle: Int\n)"
        ),
        1,
    )
}

impl CustomDirectiveFactory for LiveDirective {
    fn name(&self) -> Cow<'static, str> {
        "live".into()
    }

    fn register(&self, registry: &mut Registry) {
        let is_live = argument("if", "Boolean", Some("true"), IF);
        let throttle = argument("throttle", "Int", None, THROTTLE);
        registry.add_directive(MetaDirective {
            name: self.name().into_owned(),
            description: Some(
                "Returns the result of a query again whenever it has changed, over WebSocket and server-sent events. \
                 Over other transports the query is executed once."
                    .to_owned(),
            ),
            locations: vec![__DirectiveLocation::QUERY],
            args: IndexMap::from([is_live, throttle]),
            is_repeatable: false,
            visible: None,
            composable: None,
        });
    }

    /// Never called: the directive applies to operations, and async-graphql creates those of fields.
    fn create(&self, _: &ContextDirective<'_>, _: &Directive) -> ServerResult<Box<dyn CustomDirective>> {
        Ok(Box::new(Self))
    }
}

impl CustomDirective for LiveDirective {}

fn argument(name: &str, ty: &str, default: Option<&str>, description: &str) -> (String, MetaInputValue) {
    let value = MetaInputValue {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        ty: ty.to_owned(),
        deprecation: Deprecation::NoDeprecated,
        default_value: default.map(str::to_owned),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        is_secret: false,
        directive_invocations: Vec::new(),
    };
    (name.to_owned(), value)
}
