//! Entries: questions with their answers, found on pages or written by the owner.
//!
//! Entries that the owner writes belong to one text source of the site and answer immediately.
//! Phrasings, which are other ways to ask the question, can be added to every entry. They are kept
//! while the content of the entry stays the same, and improve answers more than anything else that
//! an owner can do (docs/answering.md). All entries can be exported to a file and imported from one
//! ([`transfer`], [`table`]).

mod patch;
pub mod table;
pub mod transfer;

use helpbot_db as db;
use helpbot_domain::chunk::{Chunk, ChunkKind, EntryFilter, StoredChunk};
use helpbot_domain::event::EventType;
use helpbot_domain::ids::{ChunkId, ConversationId, DocumentId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::source::{Document, PageOutcome, Source, SourceKind, SourceStatus};
use helpbot_domain::{Invalid, Timestamp, Together as _, text};

use crate::accounts::{audit_log, sites};
use crate::conversations::lookup;
use crate::knowledge::chunks::{WRITTEN_ANSWERS, content_hash};
use crate::runtime::content_events::{self, ContentEvent};
use crate::runtime::lookups::find_by_ids;
use crate::runtime::randomness;
use crate::sources::queue;
use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;
pub use patch::EntryPatch;
pub(crate) use patch::{checked_phrasing, push_phrasing};

const QUESTION_MAX_CHARS: usize = 500;
const ANSWER_MAX_CHARS: usize = 20_000;
const PHRASING_MAX_CHARS: usize = 500;
/// Maximum number of phrasings per entry. More than a few dozen have no effect (docs/answering.md).
const PHRASINGS_MAX: usize = 100;

/// A question with its answer.
pub type Entry = StoredChunk;

/// Input for an entry.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The question, 1 to 500 characters.
    pub question: String,
    /// The answer in restricted Markdown, 1 to 20,000 characters.
    pub answer: String,
    /// Other ways to ask the question.
    pub phrasings: Vec<String>,
    /// Address where visitors can read more.
    pub url: Option<String>,
}

/// The texts of an entry that is made from a conversation, as far as the caller gives them.
#[derive(Debug, Clone, Default)]
pub struct Promotion {
    /// The question.
    pub question: Option<String>,
    /// The answer.
    pub answer: Option<String>,
}

/// Checks that the viewer may write entries of a site. Used before a large upload is accepted.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn may_write(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<()> {
    viewer.require(Scope::WriteSources)?;
    sites::get(services, viewer, named).await.map(drop)
}

/// Adds an entry. It answers immediately.
///
/// # Errors
/// `Forbidden`; `Invalid` names the field.
#[boxed]
pub async fn add(services: &Services, viewer: &Viewer, named: Option<SiteId>, new: NewEntry) -> Result<Entry> {
    viewer.require(Scope::WriteSources)?;
    let (site, now) = (sites::get(services, viewer, named).await?.id, services.now());
    let new = checked(new)?;
    let id = ChunkId::from_uuid(randomness::uuid(now));
    services.db.write(move |c| Box::pin(async move { add_in(c, site, id, new, now).await })).await
}

/// Checks a new entry and normalizes its texts.
pub(crate) fn checked(new: NewEntry) -> Result<NewEntry> {
    let checked = (
        text::required("question", &new.question, QUESTION_MAX_CHARS),
        text::required("answer", &new.answer, ANSWER_MAX_CHARS),
        cleaned(&new.phrasings),
        new.url.as_deref().map(helpbot_domain::source::normal_url).transpose(),
    );
    let (question, answer, phrasings, url) = checked.together()?;
    Ok(NewEntry { question, answer, phrasings, url: url.map(String::from) })
}

/// Adds a checked entry inside a transaction. It raises the index version once.
pub(crate) async fn add_in(
    c: &mut db::Conn,
    site: SiteId,
    id: ChunkId,
    new: NewEntry,
    now: Timestamp,
) -> Result<Entry> {
    let source = own_source(c, site, now).await?;
    let (document, entry) = new_entry(&source, id, new, now);
    db::documents::put(c, &document, None).await?;
    audit_log::created(&id);
    db::chunks::insert(c, &entry).await?;
    recount(c, source, now).await?;
    content_events::append(c, site, now, vec![ContentEvent::of_entry(EventType::EntryAdded, &entry)]).await?;
    Ok(entry)
}

