//! An embedding model in place of the built-in table: what it adds, and what is left when it
//! fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use crate::support::{ask, faq, shop_chunks};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use helpbot_domain::conversation::Outcome;
use helpbot_engine::model::{Embedder, ModelError};
use helpbot_engine::{Answer, Chunk, Engine, EngineSettings, Exchange, Index, external_embeddings};
use tokio::time::Instant;

/// What the model of these tests knows: words of one meaning stand in one line.
const MEANINGS: [&[&str]; 3] =
    [&["warranty", "takuu", "rikki"], &["shirts", "größen", "hemden"], &["vouchers", "gutschein"]];
const DIMS: usize = 32;

/// A model with a direction for each pair of probes and each meaning; all else has one in common.
struct Model {
    fails: bool,
    wait: Duration,
    dims: usize,
}

fn vector(text: &str, dims: usize) -> Vec<f32> {
    let probes = external_embeddings::probes();
    let lower = text.to_lowercase();
    let mut vector = vec![0.0; dims];
    if let Some(probe) = probes.iter().position(|probe| probe == text) {
        vector[probe / 2] = 1.0;
        return vector;
    }
    for (meaning, words) in MEANINGS.iter().enumerate() {
        if words.iter().any(|word| lower.contains(word)) {
            vector[probes.len() / 2 + meaning] = 1.0;
        }
    }
    if vector.iter().all(|number| *number == 0.0) {
        vector[dims - 1] = 1.0;
    }
    vector
}

impl Embedder for Model {
    fn model(&self) -> &str {
        "tiny"
    }

    fn embed(&self, model: &str, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>> {
        assert_eq!(model, "tiny");
        async move {
            tokio::time::sleep(self.wait).await;
            if self.fails {
                Err(ModelError::TimedOut)
            } else {
                Ok(texts.iter().map(|t| vector(t, self.dims)).collect())
            }
        }
        .boxed()
    }
}

fn stored(chunks: &[Chunk]) -> Vec<Vec<u8>> {
    let of_chunk = |chunk: &Chunk| {
        external_embeddings::encode(
            &external_embeddings::texts(chunk).iter().map(|text| vector(text, DIMS)).collect::<Vec<_>>(),
        )
    };
    chunks.iter().map(of_chunk).collect()
}

fn dressed(chunks: Vec<Chunk>) -> Index {
    let vectors = stored(&chunks);
    Index::build(chunks, Some("en")).with_vectors("tiny", &vectors).unwrap()
}

fn engine(fails: bool, wait: Duration, dims: usize) -> Engine {
    Engine::new(EngineSettings { embedder: Some(Arc::new(Model { fails, wait, dims })), ..EngineSettings::default() })
}

async fn answer(engine: &Engine, question: &str) -> Answer {
    engine.answer(&dressed(shop_chunks()), &ask(question), None).await.unwrap()
}

/// Without a word in common with its answer.
const FINNISH: &str = "Minun laite on rikki, onko takuu voimassa?";

#[tokio::test]
async fn a_model_finds_what_is_meant_in_another_language() {
    let with = answer(&engine(false, Duration::ZERO, DIMS), FINNISH).await;
    let without = answer(&Engine::new(EngineSettings::default()), FINNISH).await;

    assert_eq!(with.outcome, Outcome::Answered, "{}", with.text);
    assert!(with.text.contains("two years"), "{}", with.text);
    assert_eq!(without.outcome, Outcome::Declined, "{}", without.text);
}

#[tokio::test]
async fn a_follow_up_is_understood_together_with_the_question_before() {
    let engine = engine(false, Duration::ZERO, DIMS);
    let mut ask = ask("und wie lange?");
    ask.history.push(Exchange { question: FINNISH.to_owned(), answer: "Ja.".to_owned() });

    let answer = engine.answer(&dressed(shop_chunks()), &ask, None).await.unwrap();

    let best = &answer.explain.retrieval.as_ref().unwrap().candidates[0];
    assert!(best.chunk.text.contains("two years"), "{}", best.chunk.text);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_fails_dawdles_or_has_changed_leaves_the_built_in_answer() {
    let built_in = answer(&Engine::new(EngineSettings::default()), "Is there a warranty?").await;
    let begin = Instant::now();

    for (name, engine) in [
        ("fails", engine(true, Duration::ZERO, DIMS)),
        ("dawdles", engine(false, Duration::from_secs(600), DIMS)),
        ("has vectors of another length", engine(false, Duration::ZERO, DIMS * 2)),
    ] {
        let answer = answer(&engine, "Is there a warranty?").await;

        assert_eq!(answer.outcome, Outcome::Answered, "{name}");
        assert_eq!((&answer.text, answer.confidence), (&built_in.text, built_in.confidence), "{name}");
    }
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn vectors_serve_only_where_every_chunk_has_its_own() {
    let chunks = shop_chunks();
    let whole = stored(&chunks);
    let index = Index::build(chunks, Some("en"));
    let (mut short, mut other, mut cut) = (whole.clone(), whole.clone(), whole.clone());
    short.pop();
    other[3] = external_embeddings::encode(&[vec![1.0; 7], vec![1.0; 7]]);
    cut[3].truncate(20);

    assert_eq!(index.with_vectors("tiny", &whole).unwrap().embedding_model(), Some("tiny"));
    for wrong in [short, other, cut, Vec::new()] {
        assert!(index.with_vectors("tiny", &wrong).is_none());
    }
}

#[tokio::test]
async fn a_phrasing_has_a_vector_of_its_own() {
    let mut chunks = shop_chunks();
    chunks.push(faq(40, "Do you mend things?", "We do."));
    let before = dressed(chunks.clone());
    chunks[12].phrasings.push("Passen die Hemden in allen Größen?".to_owned());
    let after = dressed(chunks);
    let engine = engine(false, Duration::ZERO, DIMS);
    let score = async |index: &Index| {
        let answer = engine.answer(index, &ask("hemden"), None).await.unwrap();
        let found = answer.explain.retrieval.unwrap().candidates;
        found.iter().find(|found| found.chunk.text == "We do.").map_or(0.0, |found| found.semantic.unwrap())
    };

    assert!(score(&after).await > score(&before).await + 0.1);
}
