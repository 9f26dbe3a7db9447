//! Storing answered questions. [`super::asking`] describes each as a [`StoredQuestion`]; those of a
//! site that wait at the same time are stored together.
//!
//! Both ways take their locks in the same order: sessions, then the rows that every question of the
//! site changes, which are the daily counts, the credits and the event counter. The latter come last,
//! because another node waits for them until the commit.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::future::BoxFuture;
use helpbot_db::events::NewEvent;
use helpbot_db::stats::DailyCounts;
use helpbot_db::usage::Quota;
use helpbot_db::{self as db, BatchEnd};
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Conversation;
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::ids::SiteId;
use helpbot_domain::time::Day;
use uuid::Uuid;

use crate::accounts::credit_caps::CappedQuestion;
use crate::accounts::{access, usage};
use crate::conversations::asking::public_sources;
use crate::conversations::change::event;
use crate::conversations::question_session::SessionClaim;
use crate::webhooks::outbox::{self, Appended};
use crate::{Error, Result};

/// An answered question that is to be stored.
#[derive(Clone)]
pub(super) struct StoredQuestion {
    /// The conversation, whose token is not known yet.
    pub new: Conversation,
    /// How the asker is related to the session.
    pub claim: SessionClaim,
    /// Credit that was held for the answer.
    pub hold: Option<db::usage::Hold>,
    /// What counts against the owner's caps.
    pub capped: CappedQuestion,
    /// Credits per month.
    pub limit: i64,
}

/// Used credits including this one, the events to publish, and the conversation as it was stored.
type Stored = (i64, Appended, Conversation);

impl db::Batched for StoredQuestion {
    type Output = Stored;
    type Error = Error;

    fn run(c: &mut db::Conn, batch: Vec<Self>) -> BoxFuture<'_, db::Result<BatchEnd<Stored, Error>>> {
        Box::pin(async move {
            match <[Self; 1]>::try_from(batch) {
                Ok([only]) => Ok(BatchEnd::Done(vec![alone(c, only).await])),
                Err(batch) => together(c, batch).await,
            }
        })
    }
}

async fn alone(c: &mut db::Conn, question: StoredQuestion) -> Result<Stored> {
    let StoredQuestion { mut new, claim, hold, capped, limit } = question;
    let now = new.created_at;
    if let Some(hold) = &hold {
        db::usage::release(c, hold).await?;
    }
    new.token_id = claim.token(c, &new).await?;
    db::conversations::insert(c, &new).await?;
    db::stats::add(c, new.site_id, now.day(), counts(&new)).await?;
    let taken = db::usage::take(c, new.site_id, now.month(), limit, now).await?;
    let used = taken.ok_or_else(|| usage::exhausted(now))?;
    capped.count(c, now).await?;
    let appended = outbox::append(c, new.site_id, now, asked_events(&new)).await?;
    Ok((used, appended, new))
}

/// Stores questions of one site with as many statements as one question needs.
async fn together(c: &mut db::Conn, batch: Vec<StoredQuestion>) -> db::Result<BatchEnd<Stored, Error>> {
    let (site, now, limit) = (batch[0].new.site_id, batch[0].new.created_at, batch[0].limit);
    let is_alike =
        |it: &StoredQuestion| it.limit == limit && it.new.created_at.month() == now.month() && !it.capped.has_caps();
    // The month or the limit changes just now, or the owner set caps, which are checked one by one.
    if !batch.iter().all(is_alike) {
        return Ok(BatchEnd::Alone);
    }
    for hold in batch.iter().filter_map(|it| it.hold.as_ref()) {
        db::usage::release(c, hold).await?;
    }
    // Without a lock, so that a site without credits costs little. The locked count below decides.
    let left = db::usage::left(c, site, now.month(), limit, now).await?;
    let room = usize::try_from(left).unwrap_or(usize::MAX).min(batch.len());
    let mut tokens = tokens(c, site, &batch[..room]).await?.into_iter();
    let mut stored = Vec::with_capacity(room);
    let mut results = Vec::with_capacity(batch.len());
    for question in batch {
        results.push(match tokens.next() {
            None => Some(usage::exhausted(question.new.created_at)),
            Some(None) => Some(access::INVALID_TOKEN),
            Some(Some(token_id)) => {
                stored.push(Conversation { token_id, ..question.new });
                None
            }
        });
    }
    let Some(stored) = store_all(c, site, Quota { count: as_count(stored.len()), limit }, stored).await? else {
        return Ok(BatchEnd::Alone);
    };
    let mut stored = stored.into_iter();
    let result = |refused: Option<Error>| match refused {
        Some(error) => Err(error),
        None => stored.next().ok_or_else(|| Error::internal("a stored question has no result")),
    };
    Ok(BatchEnd::Done(results.into_iter().map(result).collect()))
}

