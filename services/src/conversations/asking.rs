//! Asking a question: answering it, and storing question and answer as a conversation.

use helpbot_db as db;
use helpbot_db::events::NewEvent;
use helpbot_db::stats::DailyCounts;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::{self as rules, Citation, Conversation, HandoffStatus};
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_engine::engine::Explanation;
use helpbot_engine::{Answer, AnswerSink, Ask, Exchange};
use uuid::Uuid;

use crate::accounts::credit_caps::{self, CappedQuestion};
use crate::accounts::viewer::ProvedSession;
use crate::accounts::{access, blocked_visitors, session_token, sites, usage};
use crate::conversations::change::event;
use crate::knowledge::{indexes, promises};
use crate::runtime::randomness;
use crate::sources::names;
use crate::webhooks::outbox;
use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::site::Site;

use crate::accounts::usage::MonthlyCredits;

/// Number of earlier exchanges of the session that an answer may refer to.
const HISTORY: i64 = 3;

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
/// two events.
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
    let address_key = viewer.visitor_address_key(&services.settings.secret_key, site.id);
    let capped = CappedQuestion::of(&site, address_key.clone());
    if sink.is_some() || services.engine.has_model() {
        // The transaction refuses a question that exceeds the limit. Checking here as well avoids
        // paying a model server for it and showing the visitor half an answer.
        require_credit(services, &site, &capped).await?;
    }
    let session = QuestionSession::of(services, viewer, &site, new.session_id.as_deref()).await?;
    blocked_visitors::require_open(services, viewer, site.id, Some(&session.id)).await?;
    if session.is_with_agent {
        let message = "A member of the team is in this conversation. Send a message with sendMessage instead.";
        return Err(Error::Conflict(message.into()));
    }
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
    mut new: Conversation,
    claim: SessionClaim,
    hold: Option<db::usage::Hold>,
    capped: CappedQuestion,
) -> Result<(i64, Conversation)> {
    let (now, limit, outcome) = (new.created_at, site.credit_limit, new.outcome);
    let counts =
        DailyCounts { questions: 1, unanswered: i64::from(new.outcome.is_unanswered()), ..DailyCounts::default() };
    let stored = services
        .db
        .write(move |c| {
            Box::pin(async move {
                if let Some(hold) = &hold {
                    db::usage::release(c, hold).await?;
                }
                let taken = db::usage::take(c, new.site_id, now.month(), limit, now).await?;
                let used = taken.ok_or_else(|| usage::exhausted(now))?;
                capped.count(c, now).await?;
                new.token_id = claim.token(c, &new).await?;
                db::conversations::insert(c, &new).await?;
                db::stats::add(c, new.site_id, now.day(), counts).await?;
                let appended = outbox::append(c, new.site_id, now, asked_events(&new)).await?;
                Ok::<_, Error>((used, appended, new))
            })
        })
        .await;
    let (used, appended, stored) = credit_caps::notifying_owner(services, site.id, stored).await?;
    services.metrics.asked(outcome);
    appended.publish(services);
    Ok((used, stored))
}

/// Returns a token for the session of a question that was asked with proof or began the session.
fn token(services: &Services, conversation: &Conversation) -> Option<String> {
    let session = ProvedSession { id: conversation.session_id.clone(), token_id: conversation.token_id? };
    let (key, now) = (&services.settings.secret_key, conversation.created_at);
    Some(session_token::issue(key, conversation.site_id, &session, now))
}

fn asked_events(new: &Conversation) -> Vec<NewEvent> {
    let data = EventData::Asked {
        conversation_id: new.id,
        session_id: new.session_id.clone(),
        question: new.question.clone(),
        answer: new.answer.clone(),
        sources: public_sources(&new.citations),
    };
    let mut events = vec![event(new, EventType::ConversationCreated, &data, new.created_at)];
    if new.outcome.is_unanswered() {
        events.push(event(new, EventType::ConversationUnanswered, &data, new.created_at));
    }
    events
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

/// The session that a question belongs to.
struct QuestionSession {
    id: String,
    claim: SessionClaim,
    history: Vec<Exchange>,
    // Whether a member has taken one of the visitor's last conversations and not closed it.
    is_with_agent: bool,
}

/// How the asker is related to the session.
enum SessionClaim {
    /// The server chose the ID, so that nobody else knows it. The value is the ID of its token.
    New(Uuid),
    /// The asker named the ID without proof. The value is the ID of its token if the ID is unused.
    Named(Uuid),
    /// The token with this ID proves that the session is the asker's.
    Proved(Uuid),
}

impl QuestionSession {
    async fn of(services: &Services, viewer: &Viewer, site: &Site, named: Option<&str>) -> Result<Self> {
        let now = services.now();
        let mut c = services.db.reader().await?;
        let (id, claim, last) = match (&viewer.session, rules::session_id(named)) {
            (Some(ProvedSession { id, token_id }), _) => {
                let last = db::conversations::last_proved(&mut c, site.id, id, *token_id, HISTORY).await?;
                (id.clone(), SessionClaim::Proved(*token_id), last)
            }
            // Without proof, the ID itself must be a secret. Otherwise the answer to a follow-up question
            // would reveal what somebody else asked. The operator, who tries questions on the command
            // line, can read all conversations anyway.
            (None, Some(id)) if viewer.is_operator() || rules::is_unguessable(&id) => {
                let last = db::conversations::last_of_session(&mut c, site.id, &id, HISTORY).await?;
                (id, SessionClaim::Named(randomness::uuid(now)), last)
            }
            (None, Some(id)) => (id, SessionClaim::Named(randomness::uuid(now)), Vec::new()),
            (None, None) => (randomness::uuid(now).to_string(), SessionClaim::New(randomness::uuid(now)), Vec::new()),
        };
        let is_with_agent = matches!(claim, SessionClaim::Proved(_))
            && last.iter().any(|found| found.handoff == Some(HandoffStatus::Assigned));
        let history = last.into_iter().map(|c| Exchange { question: c.question, answer: c.answer }).collect();
        Ok(Self { id, claim, history, is_with_agent })
    }
}

impl SessionClaim {
    /// Returns the ID of the token that proves the question, inside the transaction that stores it.
    /// Only one of several concurrent first questions of a session gets one.
    ///
    /// # Errors
    /// `Unauthenticated` when the session was erased after the request was authenticated.
    async fn token(self, c: &mut db::Conn, new: &Conversation) -> Result<Option<Uuid>> {
        let (site, session) = (new.site_id, &new.session_id);
        match self {
            Self::Proved(token) => match db::sessions::is_proved_by_locked(c, site, session, token).await? {
                true => Ok(Some(token)),
                false => Err(access::INVALID_TOKEN),
            },
            Self::New(token) => {
                Ok(db::sessions::begin(c, site, session, token, new.created_at).await?.then_some(token))
            }
            Self::Named(token) => {
                let is_begun = db::sessions::begin(c, site, session, token, new.created_at).await?;
                // Imported conversations and those of earlier versions have no row in the table of sessions.
                let is_fresh = is_begun && !db::conversations::has_session(c, site, session).await?;
                Ok(is_fresh.then_some(token))
            }
        }
    }
}
