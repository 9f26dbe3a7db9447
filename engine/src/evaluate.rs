//! Measures answering on a labelled set, through the same indexing, retrieval and decision that
//! visitors get: `helpbot eval --corpus DIR --run OUT.jsonl` and this crate's `eval` example.
//!
//! A set is two files of JSON lines. `corpus.jsonl`: {"id", "text", "question"?, "phrasings"?,
//! "title"?, "url"?, "tenant"?}; `queries.jsonl`: {"id", "text", "relevant", "tenant"?}, where an
//! empty `relevant` says that the corpus has no answer. Each tenant is a site of its own.

use std::collections::BTreeMap;

use helpbot_domain::conversation::Outcome;
use helpbot_domain::ids::{ChunkId, SourceId};
use serde::{Deserialize, Serialize};

use crate::chunk::{Chunk, ChunkKind};
use crate::decide::{self, Decision};
use crate::external_embeddings::{self, CosineScale};
use crate::index::Index;
use crate::model::{Embedder, ModelError};
use crate::retrieval::{Channels, Retrieval};
use crate::settings::AnswerPolicy;
use crate::vectors::QueryVector;

/// Texts in one call of an embedding model, as in the job that embeds a site.
const TEXTS_AT_ONCE: usize = 64;

/// One line of `corpus.jsonl`.
#[derive(Debug, Clone, Deserialize)]
pub struct CorpusEntry {
    /// The entry's name in the set.
    pub id: String,
    /// Answer or passage.
    pub text: String,
    /// The question of an FAQ entry.
    pub question: Option<String>,
    /// Other ways to ask.
    #[serde(default)]
    pub phrasings: Vec<String>,
    /// Of a passage: page and headings with ` > ` between.
    pub title: Option<String>,
    /// Where it stands.
    pub url: Option<String>,
    /// The site that it belongs to.
    pub tenant: Option<String>,
}

/// One line of `queries.jsonl`.
#[derive(Debug, Clone, Deserialize)]
pub struct CorpusQuery {
    /// The query's name in the set.
    pub id: String,
    /// The question.
    pub text: String,
    /// Ids of entries that answer it; empty when none does.
    #[serde(default)]
    pub relevant: Vec<String>,
    /// The site that is asked.
    pub tenant: Option<String>,
}

/// One line of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunLine {
    /// The query.
    pub query_id: String,
    /// CorpusEntry ids, best first.
    pub ranked: Vec<String>,
    /// Whether an answer was given.
    pub answered: bool,
    /// The confidence.
    pub score: f64,
}

/// A file of a set that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct ReadError {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    #[source]
    pub cause: serde_json::Error,
}

/// One query's way through the engine.
#[derive(Debug, Clone)]
pub struct Trial<'a> {
    /// The query.
    pub query: &'a CorpusQuery,
    /// Ids of the set for the candidates found, best first.
    pub ranked: Vec<&'a str>,
    /// What was found.
    pub retrieval: Retrieval,
    /// What was decided.
    pub decision: Decision,
}

/// The rows of a JSON-lines text; empty lines are skipped.
///
/// # Errors
/// The first line that is not a row.
pub fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<Vec<T>, ReadError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| serde_json::from_str(line).map_err(|cause| ReadError { line: at + 1, cause })).collect()
}

/// Asks every query of its tenant's site. In the order of the queries.
pub fn trials<'a>(
    corpus: &'a [CorpusEntry],
    queries: &'a [CorpusQuery],
    settings: &AnswerPolicy,
    channels: Channels,
) -> Vec<Trial<'a>> {
    let sites = sites(corpus, channels);
    let asked = queries.iter().filter_map(|query| {
        let site = sites.get(&query.tenant.as_deref())?;
        Some(trial(query, site, None, settings))
    });
    asked.collect()
}