/// Changes an entry. Of an entry that was found on a page, only the phrasings can be changed.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` for another change of an entry that was found on a page; `Invalid`
/// names the field.
#[boxed]
pub async fn update(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ChunkId,
    patch: EntryPatch,
) -> Result<Entry> {
    viewer.require(Scope::WriteSources)?;
    let patch = patch.checked()?;
    change(services, viewer, named, id, move |entry, is_own| patch.apply(entry, is_own)).await
}

/// Adds a phrasing to an entry. One that exists already changes nothing.
///
/// # Errors
/// `Forbidden`; `NotFound`; `LimitReached`; `Invalid`.
#[boxed]
pub async fn add_phrasing(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ChunkId,
    phrasing: &str,
) -> Result<Entry> {
    viewer.require(Scope::WriteSources)?;
    let phrasing = checked_phrasing(phrasing)?;
    change(services, viewer, named, id, move |entry, _| push_phrasing(entry, phrasing)).await
}

/// Deletes an entry that the owner wrote.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` for an entry that was found on a page.
#[boxed]
pub async fn delete(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: ChunkId) -> Result<()> {
    viewer.require(Scope::WriteSources)?;
    let (site, now) = (sites::get(services, viewer, named).await?.id, services.now());
    services.db.write(move |c| Box::pin(async move { delete_in(c, site, id, now).await })).await
}

/// Deletes an entry that the owner wrote inside a transaction. It raises the index version twice.
pub(crate) async fn delete_in(c: &mut db::Conn, site: SiteId, id: ChunkId, now: Timestamp) -> Result<()> {
    let (entry, source) = found(c, site, id).await?;
    if !is_own(&source) {
        return Err(Error::Conflict(
            "This entry comes from a page and cannot be deleted. It is removed when the page is removed.".into(),
        ));
    }
    db::documents::delete(c, site, entry.document_id).await?;
    recount(c, source, now).await?;
    db::sites::retire_older_indexes(c, site).await?;
    content_events::append(c, site, now, vec![ContentEvent::of_entry(EventType::EntryDeleted, &entry)]).await
}

/// Creates an entry from a conversation. `question` defaults to the question of the conversation, and `answer` to the last
/// message that a member wrote in it.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` when no answer is given and no member wrote one.
#[boxed]
pub async fn promote(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    promotion: Promotion,
) -> Result<Entry> {
    viewer.require(Scope::WriteSources)?;
    let site = viewer.site(named)?;
    let conversation = lookup::by_ids(services, viewer, Some(site), &[id]).await?.pop();
    let conversation = conversation.ok_or(Error::NotFound("Conversation"))?;
    let answer = match promotion.answer {
        Some(answer) => answer,
        None => {
            let author = helpbot_domain::conversation::Author::Agent;
            let mut reader = services.db.reader().await?;
            let last = db::messages::nth_last_of_author(&mut reader, site, id, author, 0).await?;
            let last = last.map(|message| message.text);
            last.ok_or_else(|| {
                Invalid::new("answer", "answer is required, because no member wrote one in this conversation.")
            })?
        }
    };
    let question = promotion.question.unwrap_or(conversation.question);
    let new = NewEntry { question, answer, phrasings: Vec::new(), url: None };
    add(services, viewer, Some(site), new).await
}

/// Returns one page of the site's entries that meet the conditions, ordered by ID.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    filter: &EntryFilter,
    page: PageRequest<ChunkId>,
) -> Result<Vec<Entry>> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(site.id))?;
    Ok(db::chunks::entries(&mut services.db.reader().await?, site, filter, page).await?)
}

find_by_ids! {
    /// Returns the entries and the passages of the site with these IDs. Unknown IDs are left out.
    by_ids, ReadSources, ChunkId => StoredChunk, db::chunks::by_ids
}

/// Returns the number of the site's entries that meet the conditions.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, site: &Site, filter: &EntryFilter) -> Result<i64> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(site.id))?;
    Ok(db::chunks::entry_count(&mut services.db.reader().await?, site, filter).await?)
}

async fn change(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ChunkId,
    apply: impl FnOnce(&mut Entry, bool) -> Result<()> + Send + 'static,
) -> Result<Entry> {
    let (site, now) = (sites::get(services, viewer, named).await?.id, services.now());
    services.db.write(move |c| Box::pin(async move { change_in(c, site, id, now, apply).await })).await
}

