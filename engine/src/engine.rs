//! One question's way: small talk, retrieval with the session's earlier questions, decision,
//! composition, and what to say when there is no answer.
//!
//! Services call [`Engine::answer`] outside of any transaction. Without a model server it never
//! waits. With one it waits at most the caps, and an engine whose model fails answers as one
//! without: the visitor always gets a true answer or an honest "I don't know".

use std::sync::Arc;

use helpbot_domain::conversation::{Citation, Outcome};
use serde::Serialize;
use tokio::time::Instant;

use crate::ask::{AnswerSink, Ask};
use crate::breaker::Breaker;
use crate::compose::generative::{self, Written};
use crate::compose::{Composed, extractive};
use crate::decide::{self, Decision};
use crate::fallback;
use crate::follow_up;
use crate::index::Index;
use crate::language;
use crate::markdown;
use crate::model::{Embedder, ModelClient};
use crate::question_embedding::QuestionEmbedder;
use crate::retrieval::Retrieval;
use crate::smalltalk::{self, SmallTalk};

pub use crate::compose::generative::Caps;

/// Below this probability a model is not asked either: nothing near was found.
const MIN_MODEL_PROBABILITY: f64 = 0.05;

/// What an engine is made of. All of it is optional.
#[derive(Clone, Default)]
pub struct EngineSettings {
    /// Writes answers from passages; none: extractive answers.
    pub model: Option<Arc<dyn ModelClient>>,
    /// Says what questions mean to the model whose vectors an index has; none: the built-in table.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// Caps on what one generated answer may cost.
    pub caps: Caps,
}

/// What the visitor gets, and why.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Restricted Markdown, never empty.
    pub text: String,
    /// What became of the question.
    pub outcome: Outcome,
    /// What the answer rests on, best first; empty unless answered.
    pub citations: Vec<Citation>,
    /// Near questions, at most three; empty unless suggested.
    pub suggestions: Vec<String>,
    /// The probability that the best entry answers the question, 0 to 1; 1 for small talk.
    pub confidence: f64,
    /// Primary subtag of the language in which HelpBot's own sentences are.
    pub language: String,
    /// How it came about; for `--explain` and for the record.
    pub explain: Explanation,
}

/// The way to an answer. Serialises for people and logs of scores; holds no key and no prompt.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// What was found; none for small talk.
    pub retrieval: Option<Retrieval>,
    /// What was decided from the scores; none for small talk.
    pub decision: Option<Decision>,
    /// The probability from which on the site answers.
    pub threshold: f64,
    /// Who wrote the text.
    pub composer: Composer,
    /// Why a configured model did not write it.
    pub model_problem: Option<String>,
}

/// Who wrote an answer's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Composer {
    /// A sentence of HelpBot's own.
    BuiltIn,
    /// The site's own words.
    Extractive,
    /// A model, from the site's passages.
    Generative,
}

/// A question that cannot be answered at all. A failing model is none: the engine falls back.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EngineError {
    /// Nothing was asked.
    #[error("the question is empty")]
    EmptyQuestion,
}

/// Answers questions. Cheap to clone; clones share the model and its breaker.
#[derive(Clone)]
pub struct Engine {
    settings: EngineSettings,
    breaker: Arc<Breaker>,
    understanding: Arc<QuestionEmbedder>,
}

impl Engine {
    /// An engine with these parts.
    pub fn new(settings: EngineSettings) -> Self {
        let understanding = Arc::new(QuestionEmbedder::new(settings.embedder.clone()));
        Self { settings, breaker: Arc::default(), understanding }
    }

    /// Whether a model server may be waited for.
    pub fn has_model(&self) -> bool {
        self.settings.model.is_some()
    }

    /// Makes the vectors of chunks; none where the built-in table serves.
    pub fn embedder(&self) -> Option<&Arc<dyn Embedder>> {
        self.settings.embedder.as_ref()
    }

    /// The answer to a question from an index. The sink gets the same text, piece by piece.
    ///
    /// # Errors
    /// [`EngineError::EmptyQuestion`]; nothing else can fail.
    pub async fn answer(&self, index: &Index, ask: &Ask, sink: Option<&dyn AnswerSink>) -> Result<Answer, EngineError> {
        if ask.question.trim().is_empty() {
            return Err(EngineError::EmptyQuestion);
        }
        if let Some((kind, spoken)) = smalltalk::recognize(&ask.question) {
            return Ok(told(small_talk(kind, spoken, index, ask), sink));
        }
        let meaning = self.understanding.of(index, ask).await;
        let retrieval = follow_up::retrieve(index, ask, meaning.as_ref());
        let language = answer_language(ask, None, index, Some(&retrieval));
        let decision = decide::decide(&retrieval, &ask.settings);
        let mut problem = None;
        if let Some(model) = self.model(ask, &decision) {
            let candidates = &retrieval.candidates;
            let caps = &self.settings.caps;
            match generative::write(&*model, ask, candidates, &language, caps, sink).await {
                Ok(Written::Answer(composed)) => {
                    self.breaker.succeeded();
                    return Ok(generated(composed, ask, retrieval, decision, language));
                }
                Ok(Written::NoAnswer) => {
                    self.breaker.succeeded();
                    let answer = unanswered(ask, retrieval, decision, language);
                    return Ok(told(answer, sink));
                }
                Ok(Written::Ungrounded) => {
                    self.breaker.succeeded();
                    problem = Some("the model's text cites no passage".to_owned());
                }
                Err(error) => {
                    self.breaker.failed(Instant::now());
                    tracing::warn!(%error, "model server failed, answering extractively");
                    problem = Some(error.to_string());
                }
            }
            if let Some(sink) = sink {
                sink.restart();
            }
        }
        let mut answer = match decision.outcome {
            Outcome::Answered => extracted(index, ask, retrieval, decision, language),
            _ => unanswered(ask, retrieval, decision, language),
        };
        answer.explain.model_problem = problem;
        Ok(told(answer, sink))
    }