/// Stores the conversations with their credits and events. `None` when another node took the last
/// credits.
async fn store_all(
    c: &mut db::Conn,
    site: SiteId,
    quota: Quota,
    stored: Vec<Conversation>,
) -> db::Result<Option<Vec<Stored>>> {
    let Some(now) = stored.first().map(|first| first.created_at) else { return Ok(Some(Vec::new())) };
    db::conversations::insert_all(c, &stored).await?;
    let mut days: BTreeMap<i32, DailyCounts> = BTreeMap::new();
    for new in &stored {
        let of_day = days.entry(new.created_at.day().number()).or_default();
        of_day.questions += 1;
        of_day.unanswered += i64::from(new.outcome.is_unanswered());
    }
    for (day, counts) in days {
        db::stats::add(c, site, Day::from_number(day), counts).await?;
    }
    let Some(last) = db::usage::take_all(c, site, now.month(), quota, now).await? else { return Ok(None) };
    let of_each: Vec<Vec<NewEvent>> = stored.iter().map(asked_events).collect();
    let event_counts: Vec<usize> = of_each.iter().map(Vec::len).collect();
    let times = stored.iter().map(|new| new.created_at);
    let events: Vec<(Timestamp, NewEvent)> =
        times.zip(of_each).flat_map(|(at, events)| events.into_iter().map(move |event| (at, event))).collect();
    let mut appended = outbox::append_all(c, site, events).await?;
    let numbered = (last - quota.count + 1..).zip(event_counts).zip(stored);
    let stored = numbered.map(|((used, count), new)| (used, appended.split_first(count), new)).collect();
    Ok(Some(stored))
}

fn as_count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn counts(new: &Conversation) -> DailyCounts {
    DailyCounts { questions: 1, unanswered: i64::from(new.outcome.is_unanswered()), ..DailyCounts::default() }
}

/// Same as [`SessionClaim::token`] for several questions, in their order. `None` stands for a token that
/// is no longer valid.
async fn tokens(c: &mut db::Conn, site: SiteId, batch: &[StoredQuestion]) -> db::Result<Vec<Option<Option<Uuid>>>> {
    let mut proved: Vec<&str> = Vec::new();
    // The first question of a session in the batch begins it.
    let mut new: BTreeMap<&str, (Uuid, Timestamp)> = BTreeMap::new();
    for question in batch {
        let session = question.new.session_id.as_str();
        match question.claim {
            SessionClaim::Proved(_) => proved.push(session),
            SessionClaim::New(token) | SessionClaim::Named(token) => {
                new.entry(session).or_insert((token, question.new.created_at));
            }
        }
    }
    let valid: HashMap<String, Uuid> = match proved.is_empty() {
        true => HashMap::new(),
        false => db::sessions::tokens_locked(c, site, &proved).await?.into_iter().collect(),
    };
    let is_proved = |it: &&StoredQuestion| match it.claim {
        SessionClaim::Proved(token) => valid.get(it.new.session_id.as_str()) == Some(&token),
        SessionClaim::New(_) | SessionClaim::Named(_) => false,
    };
    let seen: Vec<&str> = batch.iter().filter(is_proved).map(|it| it.new.session_id.as_str()).collect();
    if let Some(first) = batch.first().filter(|_| !seen.is_empty()) {
        db::sessions::seen_all(c, site, &seen, first.new.created_at).await?;
    }
    let rows: Vec<(&str, Uuid, Timestamp)> = new.iter().map(|(name, (token, at))| (*name, *token, *at)).collect();
    let begun: HashSet<String> = match rows.is_empty() {
        true => HashSet::new(),
        false => db::sessions::begin_all(c, site, &rows).await?.into_iter().collect(),
    };
    let is_named = |it: &&StoredQuestion| matches!(it.claim, SessionClaim::Named(_));
    let named: Vec<&str> = batch.iter().filter(is_named).map(|it| it.new.session_id.as_str()).collect();
    let used: HashSet<String> = match named.is_empty() {
        true => HashSet::new(),
        // Imported conversations and those of earlier versions have no row in the table of sessions.
        false => db::conversations::sessions_in_use(c, site, &named).await?.into_iter().collect(),
    };
    let token = |question: &StoredQuestion| {
        let session = question.new.session_id.as_str();
        match question.claim {
            SessionClaim::Proved(token) => (valid.get(session) == Some(&token)).then_some(Some(token)),
            SessionClaim::New(token) | SessionClaim::Named(token) => {
                let is_first = new.get(session).is_some_and(|(first, _)| *first == token);
                Some((is_first && begun.contains(session) && !used.contains(session)).then_some(token))
            }
        }
    };
    Ok(batch.iter().map(token).collect())
}

/// Returns the events of a new conversation.
pub(super) fn asked_events(new: &Conversation) -> Vec<NewEvent> {
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
