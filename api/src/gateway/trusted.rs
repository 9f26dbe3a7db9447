//! Trusted documents: the documents of the widget and the dashboard, and those that the operator put
//! into a directory. They are parsed when the gateway is created and requested by their ID. Those that the
//! teams of sites register are in the database (`helpbot_services::accounts::trusted_documents`).
//!
//! A document comes as text or in a manifest, which a build tool of a client writes. Two forms of
//! manifests are read: an object of texts by ID, as the compiler of Relay and graphql-codegen write it,
//! and the manifest of Apollo's tools.

use std::collections::HashMap;
use std::sync::Arc;

use helpbot_domain::text;
use helpbot_domain::trusted_document::normal_id;
use serde::Deserialize;

use super::documents::hash;
use super::guard;
use super::guard::document::Document;
use super::guard::limits::DocumentSize;
use super::guard::rejection::DocumentRejection;

/// Value of `format` in a manifest of Apollo's tools.
const APOLLO_FORMAT: &str = "apollo-persisted-query-manifest";

/// Trusted documents by ID, parsed once.
#[derive(Debug, Clone, Default)]
pub struct TrustedDocuments {
    by_id: HashMap<String, Arc<Document>>,
}

/// Why a manifest cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The text is neither of the two forms.
    #[error("it must be an object of documents by ID, or a manifest with the format \"{APOLLO_FORMAT}\"")]
    UnknownForm,
    /// A document exceeds a limit or is not GraphQL.
    #[error("the document {id}: {reason}")]
    Document {
        /// ID of the document.
        id: String,
        /// The rejection.
        reason: DocumentRejection,
    },
    /// Two different documents have the same ID.
    #[error("two different documents have the ID {0}")]
    Ambiguous(String),
}

/// The forms of a manifest.
#[derive(Deserialize)]
#[serde(untagged)]
enum ManifestFile {
    Apollo { format: String, operations: Vec<ApolloOperation> },
    ById(HashMap<String, String>),
}

#[derive(Deserialize)]
struct ApolloOperation {
    id: String,
    body: String,
}

impl TrustedDocuments {
    /// Parses the documents in `texts`.
    ///
    /// # Errors
    /// The guard's rejection of the first document that exceeds a limit: the limits apply to trusted
    /// documents too.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, DocumentRejection> {
        let mut documents = Self::default();
        for text in texts {
            documents.add(text)?;
        }
        Ok(documents)
    }

    /// Adds a document under the ID that [`TrustedDocuments::id`] gives.
    ///
    /// # Errors
    /// The guard's rejection.
    pub fn add(&mut self, text: &str) -> Result<(), DocumentRejection> {
        let document = Arc::new(guard::read(text, &DocumentSize::MAX)?);
        self.by_id.insert(Self::id(text), document);
        Ok(())
    }

    /// Adds the documents of a manifest, each under its ID there and under that of its text.
    ///
    /// # Errors
    /// When the text is no manifest, a document is rejected, or an ID is taken by another document.
    pub fn add_manifest(&mut self, json: &str) -> Result<(), ManifestError> {
        let documents: Vec<(String, String)> = match serde_json::from_str(json) {
            Ok(ManifestFile::Apollo { format, operations }) if format == APOLLO_FORMAT => {
                operations.into_iter().map(|operation| (operation.id, operation.body)).collect()
            }
            Ok(ManifestFile::ById(by_id)) => by_id.into_iter().collect(),
            Ok(ManifestFile::Apollo { .. }) | Err(_) => return Err(ManifestError::UnknownForm),
        };
        for (id, body) in documents {
            let document = match guard::read(&body, &DocumentSize::MAX) {
                Ok(document) => Arc::new(document),
                Err(reason) => return Err(ManifestError::Document { id, reason }),
            };
            let known = self.by_id.entry(normal_id(&id)).or_insert_with(|| document.clone());
            if known.fingerprint() != document.fingerprint() {
                return Err(ManifestError::Ambiguous(id));
            }
            self.by_id.insert(Self::id(&body), document);
        }
        Ok(())
    }

    /// The ID of a document: `sha256:` and the hash of its text in lowercase hexadecimal digits.
    pub fn id(text: &str) -> String {
        normal_id(&text::hex(&hash(text)))
    }

    /// The document with this ID. A hash is found with and without its prefix.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Document>> {
        self.by_id.get(&normal_id(id)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SITE: &str = "{ site { id } }";
    const VIEWER: &str = "query Viewer { viewer { kind } }";

    fn read(manifest: &serde_json::Value) -> Result<TrustedDocuments, ManifestError> {
        let mut documents = TrustedDocuments::default();
        documents.add_manifest(&manifest.to_string()).map(|()| documents)
    }

    #[test]
    fn manifests_of_relay_codegen_and_apollo_are_read() {
        let sha = text::hex(&hash(VIEWER));
        let relay = json!({ "3be4abb81fa595e25eb725b2c6a87508": SITE, "x": VIEWER });
        let codegen = json!({ "d6b7fe7a3c9a6b3d6b7b2b3b7c6d5e4f3a2b1c0d": SITE, (sha.clone()): VIEWER });
        let apollo = json!({ "format": APOLLO_FORMAT, "version": 1, "operations": [
            { "id": "one", "name": "", "type": "query", "body": SITE },
            { "id": (sha.clone()), "name": "Viewer", "type": "query", "body": VIEWER },
        ] });

        for (manifest, id) in [
            (relay, "3be4abb81fa595e25eb725b2c6a87508"),
            (codegen, "d6b7fe7a3c9a6b3d6b7b2b3b7c6d5e4f3a2b1c0d"),
            (apollo, "one"),
        ] {
            let documents = read(&manifest).unwrap();

            assert_eq!(documents.get(id).unwrap().fingerprint(), &hash(SITE), "{manifest}");
            for id in [sha.clone(), sha.to_uppercase(), format!("sha256:{sha}")] {
                assert_eq!(documents.get(&id).unwrap().fingerprint(), &hash(VIEWER), "{id} in {manifest}");
            }
            assert!(documents.get("two").is_none() && documents.get("").is_none());
        }
    }

    #[test]
    fn a_manifest_that_cannot_be_read_says_why() {
        let error = |manifest: serde_json::Value| read(&manifest).unwrap_err().to_string();

        for manifest in [json!([]), json!({ "a": 1 }), json!({ "format": "other", "operations": [] })] {
            assert!(matches!(read(&manifest), Err(ManifestError::UnknownForm)), "{manifest}");
        }
        let broken = error(json!({ "broken": "{" }));
        assert!(broken.starts_with("the document broken: "), "{broken}");
        let hash_of_other = text::hex(&hash(SITE));
        let ambiguous = error(json!({ "format": APOLLO_FORMAT, "operations": [
            { "id": (hash_of_other), "body": SITE }, { "id": (hash_of_other), "body": VIEWER },
        ] }));
        assert_eq!(ambiguous, format!("two different documents have the ID {hash_of_other}"));
    }
}
