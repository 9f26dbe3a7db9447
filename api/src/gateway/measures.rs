//! What the gateway has executed, for `/metrics`: operations by type and root field, errors by code, and open
//! subscriptions.
//!
//! An operation counts under its first root field. The names of operations are chosen by clients, so that a client
//! could make any number of them; the root fields are those of the schema. An operation that does not match the
//! schema counts under [`INVALID`].

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{ServerError, Value};
use helpbot_domain::measurement::{Counted, Counter, Gauge, Histogram};

use super::request::PreparedOperation;
use super::result::ExecutionResult;
use crate::error::{ApiError, ErrorCode};

/// Maximum number of root fields of each type that are counted separately, more than the schema has. Each one costs Prometheus
/// some fifteen time series.
pub const ROOT_FIELDS_MAX: usize = 256;
/// Root field of the operations beyond [`ROOT_FIELDS_MAX`].
pub const OTHER: &str = "other";
/// Root field of operations that do not match the schema.
pub const INVALID: &str = "invalid";

/// The counts of one gateway.
#[derive(Debug, Default)]
pub struct GatewayMeasures {
    /// The operations by root field, for each type in the order of the enum.
    operations: [RwLock<HashMap<String, Arc<OperationMeasures>>>; OperationKind::ALL.len()],
    /// One counter for each error code, in the order of the enum.
    errors: [Counter; CODES],
    subscriptions: Arc<Gauge>,
    live_queries: Arc<Gauge>,
}

/// The counts of the operations of one type with one root field.
#[derive(Debug, Default)]
pub struct OperationMeasures {
    /// Operations without a top-level error. A mutation that was refused with `userErrors` is one of them.
    pub succeeded: Counter,
    /// Operations with a top-level error.
    pub failed: Counter,
    /// Time until the result. Of a subscription, the time until it was accepted.
    pub seconds: Histogram,
}

/// Query, mutation or subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationKind {
    /// A query.
    Query,
    /// A mutation.
    Mutation,
    /// A subscription.
    Subscription,
}

impl OperationKind {
    /// All types, in the order of the enum.
    const ALL: [Self; 3] = [Self::Query, Self::Mutation, Self::Subscription];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            OperationKind::Query => "query",
            OperationKind::Mutation => "mutation",
            OperationKind::Subscription => "subscription",
        }
    }
}

impl From<OperationType> for OperationKind {
    fn from(operation_type: OperationType) -> Self {
        match operation_type {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        }
    }
}

/// The number of error codes.
const CODES: usize = 19;

impl GatewayMeasures {
    /// The counts that `operation` belongs to.
    pub(super) fn of(&self, operation: &PreparedOperation) -> Arc<OperationMeasures> {
        let field = match operation.cost {
            Ok(_) => operation.document.root_fields(operation.operation_name.as_deref()).first().copied(),
            Err(_) => None,
        };
        self.operation(operation.operation_type.into(), field.unwrap_or(INVALID))
    }

    fn operation(&self, kind: OperationKind, field: &str) -> Arc<OperationMeasures> {
        let operations = &self.operations[kind as usize];
        if let Some(known) = operations.read().unwrap_or_else(PoisonError::into_inner).get(field) {
            return known.clone();
        }
        let mut operations = operations.write().unwrap_or_else(PoisonError::into_inner);
        let is_full = operations.len() >= ROOT_FIELDS_MAX && !operations.contains_key(field);
        operations.entry(if is_full { OTHER } else { field }.to_owned()).or_default().clone()
    }

    /// Counts an executed operation and its errors.
    pub(super) fn executed(&self, of: &OperationMeasures, result: &ExecutionResult, took: Duration) {
        of.seconds.record(took);
        if result.response.errors.is_empty() { &of.succeeded } else { &of.failed }.add_one();
        self.failed(&result.response.errors);
        self.refused(&result.response.data);
    }

    /// Counts the errors of a request that no operation belongs to.
    pub(super) fn rejected(&self, error: &ApiError) {
        self.errors[error.code as usize].add_one();
    }

    /// Counts top-level errors.
    pub(super) fn failed(&self, errors: &[ServerError]) {
        errors.iter().for_each(|error| self.rejected(&ApiError::from_server_error(error)));
    }

    /// Counts the `userErrors` of the payloads of a mutation, as far as it selects their codes.
    fn refused(&self, data: &Value) {
        let Value::Object(payloads) = data else { return };
        for payload in payloads.values() {
            let Value::Object(payload) = payload else { continue };
            let Some(Value::List(errors)) = payload.get("userErrors") else { continue };
            for error in errors {
                let code = match error {
                    Value::Object(error) => match error.get("code") {
                        Some(Value::Enum(code)) => ErrorCode::from_code(code),
                        Some(Value::String(code)) => ErrorCode::from_code(code),
                        _ => None,
                    },
                    _ => None,
                };
                if let Some(code) = code {
                    self.errors[code as usize].add_one();
                }
            }
        }
    }

    /// Counts one subscription as open until the value is dropped.
    pub(super) fn open_subscription(&self) -> Counted {
        self.subscriptions.count()
    }

    /// Counts one live query as open until the value is dropped.
    pub(super) fn open_live_query(&self) -> Counted {
        self.live_queries.count()
    }

    /// The operations by type and root field, in a fixed order.
    pub fn operations(&self) -> Vec<(OperationKind, String, Arc<OperationMeasures>)> {
        let mut listed = Vec::new();
        for (kind, operations) in OperationKind::ALL.into_iter().zip(&self.operations) {
            let operations = operations.read().unwrap_or_else(PoisonError::into_inner);
            listed.extend(operations.iter().map(|(field, measures)| (kind, field.clone(), measures.clone())));
        }
        listed.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        listed
    }

    /// The number of errors with each code.
    pub fn errors(&self) -> Vec<(&'static str, u64)> {
        let codes = <ErrorCode as async_graphql::resolver_utils::EnumType>::items();
        codes.iter().map(|item| (item.value.as_str(), self.errors[item.value as usize].get())).collect()
    }

    /// Number of open subscriptions.
    pub fn subscriptions(&self) -> i64 {
        self.subscriptions.get()
    }

    /// Number of open live queries.
    pub fn live_queries(&self) -> i64 {
        self.live_queries.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_counter_for_each_error_code() {
        let measures = GatewayMeasures::default();

        let codes = <ErrorCode as async_graphql::resolver_utils::EnumType>::items();
        codes.iter().for_each(|item| measures.rejected(&ApiError::new(item.value, "refused")));

        assert_eq!(codes.len(), CODES);
        assert!(measures.errors().iter().all(|(_, count)| *count == 1), "{:?}", measures.errors());
    }

    #[test]
    fn root_fields_beyond_the_limit_count_together() {
        let measures = GatewayMeasures::default();

        (0..ROOT_FIELDS_MAX + 10).for_each(|number| {
            measures.operation(OperationKind::Query, &format!("field{number}")).succeeded.add_one();
        });
        let operations = measures.operations();
        let other = operations.iter().find(|(_, field, _)| field == OTHER).expect("the others are counted");

        assert_eq!(operations.len(), ROOT_FIELDS_MAX + 1);
        assert_eq!(other.2.succeeded.get(), 10);
    }
}
