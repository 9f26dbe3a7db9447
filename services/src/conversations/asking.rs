//! Conversations: asked, voted on, handed to a human, read.

use helpbot_db as db;
use helpbot_db::conversations::OPENING_MESSAGES;
use helpbot_db::events::NewEvent;
use helpbot_db::stats::Counts;
use helpbot_domain::conversation::{self as rules, Citation, HandoffMove, HandoffStatus, Vote};
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::ids::{ConversationId, EventId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::{Timestamp, text};
use helpbot_engine::engine::Explanation;
use helpbot_engine::{Answer, AnswerSink, Ask, Exchange};

use crate::accounts::{session_token, sites, usage};
use crate::runtime::jobs::NewJob;
use crate::runtime::randomness;
use crate::webhooks::outbox::{self, Appended};
use crate::{Conversation, Error, Result, Services, Site, Viewer, boxed, sources};

use crate::accounts::usage::Credits;

/// Earlier exchanges of a session that an answer may build on.
const HISTORY: i64 = 3;
/// The kind of the job that tells a site's owner about a handoff.
pub const HANDOFF_MAIL: &str = "handoff_mail";

/// A visitor's question.
#[derive(Debug, Clone, Default)]
pub struct NewQuestion {
    /// The site; the key's own when none.
    pub site: Option<SiteId>,
    /// As typed.
    pub question: String,
    /// The session that the caller keeps; a new one when it has none.
    pub session_id: Option<String>,
    /// The language in which to answer.
    pub language: Option<String>,
}

/// An answered question.
#[derive(Debug)]
pub struct Asked {
    /// Question and answer, stored.
    pub conversation: Conversation,
    /// Near questions, when they were offered instead of an answer.
    pub suggestions: Vec<String>,
    /// Proves the session to be the visitor's own. Given when the session begins with this
    /// question or was proved before: whoever merely guesses a session's id gets none.
    pub session_token: Option<String>,
    /// The month's credits, that of this question among those used.
    pub credits: Credits,
    /// How the answer came about.
    pub explain: Explanation,
}

/// Asks a question: one credit, one stored conversation, one or two events, in one transaction.
///
/// # Errors
/// `Forbidden`; `Invalid` for an empty or too long question; `CreditsExhausted`; `Conflict` for a
/// visitor (proved by the session token) while a member is in a conversation with it: the bot keeps
/// silent then. A question that fails costs nothing and leaves nothing.
#[boxed]
pub async fn ask(
    services: &Services,
    viewer: &Viewer,
    new: NewQuestion,
    sink: Option<&dyn AnswerSink>,
) -> Result<Asked> {
    viewer.require(Scope::Chat)?;
    let site = sites::get(services, viewer, new.site).await?;
    let question = rules::question(&new.question)?;
    let now = services.now();
    if sink.is_some() || services.engine.has_model() {
        // Storing refuses what goes past the limit. By then a model server would have worked for
        // nothing, and a visitor have read half an answer.
        usage::require_one(services, &site).await?;
    }
    let session = Session::of(services, viewer, &site, new.session_id.as_deref()).await?;
    if viewer.session.is_some() && session.is_with_agent {
        let message = "A member of the team is in this conversation: write there, with sendMessage";
        return Err(Error::Conflict(message.into()));
    }
    let ask = Ask {
        question: question.clone(),
        language: new.language,
        site_language: site.widget.ai_language.clone(),
        history: session.history.clone(),
        settings: sites::parsed_settings(&site),
    };
    let index = services.index(&site).await?;
    let (mut answer, hold) = answered(services, &site, &index, &ask, sink).await?;
    sources::name(services, site.id, &mut answer.citations).await?;
    let conversation = Conversation {
        site_id: site.id,
        id: ConversationId::from_uuid(randomness::uuid(now)),
        session_id: session.id.clone(),
        question,
        answer: answer.text,
        citations: answer.citations,
        outcome: answer.outcome,
        confidence: answer.confidence,
        language: Some(answer.language),
        vote: None,
        handoff: None,
        handoff_at: None,
        customer_email: None,
        assignee_id: None,
        message_count: OPENING_MESSAGES,
        created_at: now,
        updated_at: now,
    };
    let used = store(services, &site, conversation.clone(), hold).await?;
    Ok(Asked {
        credits: Credits { used, limit: site.credit_limit, reset_at: now.month().end() },
        session_token: session.token(services, site.id, now),
        conversation,
        suggestions: answer.suggestions,
        explain: answer.explain,
    })
}

/// The answer; where a model server may write it, with the credit set aside meanwhile.
async fn answered(
    services: &Services,
    site: &Site,
    index: &helpbot_engine::Index,
    ask: &Ask,
    sink: Option<&dyn AnswerSink>,
) -> Result<(Answer, Option<db::usage::Hold>)> {
    let hold = match services.engine.has_model() && ask.settings.uses_model {
        true => Some(usage::hold(services, site.id, site.credit_limit).await?),
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

async fn store(services: &Services, site: &Site, new: Conversation, hold: Option<db::usage::Hold>) -> Result<i64> {
    let (now, limit, outcome) = (new.created_at, site.credit_limit, new.outcome);
    let counts = Counts { questions: 1, unanswered: i64::from(new.outcome.is_unanswered()), ..Counts::default() };
    let (used, appended) = services
        .db
        .write(move |c| {
            Box::pin(async move {
                if let Some(hold) = &hold {
                    db::usage::release(c, hold).await?;
                }
                let taken = db::usage::take(c, new.site_id, now.month(), limit, now).await?;
                let used = taken.ok_or_else(|| usage::exhausted(now))?;
                db::conversations::insert(c, &new).await?;
                db::stats::add(c, new.site_id, now.day(), counts).await?;
                Ok::<_, Error>((used, outbox::append(c, new.site_id, now, asked_events(&new)).await?))
            })
        })
        .await?;
    services.figures.asked(outcome);
    appended.tell(services);
    Ok(used)
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

/// Addresses of the pages that an answer rests on, best first, no repeats; where there is none,
/// the name under which its source is stored.
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

pub(crate) fn event(of: &Conversation, event_type: EventType, data: &EventData, now: Timestamp) -> NewEvent {
    NewEvent {
        id: EventId::from_uuid(randomness::uuid(now)),
        event_type,
        conversation_id: of.id,
        session_id: of.session_id.clone(),
        data: db::columns::to_json(data),
    }
}

/// The session that a question belongs to.
struct Session {
    id: String,
    history: Vec<Exchange>,
    is_own: bool,
    // A member has taken one of its last conversations and not closed it.
    is_with_agent: bool,
}

impl Session {
    async fn of(services: &Services, viewer: &Viewer, site: &Site, named: Option<&str>) -> Result<Self> {
        let proved = viewer.session.clone();
        let is_proved = proved.is_some();
        let Some(id) = proved.or_else(|| rules::session_id(named)) else {
            return Ok(Self {
                id: randomness::uuid(services.now()).to_string(),
                history: Vec::new(),
                is_own: true,
                is_with_agent: false,
            });
        };
        let mut c = services.db.reader().await?;
        let last = db::conversations::last_of_session(&mut c, site.id, &id, HISTORY).await?;
        let is_own = is_proved || last.is_empty();
        let is_with_agent = last.iter().any(|found| found.handoff == Some(HandoffStatus::Assigned));
        let history = last.into_iter().map(|c| Exchange { question: c.question, answer: c.answer }).collect();
        Ok(Self { id, history, is_own, is_with_agent })
    }

    fn token(&self, services: &Services, site: SiteId, now: Timestamp) -> Option<String> {
        self.is_own.then(|| session_token::issue(&services.settings.secret_key, site, &self.id, now))
    }
}

/// Records a visitor's vote. The last one counts; the same again changes nothing.
///
/// # Errors
/// `Forbidden`; `NotFound` for a conversation that the site does not have.
#[boxed]
pub async fn vote(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    vote: Vote,
) -> Result<Conversation> {
    viewer.require(Scope::Chat)?;
    change(services, viewer.site(named)?, id, move |conversation, _| {
        if conversation.vote == Some(vote) {
            return Ok(Change::default());
        }
        let counts = Counts {
            helpful: count(vote == Vote::Yes) - count(conversation.vote == Some(Vote::Yes)),
            unhelpful: count(vote == Vote::No) - count(conversation.vote == Some(Vote::No)),
            ..Counts::default()
        };
        conversation.vote = Some(vote);
        let data = EventData::Feedback { conversation_id: id, helpful: vote };
        Ok(Change { event: Some((EventType::ConversationFeedback, data)), counts, ..Change::default() })
    })
    .await
}

/// Asks for a human. Again, it fills in a missing address and changes nothing else; the owner
/// is written to once.
///
/// # Errors
/// `Forbidden`; `Invalid` for a malformed address; `NotFound`.
#[boxed]
pub async fn request_handoff(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    customer_email: Option<&str>,
) -> Result<Conversation> {
    viewer.require(Scope::Chat)?;
    let site = viewer.site(named)?;
    let given = customer_email.map(str::trim).filter(|email| !email.is_empty());
    let email = given.map(|email| text::email("customerEmail", email)).transpose()?;
    let conversation = change(services, site, id, move |conversation, now| {
        let is_first = conversation.handoff.is_none();
        if conversation.customer_email.is_none() {
            conversation.customer_email = email;
        }
        conversation.handoff = HandoffStatus::after(conversation.handoff, HandoffMove::Request);
        if !is_first {
            return Ok(Change { is_write: true, ..Change::default() });
        }
        conversation.handoff_at = Some(now);
        let data = EventData::Handoff {
            conversation_id: id,
            question: conversation.question.clone(),
            answer: conversation.answer.clone(),
            customer_email: conversation.customer_email.clone(),
        };
        let payload = serde_json::json!({ "conversationId": id });
        Ok(Change {
            event: Some((EventType::ConversationHandoff, data)),
            counts: Counts { handoffs: 1, ..Counts::default() },
            job: Some(NewJob::new(site, HANDOFF_MAIL, Some(id.to_string()), &payload)),
            is_write: true,
            ..Change::default()
        })
    })
    .await?;
    services.wake_deliveries();
    Ok(conversation)
}

/// What a change of a conversation brings with it, in its transaction.
#[derive(Default)]
pub(crate) struct Change {
    pub event: Option<(EventType, EventData)>,
    pub counts: Counts,
    pub job: Option<NewJob>,
    pub message: Option<crate::Message>,
    pub is_write: bool,
}

/// Loads a conversation for writing, lets `apply` change it, and stores it with what that
/// brings; then tells the bus.
pub(crate) async fn change(
    services: &Services,
    site: SiteId,
    id: ConversationId,
    apply: impl FnOnce(&mut Conversation, Timestamp) -> Result<Change> + Send + 'static,
) -> Result<Conversation> {
    let now = services.now();
    let (conversation, appended) = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let found = db::conversations::locked(c, site, id).await?;
                let mut conversation = found.ok_or(Error::NotFound("Conversation"))?;
                let change = apply(&mut conversation, now)?;
                let appended = keep(c, &mut conversation, change, now).await?;
                Ok::<_, Error>((conversation, appended))
            })
        })
        .await?;
    appended.tell(services);
    Ok(conversation)
}