    fn model(&self, ask: &Ask, decision: &Decision) -> Option<Arc<dyn ModelClient>> {
        let is_hopeful = decision.confidence >= MIN_MODEL_PROBABILITY;
        let model = self.settings.model.as_ref().filter(|_| ask.settings.uses_model && is_hopeful)?;
        self.breaker.allows(Instant::now()).then(|| Arc::clone(model))
    }
}

/// The language of HelpBot's own sentences: as asked, else the site's, else of the question, else
/// of what was found by its words, else of what the site says, else English.
fn answer_language(ask: &Ask, spoken: Option<&str>, index: &Index, retrieval: Option<&Retrieval>) -> String {
    let best = retrieval.and_then(|retrieval| retrieval.candidates.first()).filter(|best| best.lexical > 0.0);
    let known = |tag: &str| helpbot_domain::language::primary(tag).filter(|primary| fallback::speaks(primary));
    ask.language
        .as_deref()
        .and_then(known)
        .or_else(|| known(&ask.site_language))
        .or_else(|| spoken.map(str::to_owned))
        .or_else(|| language::detect(&ask.question).and_then(known))
        .or_else(|| best.and_then(|best| best.language.as_deref()).and_then(known))
        .or_else(|| index.language().and_then(known))
        .unwrap_or_else(|| "en".to_owned())
}

fn small_talk(kind: SmallTalk, spoken: Option<&str>, index: &Index, ask: &Ask) -> Answer {
    let language = answer_language(ask, spoken, index, None);
    let phrases = fallback::phrases(&language);
    let text = match kind {
        SmallTalk::Hello => phrases.hello,
        SmallTalk::Thanks => phrases.thanks,
        SmallTalk::Bye => phrases.bye,
    };
    Answer {
        text: text.to_owned(),
        outcome: Outcome::SmallTalk,
        citations: Vec::new(),
        suggestions: Vec::new(),
        confidence: 1.0,
        language,
        explain: explanation(ask, None, None, Composer::BuiltIn),
    }
}

fn extracted(index: &Index, ask: &Ask, retrieval: Retrieval, decision: Decision, language: String) -> Answer {
    let composed = extractive::answer(index, &retrieval, &ask.settings);
    answered(composed, Composer::Extractive, ask, retrieval, decision, language)
}

fn generated(composed: Composed, ask: &Ask, retrieval: Retrieval, decision: Decision, language: String) -> Answer {
    answered(composed, Composer::Generative, ask, retrieval, decision, language)
}

fn answered(
    composed: Composed,
    composer: Composer,
    ask: &Ask,
    retrieval: Retrieval,
    decision: Decision,
    language: String,
) -> Answer {
    Answer {
        text: composed.text,
        outcome: Outcome::Answered,
        citations: composed.citations,
        suggestions: Vec::new(),
        confidence: decision.confidence,
        language,
        explain: explanation(ask, Some(retrieval), Some(decision), composer),
    }
}

/// Near questions where the decision has some, else the honest sentence.
fn unanswered(ask: &Ask, retrieval: Retrieval, decision: Decision, language: String) -> Answer {
    let (outcome, text, suggestions) = if decision.suggested.is_empty() {
        let own = ask.settings.fallback_text.clone().filter(|text| !text.trim().is_empty());
        let text = own.unwrap_or_else(|| fallback::fallback(&language).to_owned());
        (Outcome::Declined, text, Vec::new())
    } else {
        let (text, titles) = extractive::suggestion(&retrieval, &decision.suggested, &language);
        (Outcome::Suggested, text, titles)
    };
    Answer {
        text,
        outcome,
        citations: Vec::new(),
        suggestions,
        confidence: decision.confidence,
        language,
        explain: explanation(ask, Some(retrieval), Some(decision), Composer::BuiltIn),
    }
}

fn explanation(ask: &Ask, retrieval: Option<Retrieval>, decision: Option<Decision>, composer: Composer) -> Explanation {
    let threshold = decide::threshold(ask.settings.target_precision);
    Explanation { retrieval, decision, threshold, composer, model_problem: None }
}

/// Tells a text that stands already, sentence by sentence: a reader follows it as if written.
fn told(answer: Answer, sink: Option<&dyn AnswerSink>) -> Answer {
    if let Some(sink) = sink {
        markdown::steps(&answer.text).into_iter().for_each(|step| sink.delta(step));
    }
    answer
}
