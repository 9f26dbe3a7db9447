//! Exporting all entries of a site to a file, and importing entries from a file.
//!
//! An import is read and planned completely before anything is written, so that a file with an
//! invalid row changes nothing. It is then written in batches, between which other writes can
//! happen, and can be repeated after any interruption: a row that exists already changes nothing. A
//! row matches an existing entry when it has its ID, the same content, or the same question and
//! categories as an entry that the owner wrote; otherwise it is new. A row that matches an entry of
//! a page can only change its phrasings, because the content follows the page.

use std::collections::{HashMap, HashSet, VecDeque};

use helpbot_db as db;
use helpbot_domain::chunk::EntryFilter;
use helpbot_domain::event::EventType;
use helpbot_domain::ids::{ChunkId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::SourceKind;
use helpbot_domain::{Invalid, Timestamp, text};

use super::table::{Format, ROWS_MAX, Row};
use super::{ANSWER_MAX_CHARS, Entry, NewEntry, QUESTION_MAX_CHARS, cleaned, new_entry, own_source, recount};
use crate::accounts::sites;
use crate::knowledge::chunks::{WRITTEN_ANSWERS, content_hash};
use crate::runtime::content_events::{self, ContentEvent};
use crate::runtime::randomness;
use crate::{Result, Services, Viewer, blocking, boxed};
use helpbot_domain::site::Site;

/// Number of entries per query.
const PAGE: i64 = 1_000;
/// Rows per transaction, which blocks other writes for about ten milliseconds.
const WRITTEN_AT_ONCE: usize = 200;
/// Maximum number of invalid rows that an error names.
const NAMED_MAX: usize = 10;
const CATEGORY_MAX_CHARS: usize = 200;
const CATEGORIES_MAX: usize = 10;

/// Result of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Number of new entries.
    pub added: usize,
    /// Number of existing entries whose content, address or phrasings changed.
    pub updated: usize,
    /// Number of rows that changed nothing.
    pub unchanged: usize,
}

/// An export of all entries of a site, read in pieces.
pub struct Export {
    services: Services,
    site: SiteId,
    format: Format,
    after: Option<ChunkId>,
    is_begun: bool,
    is_ended: bool,
}

/// Starts an export of all entries of a site, ordered by ID.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn export(services: &Services, viewer: &Viewer, named: Option<SiteId>, format: Format) -> Result<Export> {
    viewer.require(Scope::ReadSources)?;
    let site = sites::get(services, viewer, named).await?.id;
    Ok(Export { services: services.clone(), site, format, after: None, is_begun: false, is_ended: false })
}

impl Export {
    /// Returns the next piece of the file, or `None` at its end.
    ///
    /// # Errors
    /// Only errors of the database.
    #[boxed]
    pub async fn next(&mut self) -> Result<Option<String>> {
        if self.is_ended {
            return Ok(None);
        }
        let mut piece = if self.is_begun { String::new() } else { self.format.head() };
        self.is_begun = true;
        let page = page(&self.services, self.site, self.after).await?;
        self.is_ended = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        self.after = page.last().map(|entry| entry.id).or(self.after);
        piece.extend(page.into_iter().map(|entry| self.format.row(&row_of(entry))));
        Ok(Some(piece))
    }
}

fn row_of(entry: Entry) -> Row {
    let chunk = entry.chunk;
    Row {
        id: Some(chunk.id.to_string()),
        question: chunk.question.unwrap_or_default(),
        answer: chunk.text,
        url: chunk.url,
        phrasings: Some(chunk.phrasings),
        categories: chunk.heading,
    }
}

async fn page(services: &Services, site: SiteId, after: Option<ChunkId>) -> Result<Vec<Entry>> {
    let part = PageRequest::after(after, PAGE);
    Ok(db::chunks::entries(&mut services.db.reader().await?, site, &EntryFilter::default(), part).await?)
}

/// Imports the entries of a file: adds new ones and updates existing ones. They answer when all of
/// them are written.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` names `file` and the invalid rows, in which case nothing is
/// changed.
#[boxed]
pub async fn import(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    format: Format,
    file: Vec<u8>,
) -> Result<Imported> {
    viewer.require(Scope::WriteSources)?;
    let (site, now) = (sites::get(services, viewer, named).await?, services.now());
    let rows = read(format, file).await?;
    let known = ExistingEntries::load(services, &site).await?;
    let plan = ImportPlan::of(rows, known)?;
    let imported = plan.imported;
    plan.write(services, site.id, now).await?;
    Ok(imported)
}

