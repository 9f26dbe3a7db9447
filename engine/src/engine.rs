//! Answers one question: small talk, retrieval with the earlier questions of the session, decision,
//! composition.
//!
//! `services` calls [`Engine::answer`] outside of any transaction. Without a model server it never
//! waits. With a model server it waits at most as long as the caps allow. When the model fails, the
//! extractive answer is used, so a visitor always gets an answer from the site or an honest "I
//! don't know".

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

/// Minimum probability at which a model is asked. Below it, retrieval found nothing useful.
const MIN_MODEL_PROBABILITY: f64 = 0.05;

/// The optional parts of an engine.
#[derive(Clone, Default)]
pub struct EngineSettings {
    /// Writes answers from passages. `None` makes all answers extractive.
    pub model: Option<Arc<dyn ModelClient>>,
    /// Embeds questions for the model whose vectors an index has. `None` uses the built-in table.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// Limits for one generated answer.
    pub caps: Caps,
}

/// The result that a visitor gets, with its explanation.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The text as restricted Markdown. It is never empty.
    pub text: String,
    /// Outcome of the question.
    pub outcome: Outcome,
    /// Chunks that the answer rests on, best first. Empty unless the question was answered.
    pub citations: Vec<Citation>,
    /// At most three similar questions of the site. Empty unless the outcome is `Suggested`.
    pub suggestions: Vec<String>,
    /// Probability that the best entry answers the question, 0 to 1. It is 1 for small talk.
    pub confidence: f64,
    /// Primary subtag of the language in which HelpBot's own sentences are written.
    pub language: String,
    /// How the answer was made, for `--explain` and for the stored record.
    pub explain: Explanation,
}

/// How an answer was made. It can be serialized for people and logs, and contains no key and no
/// prompt.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// Result of the retrieval. `None` for small talk.
    pub retrieval: Option<Retrieval>,
    /// The decision that was made from the scores. `None` for small talk.
    pub decision: Option<Decision>,
    /// Probability from which the site answers.
    pub threshold: f64,
    /// The component that wrote the text.
    pub composer: Composer,
    /// Reason why a configured model did not write the text.
    pub model_problem: Option<String>,
}

/// The component that wrote an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Composer {
    /// A sentence of HelpBot's own.
    BuiltIn,
    /// Sentences of the site.
    Extractive,
    /// A model, from passages of the site.
    Generative,
}

/// A question that cannot be answered. A failing model is not an error, because the engine falls
/// back to the extractive answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EngineError {
    /// The question is empty.
    #[error("the question is empty")]
    EmptyQuestion,
}

/// Answers questions. Cloning is cheap, and clones share the model and its circuit breaker.
#[derive(Clone)]
pub struct Engine {
    settings: EngineSettings,
    breaker: Arc<Breaker>,
    understanding: Arc<QuestionEmbedder>,
}

impl Engine {
    /// Creates an engine from its parts.
    pub fn new(settings: EngineSettings) -> Self {
        let understanding = Arc::new(QuestionEmbedder::new(settings.embedder.clone()));
        Self { settings, breaker: Arc::default(), understanding }
    }

    /// Whether a model server is configured.
    pub fn has_model(&self) -> bool {
        self.settings.model.is_some()
    }

    /// Returns the embedding model, or `None` when the built-in table is used.
    pub fn embedder(&self) -> Option<&Arc<dyn Embedder>> {
        self.settings.embedder.as_ref()
    }

    /// Answers a question from an index. The sink receives the same text, piece by piece.
    ///
    /// # Errors
    /// Returns [`EngineError::EmptyQuestion`] when the question is empty. Nothing else fails.
    pub async fn answer(&self, index: &Index, ask: &Ask, sink: Option<&dyn AnswerSink>) -> Result<Answer, EngineError> {
        if ask.question.trim().is_empty() {
            return Err(EngineError::EmptyQuestion);
        }
        let small_talk = smalltalk::recognize(&ask.question).filter(|_| !index.has_pin_for(&ask.question));
        if let Some((kind, spoken)) = small_talk {
            return Ok(told(polite(kind, spoken, index, ask), sink));
        }
        let meaning = self.understanding.of(index, ask).await;
        let retrieval = follow_up::retrieve(index, ask, meaning.as_ref());
        let language = answer_language(ask, None, index, Some(&retrieval));
        let decision = decide::decide(&retrieval, &ask.settings);
        let mut problem = None;
        // A model could choose another entry than the owner.
        if let Some(model) = self.model(ask, &decision).filter(|_| !retrieval.is_pinned()) {
            let candidates = &retrieval.candidates;
            let caps = &self.settings.caps;
            match generative::write(&*model, index, ask, candidates, &language, caps, sink).await {
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

/// Chooses the language of HelpBot's own sentences: the requested one, else that of the site, of
/// the question, of an entry that shares words with the question, the detected language of the
/// site, or English.
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

fn polite(kind: SmallTalk, spoken: Option<&str>, index: &Index, ask: &Ask) -> Answer {
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

/// Offers the suggestions of the decision, else the sentence that there is no answer.
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
    let threshold = decide::threshold(&ask.settings);
    Explanation { retrieval, decision, threshold, composer, model_problem: None }
}

/// Sends a finished text to the sink, sentence by sentence.
fn told(answer: Answer, sink: Option<&dyn AnswerSink>) -> Answer {
    if let Some(sink) = sink {
        markdown::steps(&answer.text).into_iter().for_each(|step| sink.delta(step));
    }
    answer
}
