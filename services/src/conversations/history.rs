//! History brought from elsewhere: conversations as another service kept them. Their figures
//! count on the days on which they were asked; they cost no credits, and nobody is told of them.

use std::collections::{BTreeMap, HashSet};

use helpbot_db as db;
use helpbot_db::conversations::OPENING_MESSAGES;
use helpbot_db::stats::Counts;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::{self as rules, Citation, HandoffStatus, Outcome, Vote};
use helpbot_domain::ids::{ChunkId, ConversationId, SiteId, SourceId};
use helpbot_domain::key::Scope;
use helpbot_domain::time::Day;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Conversation, Error, Result, Services, Viewer, boxed};

/// A conversation as another service kept it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastConversation {
    /// Its id there, of any form.
    pub id: String,
    /// The visitor's session.
    pub session_id: Option<String>,
    /// As asked.
    pub question: String,
    /// As answered.
    pub answer: String,
    /// Addresses or names of what the answer rests on.
    pub sources: Vec<String>,
    /// The visitor's vote.
    pub vote: Option<Vote>,
    /// Whether no answer was found.
    pub is_unanswered: bool,
    /// Whether a human was asked for.
    pub is_handed_off: bool,
    /// Where the visitor can be written to.
    pub customer_email: Option<String>,
    /// The language of the answer.
    pub language: Option<String>,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What became of some past conversations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Brought {
    /// Stored now.
    pub new: usize,
    /// Stored before; they were left as they are.
    pub known: usize,
}

/// Stores past conversations in one transaction; those that are there already stay as they are,
/// so that the same ones may be brought again. An id of our own form is kept, any other gives the
/// same new id each time. A handoff comes as resolved: whether somebody has taken care of it is
/// not known, and years of them must not fill an inbox.
///
/// # Errors
/// `Forbidden` without the right to administer the site; `NotFound`.
#[boxed]
pub async fn bring(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    past: Vec<PastConversation>,
) -> Result<Brought> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(named)?;
    let all: Vec<Conversation> = past.into_iter().map(|one| stored(site, one)).collect();
    let brought = services.db.write(move |c| Box::pin(async move { store(c, site, all).await })).await?;
    // No chat waits behind an import as a rule, and no server may be running that would do it. What
    // fails here is stored all the same, and the next server takes it in.
    if let Err(error) = services.index_conversations().await {
        tracing::warn!(%error, "what was brought is not yet in the index of the search");
    }
    Ok(brought)
}

async fn store(c: &mut db::Conn, site: SiteId, all: Vec<Conversation>) -> Result<Brought> {
    db::sites::locked(c, site).await?.ok_or(Error::NotFound("Site"))?;
    let ids: Vec<ConversationId> = all.iter().map(|one| one.id).collect();
    let mut known: HashSet<ConversationId> =
        db::conversations::by_ids(c, site, &ids).await?.iter().map(|one| one.id).collect();
    let mut brought = Brought::default();
    let mut days: BTreeMap<Day, Counts> = BTreeMap::new();
    for one in &all {
        // Also within one page: a service that repeats itself must not fail the rest.
        if !known.insert(one.id) {
            brought.known += 1;
            continue;
        }
        db::conversations::insert(c, one).await?;
        db::conversations::update(c, one).await?;
        add(days.entry(one.created_at.day()).or_default(), one);
        brought.new += 1;
    }
    for (day, counts) in days {
        db::stats::add(c, site, day, counts).await?;
    }
    Ok(brought)
}

fn add(counts: &mut Counts, one: &Conversation) {
    counts.questions += 1;
    counts.unanswered += i64::from(one.outcome.is_unanswered());
    counts.handoffs += i64::from(one.handoff.is_some());
    counts.helpful += i64::from(one.vote == Some(Vote::Yes));
    counts.unhelpful += i64::from(one.vote == Some(Vote::No));
}

fn stored(site: SiteId, past: PastConversation) -> Conversation {
    // PostgreSQL stores no NUL.
    let text = |text: String| text.replace('\0', "\u{fffd}");
    let id = past.id.parse().unwrap_or_else(|_| derived(&past.id, past.created_at));
    let session_id = rules::session_id(past.session_id.as_deref()).unwrap_or_else(|| id.to_string());
    Conversation {
        site_id: site,
        id,
        session_id,
        question: text(past.question),
        answer: text(past.answer),
        citations: past.sources.into_iter().map(|source| citation(text(source))).collect(),
        outcome: if past.is_unanswered { Outcome::Declined } else { Outcome::Answered },
        confidence: 0.0,
        language: past.language.map(text),
        vote: past.vote,
        handoff: past.is_handed_off.then_some(HandoffStatus::Resolved),
        handoff_at: past.is_handed_off.then_some(past.created_at),
        customer_email: past.customer_email.map(text),
        assignee_id: None,
        message_count: OPENING_MESSAGES,
        created_at: past.created_at,
        updated_at: past.updated_at.max(past.created_at),
    }
}

/// The passage behind it is not known; only where it stood.
fn citation(source: String) -> Citation {
    let is_address = source.starts_with("https://") || source.starts_with("http://");
    Citation {
        source_id: SourceId::from_uuid(Uuid::nil()),
        chunk_id: ChunkId::from_uuid(Uuid::nil()),
        url: is_address.then(|| source.clone()),
        source_name: (!is_address).then(|| source.clone()),
        title: source,
        quote: String::new(),
        score: 0.0,
    }
}

/// A version 7 UUID of the conversation's own moment and its foreign id: the same each time.
fn derived(foreign: &str, at: Timestamp) -> ConversationId {
    let ms = u64::try_from(at.as_ms()).unwrap_or(0).to_be_bytes();
    let digest = Sha256::digest(foreign.as_bytes());
    let mut id = [0; 16];
    id[..6].copy_from_slice(&ms[2..]);
    id[6..].copy_from_slice(&digest[..10]);
    id[6] = (id[6] & 0x0f) | 0x70;
    id[8] = (id[8] & 0x3f) | 0x80;
    ConversationId::from_uuid(Uuid::from_bytes(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_ours_is_kept_and_a_foreign_one_gives_the_same_each_time() {
        let at = Timestamp::from_ms(1_772_366_400_000);
        let ours = ConversationId::from_uuid(crate::runtime::randomness::uuid(at));
        let past = |id: &str| PastConversation {
            id: id.to_owned(),
            session_id: Some(String::new()),
            question: "Is it\0 open?".into(),
            answer: "Yes.".into(),
            sources: vec!["https://example.com/".into(), "hours.pdf".into()],
            vote: None,
            is_unanswered: false,
            is_handed_off: true,
            customer_email: None,
            language: None,
            created_at: at,
            updated_at: Timestamp::from_ms(0),
        };
        let site = SiteId::from_uuid(Uuid::nil());
        let of = |id: &str| stored(site, past(id));

        assert_eq!(of(&ours.to_string()).id, ours);
        assert_eq!(of("65f1c0ffee").id, of("65f1c0ffee").id);
        assert_ne!(of("65f1c0ffee").id, of("65f1c0ffef").id);
        let kept = of("65f1c0ffee");
        assert_eq!((kept.question.as_str(), kept.updated_at), ("Is it\u{fffd} open?", at));
        assert_eq!(kept.session_id, kept.id.to_string());
        assert_eq!(crate::conversations::public_sources(&kept.citations), ["https://example.com/", "hours.pdf"]);
    }
}