/// Parses the rows off the threads that answer requests: the largest file takes half a second.
async fn read(format: Format, file: Vec<u8>) -> Result<Vec<(usize, Row)>> {
    let read = move || {
        let text = String::from_utf8(file)
            .map_err(|_| Invalid::new("file", "The file is not UTF-8 text. Save it as UTF-8."))?;
        format.read(&text)
    };
    Ok(blocking(read).await??)
}

/// What equal questions have in common.
type QuestionKey = (String, Vec<String>);

fn key(question: &str, categories: &[String]) -> QuestionKey {
    let folded = text::one_line(question).to_lowercase();
    (folded, categories.to_vec())
}

/// The entries of the site, indexed in the three ways in which a row can match one. Each entry is
/// matched once.
struct ExistingEntries {
    by_id: HashMap<ChunkId, Entry>,
    by_content: HashMap<String, VecDeque<ChunkId>>,
    own_by_question: HashMap<QuestionKey, VecDeque<ChunkId>>,
    own: HashSet<ChunkId>,
}

impl ExistingEntries {
    async fn load(services: &Services, site: &Site) -> Result<Self> {
        let mut c = services.db.reader().await?;
        let own_source = db::sources::by_url(&mut c, site.id, SourceKind::Text, WRITTEN_ANSWERS).await?;
        drop(c);
        let own_source = own_source.map(|source| source.id);
        let mut known = Self {
            by_id: HashMap::new(),
            by_content: HashMap::new(),
            own_by_question: HashMap::new(),
            own: HashSet::new(),
        };
        let mut after = None;
        loop {
            let page = page(services, site.id, after).await?;
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            after = page.last().map(|entry| entry.id);
            for entry in page {
                known.by_content.entry(entry.content_hash.clone()).or_default().push_back(entry.id);
                if own_source == Some(entry.source_id) {
                    let question = entry.question.as_deref().unwrap_or_default();
                    known.own_by_question.entry(key(question, &entry.heading)).or_default().push_back(entry.id);
                    known.own.insert(entry.id);
                }
                known.by_id.insert(entry.id, entry);
            }
            if is_last {
                return Ok(known);
            }
        }
    }

    fn take_id(&mut self, id: Option<&str>) -> Option<Entry> {
        self.by_id.remove(&id?.parse().ok()?)
    }

    fn take_content(&mut self, hash: &str) -> Option<Entry> {
        let ids = self.by_content.get_mut(hash)?;
        std::iter::from_fn(|| ids.pop_front()).find_map(|id| self.by_id.remove(&id))
    }

    fn take_question(&mut self, key: &QuestionKey) -> Option<Entry> {
        let ids = self.own_by_question.get_mut(key)?;
        std::iter::from_fn(|| ids.pop_front()).find_map(|id| self.by_id.remove(&id))
    }
}

/// What an import will write.
#[derive(Default)]
struct ImportPlan {
    new: Vec<Row>,
    changed: Vec<Entry>,
    imported: Imported,
}

impl ImportPlan {
    fn of(rows: Vec<(usize, Row)>, mut known: ExistingEntries) -> Result<Self, Invalid> {
        let (mut plan, mut bad, mut waiting) = (Self::default(), Vec::new(), Vec::new());
        // Match by ID first, then by content, then by question, so that no row takes an entry that
        // another row names.
        for (line, row) in rows {
            match checked(row) {
                Ok(row) => match known.take_id(row.id.as_deref()) {
                    Some(entry) => bad.extend(plan.change(entry, row, &known).err().map(|why| (line, why))),
                    None => waiting.push((line, row)),
                },
                Err(why) => bad.push((line, why.message)),
            }
        }
        let mut without = Vec::new();
        for (line, row) in waiting {
            let hash = content_hash(Some(&row.question), &row.categories, &row.answer);
            match known.take_content(&hash) {
                Some(entry) => bad.extend(plan.change(entry, row, &known).err().map(|why| (line, why))),
                None => without.push((line, row)),
            }
        }
        for (line, row) in without {
            match known.take_question(&key(&row.question, &row.categories)) {
                Some(entry) => bad.extend(plan.change(entry, row, &known).err().map(|why| (line, why))),
                None => plan.new.push(row),
            }
        }
        plan.imported.added = plan.new.len();
        if known.own.len() + plan.new.len() > ROWS_MAX {
            return Err(Invalid::new("file", format!("A site can have at most {ROWS_MAX} written entries.")));
        }
        if bad.is_empty() { Ok(plan) } else { Err(told(&bad)) }
    }