/// As [`trials`], with the vectors of an embedding model in place of the built-in table.
///
/// # Errors
/// The model's own; `Protocol` when it cannot tell the probes apart, since no site would use it.
pub async fn trials_by<'a>(
    embedder: &dyn Embedder,
    corpus: &'a [CorpusEntry],
    queries: &'a [CorpusQuery],
    settings: &AnswerPolicy,
) -> Result<Vec<Trial<'a>>, ModelError> {
    let useless = || ModelError::Protocol("it cannot tell questions apart".to_owned());
    let levels = CosineScale::of(&embedded(embedder, external_embeddings::probes()).await?).ok_or_else(useless)?;
    let mut sites = sites(corpus, Channels::Both);
    for site in sites.values_mut() {
        let texts: Vec<Vec<String>> =
            site.index.chunks().iter().map(|chunk| external_embeddings::texts(chunk)).collect();
        let mut vectors = embedded(embedder, texts.concat()).await?.into_iter();
        let own =
            |texts: &Vec<String>| external_embeddings::encode(&vectors.by_ref().take(texts.len()).collect::<Vec<_>>());
        let stored: Vec<Vec<u8>> = texts.iter().map(own).collect();
        site.index = site.index.with_vectors(embedder.model(), &stored).ok_or_else(useless)?;
    }
    let questions = embedded(embedder, queries.iter().map(|query| query.text.clone()).collect()).await?;
    let asked = queries.iter().zip(&questions).filter_map(|(query, question)| {
        let site = sites.get(&query.tenant.as_deref())?;
        let meaning = QueryVector::new(question)?;
        Some(trial(query, site, Some((&meaning, &levels)), settings))
    });
    Ok(asked.collect())
}

/// A tenant's entries, and their index in the same order.
struct TenantSite<'a> {
    entries: Vec<&'a CorpusEntry>,
    index: Index,
}

fn sites(corpus: &[CorpusEntry], channels: Channels) -> BTreeMap<Option<&str>, TenantSite<'_>> {
    let mut sites: BTreeMap<Option<&str>, Vec<&CorpusEntry>> = BTreeMap::new();
    for entry in corpus {
        sites.entry(entry.tenant.as_deref()).or_default().push(entry);
    }
    let indexed = sites.into_iter().map(|(tenant, entries)| {
        let chunks = (0..).zip(&entries).map(|(number, entry)| chunk(entry, number)).collect();
        let index = Index::build_with(chunks, None, channels);
        (tenant, TenantSite { entries, index })
    });
    indexed.collect()
}

async fn embedded(embedder: &dyn Embedder, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
    let mut vectors = Vec::with_capacity(texts.len());
    for some in texts.chunks(TEXTS_AT_ONCE) {
        vectors.extend(embedder.embed(embedder.model(), some.to_vec()).await?);
    }
    Ok(vectors)
}

/// The lines of a run file for these trials.
pub fn run(trials: &[Trial<'_>]) -> Vec<RunLine> {
    let line = |trial: &Trial<'_>| RunLine {
        query_id: trial.query.id.clone(),
        ranked: trial.ranked.iter().map(|id| (*id).to_owned()).collect(),
        answered: trial.decision.outcome == Outcome::Answered,
        score: trial.decision.confidence,
    };
    trials.iter().map(line).collect()
}

fn trial<'a>(
    query: &'a CorpusQuery,
    site: &TenantSite<'a>,
    meaning: Option<(&QueryVector, &CosineScale)>,
    settings: &AnswerPolicy,
) -> Trial<'a> {
    let retrieval = site.index.retrieve_by(&query.text, None, meaning);
    let decision = decide::decide(&retrieval, settings);
    let ids = retrieval.candidates.iter();
    let ranked = ids.map(|found| site.entries[number(found.chunk.id)].id.as_str()).collect();
    Trial { query, ranked, retrieval, decision }
}

/// The entry as a chunk whose id is its number. Sets without answers repeat the phrasings as
/// text; a site would not, so they are left out there.
fn chunk(entry: &CorpusEntry, number: u128) -> Chunk {
    let heading = entry.title.iter().flat_map(|title| title.split(" > ")).map(str::to_owned);
    let is_repeat = !entry.phrasings.is_empty() && entry.text == entry.phrasings.join("\n");
    Chunk {
        id: ChunkId::from_uuid(uuid::Uuid::from_u128(number)),
        source_id: SourceId::from_uuid(uuid::Uuid::from_u128(0)),
        kind: if entry.question.is_some() { ChunkKind::Faq } else { ChunkKind::Passage },
        question: entry.question.clone(),
        heading: heading.collect(),
        text: if is_repeat { String::new() } else { entry.text.clone() },
        url: entry.url.clone(),
        page_title: None,
        language: None,
        phrasings: entry.phrasings.clone(),
    }
}

fn number(id: ChunkId) -> usize {
    id.uuid().as_u128() as usize
}
