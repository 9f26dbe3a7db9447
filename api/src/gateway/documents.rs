//! Trusted documents: those of the project's own pages, known when the gateway is made, and
//! asked for by their hash.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::guard::{self, Document, Refusal};

/// Documents by id, parsed once.
#[derive(Debug, Clone, Default)]
pub struct TrustedDocuments {
    by_id: HashMap<String, Arc<Document>>,
}

impl TrustedDocuments {
    /// The documents of `texts`.
    ///
    /// # Errors
    /// What the guard says of the first that it refuses: trust is no excuse for cost.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Refusal> {
        let limits = guard::Limits::default();
        let read = |text: &'a str| Ok((Self::id(text), Arc::new(guard::read(text, &limits)?)));
        Ok(Self { by_id: texts.into_iter().map(read).collect::<Result<_, Refusal>>()? })
    }

    /// The id of a document: `sha256:` and the hash of its text in lower hex.
    pub fn id(text: &str) -> String {
        Sha256::digest(text.as_bytes()).iter().fold("sha256:".to_owned(), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        })
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Document>> {
        self.by_id.get(id).cloned()
    }
}
