//! The trusted documents of a site: the list, and the mutations that register and remove them.

use std::sync::OnceLock;

use async_graphql::{Context, InputObject, Object, Result};
use helpbot_api_macros::OutputObject;
use helpbot_domain as domain;
use helpbot_services::accounts::trusted_documents::{self, NewTrustedDocument};

use crate::gateway::guard;
use crate::gateway::guard::limits::DocumentSize;
use crate::gateway::guard::model::SchemaModel;
use crate::schema::access::Access;
use crate::schema::mutation::{finish, input, payload};
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::DateTime;

/// The mutations below as trusted documents by ID, so that a team can register documents on a server that
/// executes only trusted documents.
pub const MANIFEST: &str = r#"{
  "helpbot:addTrustedDocuments": "mutation AddTrustedDocuments($input: AddTrustedDocumentsInput!) { addTrustedDocuments(input: $input) { addedCount userErrors { field message code } } }",
  "helpbot:removeTrustedDocuments": "mutation RemoveTrustedDocuments($input: RemoveTrustedDocumentsInput!) { removeTrustedDocuments(input: $input) { removedCount userErrors { field message code } } }",
  "helpbot:trustedDocuments": "query TrustedDocuments($siteId: ID, $first: Int, $after: String) { site(id: $siteId) { trustedDocuments(first: $first, after: $after) { nodes { documentId createdAt } pageInfo { hasNextPage endCursor } } } }"
}"#;

/// A GraphQL document that requests can name by its ID instead of sending its text, also when the server
/// executes only trusted documents.
#[derive(Debug, Clone, OutputObject)]
pub struct TrustedDocument {
    /// ID that requests send as `documentId`, unique within the site. A SHA-256 hash begins with `sha256:`.
    document_id: String,
    /// Text that requests with the ID execute.
    body: String,
    /// Time at which the document was registered.
    created_at: DateTime,
}

impl From<domain::trusted_document::TrustedDocument> for TrustedDocument {
    fn from(row: domain::trusted_document::TrustedDocument) -> Self {
        Self { document_id: row.id, body: row.body, created_at: row.created_at.into() }
    }
}

connection! {
    /// A list of trusted documents, which is sorted by their IDs.
    TrustedDocumentConnection,
    /// An edge that connects the list to a trusted document.
    TrustedDocumentEdge,
    TrustedDocument
}

/// A page of the trusted documents of a site.
pub(super) async fn list(
    access: &Access,
    site: &domain::site::Site,
    args: &PageArgs,
) -> Result<TrustedDocumentConnection> {
    let (counted, counted_site) = (access.clone(), site.clone());
    let count = async move { trusted_documents::total(&counted.services, &counted.viewer, &counted_site).await };
    let rows = |part| trusted_documents::list(&access.services, &access.viewer, site, part);
    let (page, total) = page::read(args, rows, count).await?;
    Ok(TrustedDocumentConnection::new(page, total, |row| {
        let position = row.id.clone();
        (row.into(), position)
    }))
}

/// What is wrong with the text of a document: it exceeds a limit, or does not match the schema.
fn problem(text: &str) -> Option<String> {
    static MODEL: OnceLock<SchemaModel> = OnceLock::new();
    // Without suggestions: they would reveal names when introspection is off.
    let model = MODEL.get_or_init(|| super::model(false));
    let checked = guard::read(text, &DocumentSize::MAX).and_then(|document| document.validate(model));
    checked.err().map(|rejection| rejection.to_string())
}

/// The mutations that register and remove trusted documents.
#[derive(Default)]
pub struct TrustedDocumentMutation;

/// A GraphQL document with the ID by which requests will name it.
#[derive(InputObject)]
pub struct TrustedDocumentInput {
    /// ID of the document, which has 1 to 160 visible ASCII characters. Build tools use a hash of the text.
    id: String,
    /// Text of the document, which can have at most 32,768 characters.
    body: String,
}

input! {
    /// Arguments that `addTrustedDocuments` accepts.
    AddTrustedDocumentsInput {
        /// Documents that are registered. There must be 1 to 100.
        documents: Vec<TrustedDocumentInput>,
    }
}

payload! {
    /// Result that `addTrustedDocuments` returns.
    AddTrustedDocumentsPayload {
        /// Number of documents that were not registered before. It is null when the mutation failed.
        added_count: Option<i32>,
    }
}

input! {
    /// Arguments that `removeTrustedDocuments` accepts.
    RemoveTrustedDocumentsInput {
        /// IDs of the documents that are removed. There must be 1 to 100.
        document_ids: Vec<String>,
    }
}

payload! {
    /// Result that `removeTrustedDocuments` returns.
    RemoveTrustedDocumentsPayload {
        /// Number of documents that were removed. IDs that the site does not have are ignored. It is null
        /// when the mutation failed.
        removed_count: Option<i32>,
    }
}

#[Object]
impl TrustedDocumentMutation {
    /// Registers GraphQL documents, which every API key of the site can then execute by their IDs. All of them
    /// are registered, or none. A document that is registered already changes nothing. Requires the `ADMIN`
    /// scope.
    ///
    /// Fails with `BAD_USER_INPUT` for each document that is too large or does not match the schema, with
    /// `CONFLICT` when an ID belongs to another document, and with `LIMIT_REACHED` when the site would have more
    /// than 1,000 documents.
    async fn add_trusted_documents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: AddTrustedDocumentsInput,
    ) -> Result<AddTrustedDocumentsPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let site = input.site();
        let document = |new: TrustedDocumentInput| NewTrustedDocument { id: new.id, body: new.body };
        let documents = input.documents.into_iter().map(document).collect();
        let added = trusted_documents::add(services, viewer, site, documents, problem).await;
        finish(added, |count| AddTrustedDocumentsPayload {
            added_count: Some(i32::try_from(count).unwrap_or(i32::MAX)),
            ..Default::default()
        })
    }

    /// Removes GraphQL documents of the site. Requests that name them fail with `PERSISTED_QUERY_NOT_FOUND` from then
    /// on. Requires the `ADMIN` scope. Fails with `BAD_USER_INPUT` for no ID or more than 100.
    async fn remove_trusted_documents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: RemoveTrustedDocumentsInput,
    ) -> Result<RemoveTrustedDocumentsPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let removed = trusted_documents::remove(services, viewer, input.site(), &input.document_ids).await;
        finish(removed, |count| RemoveTrustedDocumentsPayload {
            removed_count: Some(i32::try_from(count).unwrap_or(i32::MAX)),
            ..Default::default()
        })
    }
}
