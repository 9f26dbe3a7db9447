//! Embeds a question with the external model whose vectors an index has.
//!
//! The engine calls it before retrieval. When the model fails or is too slow, retrieval uses the
//! built-in table.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::ask::Ask;
use crate::breaker::Breaker;
use crate::external_embeddings::{self, CosineScale, QuestionVectors};
use crate::index::Index;
use crate::model::{Embedder, ModelError};
use crate::vectors::QueryVector;

/// How long a visitor waits for a vector. A local model takes about ten milliseconds, a hosted one
/// a few hundred.
const PATIENCE: Duration = Duration::from_secs(3);

/// The embedding model with what is known about it.
pub(crate) struct QuestionEmbedder {
    embedder: Option<Arc<dyn Embedder>>,
    breaker: Breaker,
    /// The scale of each model. `None` for a model that cannot tell questions apart.
    scale: Mutex<HashMap<String, Option<CosineScale>>>,
}

impl QuestionEmbedder {
    /// Uses the models of this server. Without one, questions are not embedded.
    pub(crate) fn new(embedder: Option<Arc<dyn Embedder>>) -> Self {
        Self { embedder, breaker: Breaker::default(), scale: Mutex::default() }
    }

    /// Returns the vectors of the question, or `None` when the index has no external vectors or the
    /// model is not available.
    pub(crate) async fn of(&self, index: &Index, ask: &Ask) -> Option<QuestionVectors> {
        let (embedder, model) = (self.embedder.as_deref()?, index.embedding_model()?);
        if !self.breaker.allows(Instant::now()) {
            return None;
        }
        let asked = timeout(PATIENCE, self.ask(embedder, model, ask)).await.unwrap_or(Err(ModelError::TimedOut));
        match asked {
            Ok(meaning) => {
                self.breaker.succeeded();
                meaning
            }
            // The vectors of the index come from an earlier model that is no longer configured.
            // This is not a failure of the current one.
            Err(ModelError::OtherModel(_)) => None,
            Err(error) => {
                self.breaker.failed(Instant::now());
                tracing::warn!(%error, "embedding model failed, using the built-in table");
                None
            }
        }
    }

    async fn ask(
        &self,
        embedder: &dyn Embedder,
        model: &str,
        ask: &Ask,
    ) -> Result<Option<QuestionVectors>, ModelError> {
        let Some(scale) = self.scale(embedder, model).await? else { return Ok(None) };
        let mut texts = vec![ask.question.clone()];
        texts.extend(ask.history.last().map(|earlier| format!("{}\n{}", earlier.question, ask.question)));
        let vectors = embedder.embed(model, texts).await?;
        let mut vectors = vectors.iter().map(|vector| QueryVector::new(vector));
        let alone = vectors.next().flatten();
        let together = vectors.next().flatten();
        Ok(alone.map(|alone| QuestionVectors { alone, together, scale }))
    }

    /// Returns the scale of a model, which is measured once.
    async fn scale(&self, embedder: &dyn Embedder, model: &str) -> Result<Option<CosineScale>, ModelError> {
        let known = self.scale.lock().unwrap_or_else(PoisonError::into_inner).get(model).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let vectors = embedder.embed(model, external_embeddings::probes()).await?;
        let scale = CosineScale::of(&vectors);
        if scale.is_none() {
            tracing::warn!(model, "the embedding model cannot tell questions apart, using the built-in table");
        }
        self.scale.lock().unwrap_or_else(PoisonError::into_inner).insert(model.to_owned(), scale);
        Ok(scale)
    }
}
