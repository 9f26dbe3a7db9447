//! A request for an operation: as a transport carries it, and after the guard accepted it.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Name, ServerError, Value, Variables};

use super::caller::IdempotencyKey;
use super::execution::Gateway;
use super::files::UploadedFiles;
use super::guard::cost::OperationCost;
use super::guard::document::Document;
use super::guard::live::LiveRequest;
use crate::limits::rates::OperationWork;

/// Root fields that ask a question or can begin a conversation without one: of a mutation, and of a subscription that
/// follows the answer.
const QUESTION_FIELDS: [&str; 3] = ["askQuestion", "answer", "requestHandoff"];

/// The parameters of a GraphQL request, as any transport carries them.
#[derive(Debug, Default)]
pub struct RequestParams {
    /// The document.
    pub query: Option<String>,
    /// ID of a trusted document. When it is unknown, `query` is used.
    pub document_id: Option<String>,
    /// SHA-256 of the document in lowercase hexadecimal digits. Replaces `query` once a request has
    /// sent both. Without `query`, it can also be the ID of a trusted document.
    pub persisted_hash: Option<String>,
    /// Name of the operation to execute, when the document contains several.
    pub operation_name: Option<String>,
    /// Values of the variables.
    pub variables: Variables,
    /// The idempotency key of a mutation or a question.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether the client applies patches to the first result of a live query.
    pub has_live_patches: bool,
}

/// An operation that passed the guard and can be executed.
pub struct PreparedOperation {
    pub(super) document: Arc<Document>,
    pub(super) operation_type: OperationType,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Variables,
    pub(super) files: Option<UploadedFiles>,
    /// What the operation costs, or the errors that were found in its document or its variables.
    pub(super) cost: Result<OperationCost, Vec<ServerError>>,
    /// Whether this is one of our own stored operations, which need no validation.
    pub(super) is_stored: bool,
    /// Whether the client applies patches to the first result of a live query.
    pub(super) has_live_patches: bool,
    /// Whether the result may be JSON text, because the transport only sends it.
    pub(super) accepts_text: bool,
}

/// Marks the request of a stored operation: the ID of a conversation, which cannot be guessed, proves
/// that the conversation is the caller's, because the REST contract has no session token.
#[derive(Debug, Clone, Copy)]
pub struct IdIsProof;

impl PreparedOperation {
    /// Query, mutation or subscription.
    pub fn operation_type(&self) -> OperationType {
        self.operation_type
    }

    /// Name of the operation, or its first root field when the client gave it no name.
    pub(crate) fn name(&self) -> &str {
        let name = self.operation_name.as_deref();
        let first = || self.document.root_fields(name).first().copied();
        name.or_else(|| self.document.only_name()).or_else(first).unwrap_or_default()
    }

    /// Whether the operation asks a question.
    pub(crate) fn asks_question(&self) -> bool {
        self.work().questions > 0
    }

    /// What the operation does, in terms of the rate limits.
    pub(super) fn work(&self) -> OperationWork {
        let fields = self.document.root_fields(self.operation_name.as_deref());
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let questions = fields.iter().filter(|field| QUESTION_FIELDS.contains(field)).count();
        let mutations = if self.operation_type == OperationType::Mutation { fields.len() } else { 0 };
        OperationWork { mutations: count(mutations), questions: count(questions) }
    }

    /// What `@live` of the operation asks for, or `None` when the operation is executed once.
    pub(crate) fn live(&self) -> Option<LiveRequest> {
        self.document.live(self.operation_name.as_deref(), &self.variables)
    }

    /// Whether the operation reads only what every visitor of the site may see.
    pub(crate) fn is_public(&self, gateway: &Gateway) -> bool {
        self.document.is_public(self.operation_name.as_deref(), gateway.model())
    }

    /// A copy for another execution. Queries have no files.
    pub(super) fn again(&self) -> Self {
        Self {
            document: self.document.clone(),
            operation_type: self.operation_type,
            operation_name: self.operation_name.clone(),
            variables: self.variables.clone(),
            files: None,
            cost: self.cost.clone(),
            is_stored: self.is_stored,
            has_live_patches: self.has_live_patches,
            accepts_text: self.accepts_text,
        }
    }

    /// Allows the gateway to return the result as JSON text.
    pub(crate) fn accept_text(&mut self) {
        self.accepts_text = true;
    }

    /// Attaches uploaded files, which the operation refers to in its variables.
    pub(crate) fn attach(&mut self, files: UploadedFiles) {
        self.files = Some(files);
    }

    /// Sets a variable that the transport carries outside the request. Returns whether the operation
    /// declares this variable.
    #[must_use]
    pub fn set_variable(&mut self, name: &str, value: impl Into<Value>) -> bool {
        let is_declared = self.document.declares(self.operation_name.as_deref(), name);
        if is_declared {
            self.variables.insert(Name::new(name), value.into());
        }
        is_declared
    }
}
