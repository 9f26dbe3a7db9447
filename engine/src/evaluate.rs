//! Measures answering on a labeled set, through the same indexing, retrieval and decision as for
//! visitors. Used by `helpbot eval --corpus DIR --run OUT.jsonl` and the `eval` example.
//!
//! A set has two files of JSON lines. `corpus.jsonl`: {"id", "text", "question"?, "phrasings"?,
//! "title"?, "url"?, "tenant"?}. `queries.jsonl`: {"id", "text", "relevant", "tenant"?}, where an
//! empty `relevant` means that the corpus has no answer. Each tenant is a site of its own.

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

/// Number of texts in one request to an embedding model, as in the job that embeds a site.
const TEXTS_AT_ONCE: usize = 64;

/// One line of `corpus.jsonl`.
#[derive(Debug, Clone, Deserialize)]
pub struct CorpusEntry {
    /// ID of the entry in the set.
    pub id: String,
    /// Answer or passage.
    pub text: String,
    /// The question of an FAQ entry.
    pub question: Option<String>,
    /// Other ways to ask.
    #[serde(default)]
    pub phrasings: Vec<String>,
    /// Page and headings of a passage, separated by ` > `.
    pub title: Option<String>,
    /// Address of the page.
    pub url: Option<String>,
    /// Name of the site that the entry belongs to.
    pub tenant: Option<String>,
}

impl CorpusEntry {
    /// Whether the text only repeats the phrasings, because the set has no answers.
    pub fn is_repeat(&self) -> bool {
        !self.phrasings.is_empty() && self.text == self.phrasings.join("\n")
    }
}

/// One line of `queries.jsonl`.
#[derive(Debug, Clone, Deserialize)]
pub struct CorpusQuery {
    /// ID of the query in the set.
    pub id: String,
    /// The question.
    pub text: String,
    /// IDs of the entries that answer it. Empty when no entry does.
    #[serde(default)]
    pub relevant: Vec<String>,
    /// Name of the site that is asked.
    pub tenant: Option<String>,
}

/// One line of a run file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunLine {
    /// ID of the query.
    pub query_id: String,
    /// IDs of the entries, best first.
    pub ranked: Vec<String>,
    /// Whether an answer was given.
    pub answered: bool,
    /// IDs of the entries that were offered instead of an answer, best first.
    pub suggested: Vec<String>,
    /// The confidence.
    pub score: f64,
}

/// A line of a set that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct ReadError {
    /// Number of the line, from 1.
    pub line: usize,
    /// The cause.
    #[source]
    pub cause: serde_json::Error,
}

/// The result of one query.
#[derive(Debug, Clone)]
pub struct Trial<'a> {
    /// The query.
    pub query: &'a CorpusQuery,
    /// IDs of the entries that were found, best first.
    pub ranked: Vec<&'a str>,
    /// Result of the retrieval.
    pub retrieval: Retrieval,
    /// The decision.
    pub decision: Decision,
}

/// Parses a text of JSON lines. Empty lines are skipped.
///
/// # Errors
/// Returns the number of the first line that cannot be parsed.
pub fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<Vec<T>, ReadError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| serde_json::from_str(line).map_err(|cause| ReadError { line: at + 1, cause })).collect()
}

/// Asks every query on the site of its tenant, in the order of the queries.
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

/// Like [`trials`], with the vectors of an embedding model in place of the built-in table.
///
/// # Errors
/// Returns the errors of the model, and `Protocol` when the model cannot tell the probes apart.
pub async fn trials_by<'a>(
    embedder: &dyn Embedder,
    corpus: &'a [CorpusEntry],
    queries: &'a [CorpusQuery],
    settings: &AnswerPolicy,
) -> Result<Vec<Trial<'a>>, ModelError> {
    let useless = || ModelError::Protocol("the model cannot tell questions apart".to_owned());
    let scale = CosineScale::of(&embedded(embedder, external_embeddings::probes()).await?).ok_or_else(useless)?;
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
        Some(trial(query, site, Some((&meaning, &scale)), settings))
    });
    Ok(asked.collect())
}

/// The entries of a tenant, and their index in the same order.
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

/// Returns the lines of a run file for these trials.
pub fn run(trials: &[Trial<'_>]) -> Vec<RunLine> {
    let line = |trial: &Trial<'_>| RunLine {
        query_id: trial.query.id.clone(),
        ranked: trial.ranked.iter().map(|id| (*id).to_owned()).collect(),
        answered: trial.decision.outcome == Outcome::Answered,
        suggested: trial.decision.suggested.iter().map(|&place| trial.ranked[place].to_owned()).collect(),
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
    let retrieval = site.index.search(&query.text, &[], meaning);
    let decision = decide::decide(&retrieval, settings);
    let ids = retrieval.candidates.iter();
    let ranked = ids.map(|found| site.entries[number(found.chunk.id)].id.as_str()).collect();
    Trial { query, ranked, retrieval, decision }
}

/// Turns an entry into a chunk whose ID is its number. Sets without answers repeat the phrasings as
/// text, which is left out here, because a site would not do it.
fn chunk(entry: &CorpusEntry, number: u128) -> Chunk {
    let heading = entry.title.iter().flat_map(|title| title.split(" > ")).map(str::to_owned);
    Chunk {
        id: ChunkId::from_uuid(uuid::Uuid::from_u128(number)),
        source_id: SourceId::from_uuid(uuid::Uuid::from_u128(0)),
        kind: if entry.question.is_some() { ChunkKind::Faq } else { ChunkKind::Passage },
        question: entry.question.clone(),
        heading: heading.collect(),
        text: if entry.is_repeat() { String::new() } else { entry.text.clone() },
        url: entry.url.clone(),
        page_title: None,
        language: None,
        phrasings: entry.phrasings.clone(),
    }
}

fn number(id: ChunkId) -> usize {
    id.uuid().as_u128() as usize
}