async fn keep(c: &mut db::Conn, changed: &mut Conversation, change: Change, now: Timestamp) -> Result<Appended> {
    if !change.is_write && change.event.is_none() {
        return Ok(Appended::default());
    }
    changed.updated_at = now;
    db::conversations::update(c, changed).await?;
    if change.counts != Counts::default() {
        db::stats::add(c, changed.site_id, changed.created_at.day(), change.counts).await?;
    }
    if let Some(message) = &change.message {
        db::messages::insert(c, message).await?;
        // Who writes has read what came before.
        db::read_marks::mark(c, changed.site_id, changed.id, message.author, message.seq).await?;
    }
    if let Some(job) = change.job {
        job.enqueue(c, now).await?;
    }
    let Some((event_type, data)) = change.event else { return Ok(Appended::default()) };
    let new = vec![event(changed, event_type, &data, now)];
    Ok(outbox::append(c, changed.site_id, now, new).await?)
}

fn count(is_so: bool) -> i64 {
    i64::from(is_so)
}

/// Conversations of the viewer's site by id; those that the viewer may not see are left out.
///
/// # Errors
/// `Forbidden` for who may see none at all.
#[boxed]
pub async fn by_ids(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[ConversationId],
) -> Result<Vec<Conversation>> {
    viewer.require(Scope::Chat).or_else(|_| viewer.require(Scope::ReadConversations))?;
    let found = db::conversations::by_ids(&mut services.db.reader().await?, viewer.site(named)?, ids).await?;
    Ok(found.into_iter().filter(|found| viewer.may_see_session(&found.session_id)).collect())
}
