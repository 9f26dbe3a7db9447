//! Asking a question: answering it, and storing question and answer as a conversation.

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::{self as rules, Citation, Conversation};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
pub use helpbot_engine::engine::Explanation;
use helpbot_engine::{Answer, AnswerSink, Ask, human_request};

use crate::accounts::credit_caps::{self, CappedQuestion};
use crate::accounts::{blocked_visitors, sites, usage};
use crate::conversations::human_requests;
use crate::conversations::question_session::{QuestionSession, SessionClaim, token};
use crate::conversations::storing::StoredQuestion;
use crate::knowledge::{indexes, promises};
use crate::runtime::randomness;
use crate::sources::names;
use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::site::Site;

use crate::accounts::usage::MonthlyCredits;

/// A visitor's question.
#[derive(Debug, Clone, Default)]
pub struct NewQuestion {
    /// The site. `None` means the site of the key.
    pub site: Option<SiteId>,
    /// The question as typed.
    pub question: String,
    /// Session that the caller has stored. `None` starts a new session.
    pub session_id: Option<String>,
    /// Language of HelpBot's own sentences. `None` means the language of the site, or else of the question.
    pub language: Option<String>,
}

/// An answered question.
#[derive(Debug)]
pub struct AskResult {
    /// The stored conversation.
    pub conversation: Conversation,
    /// Similar questions, when they are offered instead of an answer.
    pub suggestions: Vec<String>,
    /// Token that proves the session to be the visitor's. Returned when the session begins with
    /// this question or was already proved, so that guessing a session ID does not give a token.
    pub session_token: Option<String>,
    /// Credits of the month, including the one for this question.
    pub credits: MonthlyCredits,
    /// How the answer was found.
    pub explain: Explanation,
}

/// Answers a question. One transaction takes one credit, stores the conversation and appends one or
/// two events. A question that asks for a human and nothing else requests one, and takes no credit.
///
/// # Errors
/// `Forbidden`; `Invalid` for an empty or too long question; `CreditsExhausted`; `CapReached`;
/// `VisitorBlocked`; `Conflict` for a
/// visitor (proved by the session token) while a member is in a conversation with them, because the
/// bot is silent then. A question that fails costs nothing and stores nothing.
#[boxed]
pub async fn ask(
    services: &Services,
    viewer: &Viewer,
    new: NewQuestion,
    sink: Option<&dyn AnswerSink>,
) -> Result<AskResult> {
    viewer.require(Scope::Chat)?;
    let site = sites::get(services, viewer, new.site).await?;
    let question = rules::question(&new.question)?;
    let now = services.now();
    let address_key = viewer.visitor_address_key(&services.settings.hash_key, site.id);
    if let Some(language) = human_request(&question) {
        let asked = human_requests::in_words(services, viewer, &site, new, language).await?;
        sink.into_iter().for_each(|sink| sink.delta(&asked.conversation.answer));
        return Ok(asked);
    }
    let capped = CappedQuestion::of(&site, address_key.clone());
    if sink.is_some() || services.engine.has_model() {
        // The transaction refuses a question that exceeds the limit. Checking here as well avoids
        // paying a model server for it and showing the visitor half an answer.
        require_credit(services, &site, &capped).await?;
    }
    let session = QuestionSession::of(services, viewer, &site, new.session_id.as_deref()).await?;
    blocked_visitors::require_open(services, viewer, site.id, Some(&session.id)).await?;
    session.require_bot()?;
    let ask = Ask {
        question: question.clone(),
        language: new.language,
        site_language: site.widget.ai_language.clone(),
        history: session.history.clone(),
        settings: promises::policy(services, &site).await?,
    };
    let index = indexes::current_or_previous(services, &site).await?;
    let (mut answer, hold) = answered(services, &site, &index, &ask, sink).await?;
    names::add_to(services, site.id, &mut answer.citations).await?;
    let conversation = new_conversation(&site, &session, question, &mut answer, now);
    let conversation = Conversation { address_key, ..conversation };
    let (used, conversation) = store(services, &site, conversation, session.claim, hold, capped).await?;
    Ok(AskResult {
        credits: MonthlyCredits { used, limit: site.credit_limit, reset_at: now.month().end() },
        session_token: token(services, &conversation),
        conversation,
        suggestions: answer.suggestions,
        explain: answer.explain,
    })
}

/// Checks that a credit is left and that the owner's caps are not reached.
async fn require_credit(services: &Services, site: &Site, capped: &CappedQuestion) -> Result<()> {
    credit_caps::notifying_owner(services, site.id, usage::require_one(services, site).await).await?;
    credit_caps::notifying_owner(services, site.id, capped.require_room(services).await).await
}

/// Returns the conversation to store. It takes the text, the citations and the language of the answer.
fn new_conversation(
    site: &Site,
    session: &QuestionSession,
    question: String,
    answer: &mut Answer,
    now: Timestamp,
) -> Conversation {
    let id = ConversationId::from_uuid(randomness::uuid(now));
    Conversation {
        question,
        answer: std::mem::take(&mut answer.text),
        citations: std::mem::take(&mut answer.citations),
        outcome: answer.outcome,
        confidence: answer.confidence,
        language: Some(std::mem::take(&mut answer.language)),
        ..Conversation::beginning(site.id, id, session.id.clone(), now)
    }
}

/// Returns the answer. When a model server may write it, a credit is held in the meantime.
async fn answered(
    services: &Services,
    site: &Site,
    index: &helpbot_engine::Index,
    ask: &Ask,
    sink: Option<&dyn AnswerSink>,
) -> Result<(Answer, Option<db::usage::Hold>)> {
    let hold = match services.engine.has_model() && ask.settings.uses_model {
        true => {
            let held = usage::hold(services, site.id, site.credit_limit).await;
            Some(credit_caps::notifying_owner(services, site.id, held).await?)
        }
        false => None,
    };
    match services.engine.answer(index, ask, sink).await {
        Ok(answer) => Ok((answer, hold)),
        Err(error) => {
            if let Some(hold) = hold {
                usage::release(services, hold).await?;
            }
            Err(Error::internal(error))
        }
    }
}

async fn store(
    services: &Services,
    site: &Site,
    new: Conversation,
    claim: SessionClaim,
    hold: Option<db::usage::Hold>,
    capped: CappedQuestion,
) -> Result<(i64, Conversation)> {
    let (site_id, outcome) = (site.id, new.outcome);
    let question = StoredQuestion { new, claim, hold, capped, limit: site.credit_limit };
    let stored = services.db.write_batched(site_id, question).await;
    let (used, appended, stored) = credit_caps::notifying_owner(services, site_id, stored).await?;
    services.metrics.asked(outcome);
    appended.publish(services);
    Ok((used, stored))
}

/// Returns the addresses of the pages that an answer is based on, best first and without
/// duplicates. A source without an address is represented by its name.
pub fn public_sources(citations: &[Citation]) -> Vec<String> {
    let mut sources: Vec<String> = Vec::new();
    for citation in citations {
        let address = citation.url.as_deref().map(|url| url.split('#').next().unwrap_or(url));
        let name = address.or(citation.source_name.as_deref()).unwrap_or(&citation.title);
        if !sources.iter().any(|known| known == name) {
            sources.push(name.to_owned());
        }
    }
    sources
}