    /// Plans how a row changes the entry that it matches.
    fn change(&mut self, mut entry: Entry, row: Row, known: &ExistingEntries) -> Result<(), String> {
        let before = entry.clone();
        if let Some(phrasings) = row.phrasings {
            entry.phrasings = phrasings;
        }
        if known.own.contains(&entry.id) {
            entry.question = Some(row.question);
            entry.heading = row.categories;
            entry.text = row.answer;
            entry.url = row.url;
            entry.content_hash = content_hash(entry.question.as_deref(), &entry.heading, &entry.text);
        } else if (entry.question.as_deref(), &entry.text) != (Some(row.question.as_str()), &row.answer) {
            return Err("This entry comes from a page, so only its phrasings can change. Remove the id to add the row as a new entry.".into());
        }
        if entry == before {
            self.imported.unchanged += 1;
        } else {
            self.imported.updated += 1;
            self.changed.push(entry);
        }
        Ok(())
    }

    async fn write(self, services: &Services, site: SiteId, now: Timestamp) -> Result<()> {
        let has_changed = !self.changed.is_empty();
        for piece in pieces(self.changed) {
            let write = async move |c: &mut db::Conn, piece: Vec<Entry>| {
                for entry in &piece {
                    db::chunks::update_words(c, entry).await?;
                }
                let event = |entry| ContentEvent::of_entry(EventType::EntryUpdated, entry);
                content_events::append(c, site, now, piece.iter().map(event).collect()).await
            };
            services.db.write(move |c| Box::pin(async move { write(c, piece).await })).await?;
        }
        let rows = self.new.into_iter().zip(0..).collect();
        for piece in pieces(rows) {
            services.db.write(move |c| Box::pin(async move { add(c, site, piece, now).await })).await?;
        }
        // Also when nothing was written: an interrupted import may have left entries that no index
        // contains yet.
        services
            .db
            .write(move |c| {
                Box::pin(async move {
                    let source = own_source(c, site, now).await?;
                    recount(c, source, now).await?;
                    if has_changed {
                        db::sites::retire_older_indexes(c, site).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

async fn add(c: &mut db::Conn, site: SiteId, rows: Vec<(Row, u32)>, now: Timestamp) -> Result<()> {
    let source = own_source(c, site, now).await?;
    let mut events = Vec::with_capacity(rows.len());
    for (row, place) in rows {
        let id = ChunkId::from_uuid(randomness::uuid_at(now, place));
        let phrasings = row.phrasings.unwrap_or_default();
        let new = NewEntry { question: row.question, answer: row.answer, phrasings, url: row.url };
        let (document, mut entry) = new_entry(&source, id, new, now);
        entry.heading = row.categories;
        entry.content_hash = content_hash(entry.question.as_deref(), &entry.heading, &entry.text);
        db::documents::put(c, &document, None).await?;
        db::chunks::insert(c, &entry).await?;
        events.push(ContentEvent::of_entry(EventType::EntryAdded, &entry));
    }
    content_events::append(c, site, now, events).await
}

fn pieces<T>(mut all: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        let rest = all.split_off(all.len().min(WRITTEN_AT_ONCE));
        let piece = std::mem::replace(&mut all, rest);
        (!piece.is_empty()).then_some(piece)
    })
}

/// Normalizes a row to the form in which entries are stored.
fn checked(row: Row) -> Result<Row, Invalid> {
    let url = match row.url {
        Some(url) => Some(address(&url)?),
        None => None,
    };
    if row.categories.len() > CATEGORIES_MAX {
        return Err(Invalid::new("categories", format!("An entry can have at most {CATEGORIES_MAX} categories.")));
    }
    let category = |name: &String| text::required("categories", name, CATEGORY_MAX_CHARS);
    Ok(Row {
        id: row.id,
        question: text::required("question", &row.question, QUESTION_MAX_CHARS)?,
        answer: text::required("answer", &row.answer, ANSWER_MAX_CHARS)?,
        url,
        phrasings: row.phrasings.map(|phrasings| cleaned(&phrasings)).transpose()?,
        categories: row.categories.iter().map(category).collect::<Result<_, _>>()?,
    })
}

/// Normalizes an address and keeps its fragment, which leads to the question.
fn address(url: &str) -> Result<String, Invalid> {
    let fragment = url.split_once('#').map(|(_, fragment)| fragment).filter(|fragment| !fragment.is_empty());
    let mut address = helpbot_domain::source::normal_url(url)?;
    address.set_fragment(fragment);
    Ok(address.into())
}

fn told(bad: &[(usize, String)]) -> Invalid {
    let one = |(line, why): &(usize, String)| format!("Line {line}: {}", why.trim_end_matches('.'));
    let named: Vec<String> = bad.iter().take(NAMED_MAX).map(one).collect();
    let more = match bad.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Invalid::new("file", format!("{}{more}. Nothing was changed.", named.join("; ")))
}
