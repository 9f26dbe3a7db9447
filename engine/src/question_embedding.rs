//! Asks an embedding model what a question means, for an index that has its vectors; in time, or
//! not at all: the built-in channel serves without it.

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

/// How long a visitor waits for a vector; a local model takes some ten milliseconds, a cloud one
/// a few hundred.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is known of the embedding models.
pub(crate) struct QuestionEmbedder {
    embedder: Option<Arc<dyn Embedder>>,
    breaker: Breaker,
    /// By model; none for one that cannot tell questions apart.
    levels: Mutex<HashMap<String, Option<CosineScale>>>,
}

impl QuestionEmbedder {
    /// By the models of this server; none: there is nothing to ask.
    pub(crate) fn new(embedder: Option<Arc<dyn Embedder>>) -> Self {
        Self { embedder, breaker: Breaker::default(), levels: Mutex::default() }
    }

    /// What the question means to the model of the index; none when the index has no such vectors,
    /// or the model is not to be had.
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
            // An index of earlier days, whose vectors only that model could compare: no failure of
            // the one at hand.
            Err(ModelError::OtherModel(_)) => None,
            Err(error) => {
                self.breaker.failed(Instant::now());
                tracing::warn!(%error, "embedding model failed, the built-in vectors serve");
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
        let Some(levels) = self.levels(embedder, model).await? else { return Ok(None) };
        let mut texts = vec![ask.question.clone()];
        texts.extend(ask.history.last().map(|earlier| format!("{}\n{}", earlier.question, ask.question)));
        let vectors = embedder.embed(model, texts).await?;
        let mut vectors = vectors.iter().map(|vector| QueryVector::new(vector));
        let alone = vectors.next().flatten();
        let together = vectors.next().flatten();
        Ok(alone.map(|alone| QuestionVectors { alone, together, levels }))
    }

    /// What the cosines of a model mean: asked once.
    async fn levels(&self, embedder: &dyn Embedder, model: &str) -> Result<Option<CosineScale>, ModelError> {
        let known = self.levels.lock().unwrap_or_else(PoisonError::into_inner).get(model).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let vectors = embedder.embed(model, external_embeddings::probes()).await?;
        let levels = CosineScale::of(&vectors);
        if levels.is_none() {
            tracing::warn!(model, "this model cannot tell questions apart, the built-in vectors serve");
        }
        self.levels.lock().unwrap_or_else(PoisonError::into_inner).insert(model.to_owned(), levels);
        Ok(levels)
    }
}
