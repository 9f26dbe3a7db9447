//! An operation on its way: what a transport brings, and what the guard has let through.

use std::sync::Arc;

use async_graphql::Variables;
use async_graphql::parser::types::OperationType;

use super::IdempotencyKey;
use crate::guard::Document;
use crate::uploads::UploadedFiles;

/// A request for an operation, as any transport carries it.
#[derive(Debug, Default)]
pub struct Params {
    /// The document.
    pub query: Option<String>,
    /// The id of a trusted document, which stands in for `query`.
    pub document_id: Option<String>,
    /// SHA-256 of the document, lower hex: stands in for `query` once that was brought with it.
    pub persisted_hash: Option<String>,
    /// Which of the document's operations.
    pub operation_name: Option<String>,
    /// Its variables.
    pub variables: Variables,
    /// What the caller named the request; of a mutation's, so that it is run at most once.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// An operation that passed the guard and waits to be executed.
pub struct Prepared {
    pub(super) document: Arc<Document>,
    pub(super) kind: OperationType,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Variables,
    pub(super) files: Option<UploadedFiles>,
    /// A stored operation: its document need not be validated again.
    pub(super) is_stored: bool,
}

impl Prepared {
    /// Query, mutation or subscription.
    pub fn kind(&self) -> OperationType {
        self.kind
    }

    /// Sends files along, for the operation to find by its variables.
    pub(crate) fn attach(&mut self, files: UploadedFiles) {
        self.files = Some(files);
    }

    /// Sets a variable, for what a transport says in its own way; false when the operation does
    /// not declare it.
    #[must_use]
    pub fn set_variable(&mut self, name: &str, value: impl Into<async_graphql::Value>) -> bool {
        let is_declared = self.document.declares(self.operation_name.as_deref(), name);
        if is_declared {
            self.variables.insert(async_graphql::Name::new(name), value.into());
        }
        is_declared
    }
}