/// Changes an entry inside a transaction. It raises the index version once.
pub(crate) async fn change_in(
    c: &mut db::Conn,
    site: SiteId,
    id: ChunkId,
    now: Timestamp,
    apply: impl FnOnce(&mut Entry, bool) -> Result<()>,
) -> Result<Entry> {
    let (mut entry, source) = found(c, site, id).await?;
    let before = entry.clone();
    apply(&mut entry, is_own(&source))?;
    db::chunks::update_words(c, &entry).await?;
    db::sites::retire_older_indexes(c, site).await?;
    if entry != before {
        content_events::append(c, site, now, vec![ContentEvent::of_entry(EventType::EntryUpdated, &entry)]).await?;
    }
    Ok(entry)
}

/// Returns an entry, and whether the owner wrote it.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn with_origin(c: &mut db::Conn, site: SiteId, id: ChunkId) -> Result<(Entry, bool)> {
    let entry = db::chunks::by_ids(c, site, &[id]).await?.pop().filter(|chunk| chunk.question.is_some());
    let entry = entry.ok_or(Error::NotFound("Entry"))?;
    let source = db::sources::by_id(c, site, entry.source_id).await?.ok_or(Error::NotFound("Entry"))?;
    Ok((entry, is_own(&source)))
}

async fn found(c: &mut db::Conn, site: SiteId, id: ChunkId) -> Result<(Entry, Source)> {
    let entry = db::chunks::by_ids(c, site, &[id]).await?.pop().filter(|chunk| chunk.question.is_some());
    let entry = entry.ok_or(Error::NotFound("Entry"))?;
    let source = db::sources::by_id_locked(c, site, entry.source_id).await?.ok_or(Error::NotFound("Entry"))?;
    Ok((entry, source))
}

/// Returns whether this is the source of the entries that the owner writes.
fn is_own(source: &Source) -> bool {
    source.kind == SourceKind::Text && source.url == WRITTEN_ANSWERS
}

async fn own_source(c: &mut db::Conn, site: SiteId, now: Timestamp) -> Result<Source> {
    let new = Source {
        title: Some(WRITTEN_ANSWERS.to_owned()),
        status: SourceStatus::Indexed,
        ..queue::new_source(site, SourceKind::Text, WRITTEN_ANSWERS.to_owned(), now)
    };
    if db::sources::insert(c, &new).await? {
        content_events::append(c, site, now, vec![ContentEvent::of_source(EventType::SourceAdded, new.id)]).await?;
    }
    let source = db::sources::by_url(c, site, SourceKind::Text, WRITTEN_ANSWERS).await?;
    source.ok_or_else(|| Error::internal("the source of written answers was not stored"))
}

/// Returns an entry that the owner writes, and the document that it belongs to.
pub(crate) fn new_entry(source: &Source, id: ChunkId, new: NewEntry, now: Timestamp) -> (Document, Entry) {
    let NewEntry { question, answer, phrasings, url } = new;
    let document = document(source, &question, now);
    let entry = StoredChunk {
        site_id: source.site_id,
        document_id: document.id,
        position: 0,
        content_hash: content_hash(Some(&question), &[], &answer),
        chunk: Chunk {
            id,
            source_id: source.id,
            kind: ChunkKind::Faq,
            question: Some(question),
            heading: Vec::new(),
            text: answer,
            url,
            page_title: Some(WRITTEN_ANSWERS.to_owned()),
            language: None,
            phrasings,
        },
    };
    (document, entry)
}

fn document(source: &Source, title: &str, now: Timestamp) -> Document {
    let id = DocumentId::from_uuid(randomness::uuid(now));
    Document {
        site_id: source.site_id,
        id,
        source_id: source.id,
        url: id.to_string(),
        title: Some(title.to_owned()),
        language: None,
        outcome: PageOutcome::Fetched,
        reason: None,
        etag: None,
        last_modified: None,
        content_hash: None,
        chunk_count: 1,
        misses: 0,
        fetched_at: now,
    }
}

async fn recount(c: &mut db::Conn, mut source: Source, now: Timestamp) -> Result<()> {
    let (documents, chunks) = db::documents::totals(c, source.site_id, source.id).await?;
    source.document_count = documents;
    source.chunk_count = chunks;
    source.updated_at = now;
    db::sources::update(c, &source).await?;
    Ok(db::sites::bump_index_version(c, source.site_id).await?)
}

/// Checks phrasings and normalizes each to one line.
fn cleaned(phrasings: &[String]) -> Result<Vec<String>, Invalid> {
    if phrasings.len() > PHRASINGS_MAX {
        return Err(Invalid::new("phrasings", format!("An entry can have at most {PHRASINGS_MAX} phrasings.")));
    }
    phrasings.iter().map(|words| text::required("phrasings", &text::one_line(words), PHRASING_MAX_CHARS)).collect()
}
