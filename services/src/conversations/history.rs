//! Importing conversations from another service. They count in the statistics of the days on which
//! they were asked, cost no credits, and cause no notifications.

use std::collections::{BTreeMap, HashSet};

use helpbot_db as db;
use helpbot_db::stats::DailyCounts;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::{self as rules, Citation, Conversation, HandoffStatus, Outcome, Vote};
use helpbot_domain::ids::{ChunkId, ConversationId, SiteId, SourceId};
use helpbot_domain::key::Scope;
use helpbot_domain::text;
use helpbot_domain::time::Day;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::conversations::search;
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, boxed};

/// A conversation from another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastConversation {
    /// ID in the other service, in any format.
    pub id: String,
    /// Session of the visitor.
    pub session_id: Option<String>,
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// Addresses or names of the sources of the answer.
    pub sources: Vec<String>,
    /// Vote of the visitor.
    pub vote: Option<Vote>,
    /// Whether no answer was found.
    pub is_unanswered: bool,
    /// Whether a human was requested.
    pub is_handed_off: bool,
    /// E-mail address of the visitor.
    pub customer_email: Option<String>,
    /// Language of the answer.
    pub language: Option<String>,
    /// Time of the question.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// Result of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportResult {
    /// Number of conversations that were stored.
    pub new: usize,
    /// Number of conversations that existed and were left unchanged.
    pub known: usize,
}

/// Number of sessions that one statement begins.
const SESSIONS: usize = 500;

/// Stores conversations in one transaction. Existing ones stay unchanged, so an import can be
/// repeated. An ID in HelpBot's format is kept; any other ID is always mapped to the same new ID.
/// Handoffs are imported as resolved: it is unknown whether they were handled, and years of them
/// must not fill an inbox.
///
/// # Errors
/// `Forbidden` without the scope to administer the site; `NotFound`.
#[boxed]
pub async fn import(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    past: Vec<PastConversation>,
) -> Result<ImportResult> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(named)?;
    let all: Vec<Conversation> = past.into_iter().map(|one| stored(site, one)).collect();
    let brought = services.db.write(move |c| Box::pin(async move { store(c, site, all).await })).await?;
    // Index the conversations now, because no server may be running that would do it later. A
    // failure is only logged: the next server indexes them.
    if let Err(error) = search::index_all(services).await {
        tracing::warn!(error = error.detail(), "imported conversations are not in the search index yet");
    }
    Ok(brought)
}

async fn store(c: &mut db::Conn, site: SiteId, all: Vec<Conversation>) -> Result<ImportResult> {
    db::sites::by_id_locked(c, site).await?.ok_or(Error::NotFound("Site"))?;
    let ids: Vec<ConversationId> = all.iter().map(|one| one.id).collect();
    let mut known: HashSet<ConversationId> =
        db::conversations::by_ids(c, site, &ids).await?.iter().map(|one| one.id).collect();
    let mut brought = ImportResult::default();
    let mut days: BTreeMap<Day, DailyCounts> = BTreeMap::new();
    for one in &all {
        // Duplicates within the input are skipped too, so that they do not fail the import.
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
    let mut first: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for one in &all {
        let at = first.entry(&one.session_id).or_insert(one.created_at);
        *at = one.created_at.min(*at);
    }
    let sessions: Vec<_> = first.into_iter().map(|(session, at)| (session, randomness::uuid(at), at)).collect();
    for some in sessions.chunks(SESSIONS) {
        db::sessions::begin_all(c, site, some).await?;
    }
    Ok(brought)
}

fn add(counts: &mut DailyCounts, one: &Conversation) {
    counts.questions += 1;
    counts.unanswered += i64::from(one.outcome.is_unanswered());
    counts.handoffs += i64::from(one.handoff.is_some());
    counts.helpful += i64::from(one.vote == Some(Vote::Yes));
    counts.unhelpful += i64::from(one.vote == Some(Vote::No));
}

fn stored(site: SiteId, past: PastConversation) -> Conversation {
    let text = |text: String| text::storable(&text);
    let id = past.id.parse().unwrap_or_else(|_| derived(&past.id, past.created_at));
    let session_id = rules::session_id(past.session_id.as_deref()).unwrap_or_else(|| id.to_string());
    Conversation {
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
        updated_at: past.updated_at.max(past.created_at),
        ..Conversation::beginning(site, id, session_id, past.created_at)
    }
}

/// Returns a citation without a passage, which is not known for imported answers.
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
        text_fragment: None,
    }
}

/// Returns a version 7 UUID from the time and the other service's ID of a conversation. It is
/// always the same.
fn derived(foreign: &str, at: Timestamp) -> ConversationId {
    let digest = Sha256::digest(foreign.as_bytes());
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&digest[..10]);
    ConversationId::from_uuid(randomness::uuid_from(at, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_ids_are_kept_and_other_ids_always_map_to_the_same_id() {
        let at = Timestamp::from_ms(1_772_366_400_000);
        let ours = ConversationId::from_uuid(randomness::uuid(at));
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
        assert_eq!(
            crate::conversations::asking::public_sources(&kept.citations),
            ["https://example.com/", "hours.pdf"]
        );
    }
}
