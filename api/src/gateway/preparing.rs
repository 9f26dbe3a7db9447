//! From the parameters of a request to an operation that can be executed: finds or parses the document,
//! chooses its operation, checks it and computes its cost.

use std::sync::Arc;

use async_graphql::ServerError;
use helpbot_domain::text;
use helpbot_services::Viewer;
use helpbot_services::accounts::trusted_documents;

use super::documents;
use super::execution::Gateway;
use super::guard::document::Document;
use super::guard::rejection::DocumentRejection;
use super::request::{PreparedOperation, RequestParams};
use super::settings::DocumentPolicy;
use super::trusted::TrustedDocuments;
use crate::error::{ApiError, ErrorCode};

impl Gateway {
    /// Finds or parses the document of a request, and chooses its operation.
    ///
    /// # Errors
    /// A request error: `PERSISTED_QUERY_NOT_FOUND`, `GRAPHQL_PARSE_FAILED`,
    /// `GRAPHQL_VALIDATION_FAILED`, `COMPLEXITY_LIMIT`, or `FORBIDDEN` for a document that is not
    /// trusted.
    pub async fn prepare(&self, params: RequestParams, viewer: &Viewer) -> Result<PreparedOperation, ServerError> {
        let prepared = self.checked(params, viewer).await;
        prepared.inspect_err(|error| self.measures().failed(std::slice::from_ref(error)))
    }

    async fn checked(&self, params: RequestParams, viewer: &Viewer) -> Result<PreparedOperation, ServerError> {
        let document = self.document(&params, viewer).await?;
        let RequestParams { operation_name, mut variables, has_live_patches, .. } = params;
        let name = operation_name.as_deref();
        let operation_type = document.operation_type(name).map_err(DocumentRejection::into_server_error)?;
        let model = self.model();
        let checked = document.validate(model).and_then(|()| document.coerce_variables(name, &mut variables, model));
        let cost = checked.and_then(|()| document.cost(name, &variables, model));
        let cost = cost.map_err(DocumentRejection::into_server_errors);
        let (files, is_stored) = (None, false);
        Ok(PreparedOperation {
            document,
            operation_type,
            operation_name,
            variables,
            files,
            cost,
            is_stored,
            has_live_patches,
            accepts_text: false,
        })
    }

    /// The document that a request names by its ID or hash, or contains as text. An ID comes first: a client
    /// that sends both sends the text for servers that do not know the ID.
    async fn document(&self, params: &RequestParams, viewer: &Viewer) -> Result<Arc<Document>, ServerError> {
        let RequestParams { query, document_id, persisted_hash, .. } = params;
        // The manifests of some clients are requested like automatic persisted queries.
        if let Some(id) = document_id.as_deref().or(persisted_hash.as_deref().filter(|_| query.is_none()))
            && let Some(document) = self.named_document(id, viewer).await?
        {
            return Ok(document);
        }
        let is_limited = self.settings().documents == DocumentPolicy::TrustedOnly;
        if is_limited && let Some(text) = query {
            let trusted = self.trusted().get(&TrustedDocuments::id(text));
            return trusted.ok_or_else(|| not_trusted(document_id.is_some()));
        }
        if document_id.is_some() && query.is_none() || is_limited {
            return Err(not_trusted(document_id.is_some()));
        }
        self.any_document(query.as_deref(), persisted_hash.as_deref())
    }

    /// The document with this ID among those of the installation, then among the recent ones if it is a hash
    /// and any document may be executed, then among those of the viewer's site.
    async fn named_document(&self, id: &str, viewer: &Viewer) -> Result<Option<Arc<Document>>, ServerError> {
        if let Some(document) = self.trusted().get(id) {
            return Ok(Some(document));
        }
        // Automatic persisted queries need no look into the database.
        let is_any = self.settings().documents == DocumentPolicy::Any;
        if let Some(recent) = documents::hash_from_hex(id).filter(|_| is_any).and_then(|hash| self.recent().get(&hash))
        {
            return Ok(Some(recent));
        }
        let body = trusted_documents::body(self.services(), viewer, id).await;
        let body = body.map_err(|failed| ApiError::from(&failed).into_server_error())?;
        let read = |body: String| self.recent().read(&body, documents::hash(&body), &self.settings().guard);
        body.map(read).transpose().map_err(DocumentRejection::into_server_error)
    }

    /// The document that a request contains as text.
    fn any_document(&self, query: Option<&str>, persisted_hash: Option<&str>) -> Result<Arc<Document>, ServerError> {
        match (query, persisted_hash) {
            (Some(query), persisted) => {
                let hash = documents::hash(query);
                if persisted.is_some_and(|persisted| persisted != text::hex(&hash)) {
                    return Err(rejected(
                        ErrorCode::BadUserInput,
                        "extensions.persistedQuery.sha256Hash is not the SHA-256 hash of the query.",
                    ));
                }
                let document = self.recent().read(query, hash, &self.settings().guard);
                document.map_err(DocumentRejection::into_server_error)
            }
            // `named_document` did not find it. Apollo's clients expect exactly this message, and then send the
            // document.
            (None, Some(_)) => Err(not_found("PersistedQueryNotFound")),
            (None, None) => Err(rejected(ErrorCode::BadUserInput, "query or documentId is required")),
        }
    }
}

fn rejected(code: ErrorCode, message: &str) -> ServerError {
    ApiError::new(code, message).into_server_error()
}

fn not_trusted(has_id: bool) -> ServerError {
    match has_id {
        true => not_found("There is no trusted document with this id"),
        false => rejected(ErrorCode::Forbidden, "This server executes only trusted documents. Send documentId."),
    }
}

fn not_found(message: &str) -> ServerError {
    rejected(ErrorCode::PersistedQueryNotFound, message)
}
