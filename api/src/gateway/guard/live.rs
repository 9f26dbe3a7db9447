//! The directive `@live` of an operation: whether the operation is live, and what it names.
//!
//! The gateway asks [`of`] for each query after its variables were checked.

use std::time::Duration;

use async_graphql::parser::types::{Field, OperationDefinition, OperationType};
use async_graphql::{Name, Value as ConstValue, Variables};
use async_graphql_value::Value;

/// Name of the directive.
const DIRECTIVE: &str = "live";
/// Arguments of root fields that can name a site.
const SITE_ARGUMENTS: [&str; 3] = ["id", "siteId", "ids"];
/// Longest time between two results that a client can ask for.
const THROTTLE_MAX: Duration = Duration::from_secs(60);

/// What the directive `@live` of an operation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LiveRequest {
    /// Shortest time between two results for this client.
    pub throttle: Duration,
    /// IDs in the arguments of the root fields. Some of them may be sites.
    pub ids: Vec<String>,
}

/// The request of a live query, or `None` for an operation that is executed once.
pub(super) fn of(operation: &OperationDefinition, root: &[&Field], variables: &Variables) -> Option<LiveRequest> {
    if operation.ty != OperationType::Query {
        return None;
    }
    let directive = operation.directives.iter().find(|directive| directive.node.name.node == DIRECTIVE)?;
    let argument = |name: &str| directive.node.get_argument(name).map(|value| constant(&value.node, variables));
    if argument("if") == Some(ConstValue::Boolean(false)) {
        return None;
    }
    let throttle = match argument("throttle") {
        Some(ConstValue::Number(ms)) => Duration::from_millis(ms.as_u64().unwrap_or(0)).min(THROTTLE_MAX),
        _ => Duration::ZERO,
    };
    let mut ids = Vec::new();
    for (name, value) in root.iter().flat_map(|field| &field.arguments) {
        if SITE_ARGUMENTS.contains(&name.node.as_str()) {
            add_strings(constant(&value.node, variables), &mut ids);
        }
    }
    Some(LiveRequest { throttle, ids })
}

fn add_strings(value: ConstValue, strings: &mut Vec<String>) {
    match value {
        ConstValue::String(text) => strings.push(text),
        ConstValue::List(items) => items.into_iter().for_each(|item| add_strings(item, strings)),
        _ => {}
    }
}

/// The value with those of the variables, which have their defaults already.
fn constant(value: &Value, variables: &Variables) -> ConstValue {
    let known = |name: Name| Ok::<_, std::convert::Infallible>(variables.get(&name).cloned().unwrap_or_default());
    value.clone().into_const_with(known).unwrap_or_default()
}
