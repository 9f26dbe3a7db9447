//! Compares the cost of an operation with the limit of the caller's kind of key, and reports it.
//!
//! [`guard::cost`](super::guard::cost) computes the cost. `docs/graphql.md` explains the report to
//! developers.

use async_graphql::{Response, ServerError, Value, value};

use super::guard::cost::OperationCost;
use crate::error::{ApiError, ErrorCode};

const COST: &str = "cost";

/// Checks that the cost is within the limit.
///
/// # Errors
/// `COMPLEXITY_LIMIT`, with the cost, the limit and the most expensive field in its message and in
/// `extensions.cost`.
pub(super) fn check(cost: &OperationCost, limit: u64) -> Result<(), ServerError> {
    let OperationCost { points, top_field, top_points } = cost;
    if *points <= limit {
        return Ok(());
    }
    let message = format!(
        "The operation costs {points} points, and the limit is {limit}. The most expensive field is \"{top_field}\" with \
         up to {top_points} objects. Select fewer items with first or last, or split the operation."
    );
    let mut error = ApiError::new(ErrorCode::ComplexityLimit, message).into_server_error();
    if let Some(extensions) = &mut error.extensions {
        let top_field = top_field.as_str();
        extensions.set(COST, value!({ "requested": *points, "limit": limit, "mostExpensiveField": top_field }));
    }
    Err(error)
}

/// Adds `extensions.cost` to the response of an operation that was executed.
pub(super) fn report(response: &mut Response, cost: &OperationCost, limit: u64) {
    let report = value!({
        "requested": cost.points,
        "actual": objects(&response.data).saturating_sub(1),
        "limit": limit,
        "remaining": limit.saturating_sub(cost.points),
        // The limit applies to each operation on its own, so nothing is used up and restored.
        "restoreRate": null,
    });
    response.extensions.insert(COST.to_owned(), report);
}

/// The JSON text of `extensions.cost`, as [`report`] adds it, for a response with `actual` objects.
pub(super) fn report_text(cost: &OperationCost, actual: u64, limit: u64) -> String {
    let (requested, remaining) = (cost.points, limit.saturating_sub(cost.points));
    format!(
        r#"{{"requested":{requested},"actual":{actual},"limit":{limit},"remaining":{remaining},"restoreRate":null}}"#
    )
}

/// Number of objects in a response, including the response itself.
fn objects(value: &Value) -> u64 {
    match value {
        Value::Object(fields) => 1 + fields.values().map(objects).sum::<u64>(),
        Value::List(items) => items.iter().map(objects).sum(),
        _ => 0,
    }
}

/// Whether the response is the result of an execution. async-graphql reports the path of each error of
/// an execution, and no path for an error of the request.
pub(super) fn is_executed(response: &Response) -> bool {
    response.errors.iter().all(|error| !error.path.is_empty())
}

/// Whether the first response of a subscription is an event. When the subscription could not start,
/// the path of the error is the root field alone.
pub(super) fn is_event(response: &Response) -> bool {
    response.data != Value::Null || response.errors.iter().all(|error| error.path.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_report_is_that_of_a_response() {
        let cost = OperationCost { points: 7, ..OperationCost::default() };
        for limit in [5, 100] {
            let mut response = Response::new(value!({ "a": { "b": [{ "c": 1 }, { "c": 2 }] } }));

            report(&mut response, &cost, limit);

            let json = serde_json::to_string(&response.extensions[COST]).unwrap();
            assert_eq!(report_text(&cost, 3, limit), json);
        }
    }
}
