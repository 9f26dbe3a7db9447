//! All entries of a site into a file, and the entries of a file into a site.
//!
//! An import is read and planned as a whole before anything is written, so that a file with a bad
//! row changes nothing. It is then written in pieces, between which others write, and may be
//! repeated at any point: a row that is there already changes nothing. A row is an entry of the
//! site when it has its id, when it says the same, or when it is the same question under the same
//! categories among what the owner wrote; else it is new. Rows of entries that were found on
//! pages may change their phrasings alone: their words follow the page.

use std::collections::{HashMap, HashSet, VecDeque};

use helpbot_db as db;
use helpbot_domain::ids::{ChunkId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::SourceKind;
use helpbot_domain::{Invalid, Timestamp, text};

use super::table::{Format, ROWS_MAX, Row};
use super::{ANSWER_MAX_CHARS, Entry, QUESTION_MAX_CHARS, cleaned, new_entry, own_source, recount};
use crate::accounts::sites;
use crate::knowledge::chunks::{WRITTEN_ANSWERS, content_hash};
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, blocking, boxed};
use helpbot_domain::site::Site;

/// Entries read in one query.
const PAGE: i64 = 1_000;
/// Rows written in one transaction: some ten milliseconds during which no other write happens.
const WRITTEN_AT_ONCE: usize = 200;
/// Bad rows that are named; who fixes these sees the next ones.
const NAMED_MAX: usize = 10;
const CATEGORY_MAX_CHARS: usize = 200;
const CATEGORIES_MAX: usize = 10;

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Entries that are new.
    pub added: usize,
    /// Entries that were there and have other words, addresses or phrasings now.
    pub updated: usize,
    /// Rows that were there as they are.
    pub unchanged: usize,
}

/// All entries of a site as a file, a piece at a time.
pub struct Export {
    services: Services,
    site: SiteId,
    format: Format,
    after: Option<ChunkId>,
    is_begun: bool,
    is_ended: bool,
}

/// Begins to write all entries of a site, in the order of their ids.
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
    /// The next piece of the file; none when it is whole.
    ///
    /// # Errors
    /// Only the database's own.
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
    Ok(db::chunks::entries(&mut services.db.reader().await?, site, None, PageRequest::after(after, PAGE)).await?)
}

/// Adds the entries of a file to those that the owner writes, and changes those that are there.
/// They answer when all of them are written.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` names `file` and the rows that cannot be taken: then
/// nothing is changed.
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

/// Reads the rows off the threads that answer: half a second for the largest file.
async fn read(format: Format, file: Vec<u8>) -> Result<Vec<(usize, Row)>> {
    let read = move || {
        let text = String::from_utf8(file).map_err(|_| Invalid::new("file", "The file is not UTF-8 text"))?;
        format.read(&text)
    };
    Ok(blocking(read).await??)
}

/// What makes rows the same question.
type QuestionKey = (String, Vec<String>);

fn key(question: &str, categories: &[String]) -> QuestionKey {
    let folded = text::one_line(question).to_lowercase();
    (folded, categories.to_vec())
}

/// The entries of the site, found in the three ways that a row may mean one. Each is found once.
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

/// What is to be written.
#[derive(Default)]
struct ImportPlan {
    new: Vec<Row>,
    changed: Vec<Entry>,
    imported: Imported,
}

impl ImportPlan {
    fn of(rows: Vec<(usize, Row)>, mut known: ExistingEntries) -> Result<Self, Invalid> {
        let (mut plan, mut bad, mut waiting) = (Self::default(), Vec::new(), Vec::new());
        // Ids first, then same words, then same questions: no row takes what another one names.
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
            return Err(Invalid::new("file", format!("A site may have {ROWS_MAX} entries of its own")));
        }
        if bad.is_empty() { Ok(plan) } else { Err(told(&bad)) }
    }

    /// Plans what a row changes of the entry that it is.
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
            return Err("This entry was found on a page, whose words it follows; without its id it is a new one".into());
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
            let write = async |c: &mut db::Conn, piece: Vec<Entry>| {
                for entry in piece {
                    db::chunks::update_words(c, &entry).await?;
                }
                Ok::<_, Error>(())
            };
            services.db.write(move |c| Box::pin(async move { write(c, piece).await })).await?;
        }
        let rows = self.new.into_iter().zip(0..).collect();
        for piece in pieces(rows) {
            services.db.write(move |c| Box::pin(async move { add(c, site, piece, now).await })).await?;
        }
        // Also where nothing was left to write: an import that broke off may have left entries
        // that no index has seen yet.
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
    for (row, place) in rows {
        let id = ChunkId::from_uuid(randomness::uuid_at(now, place));
        let (document, mut entry) = new_entry(&source, id, row.question, row.answer, now);
        entry.heading = row.categories;
        entry.url = row.url;
        entry.phrasings = row.phrasings.unwrap_or_default();
        entry.content_hash = content_hash(entry.question.as_deref(), &entry.heading, &entry.text);
        db::documents::put(c, &document).await?;
        db::chunks::insert(c, &entry).await?;
    }
    Ok(())
}

fn pieces<T>(mut all: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        let rest = all.split_off(all.len().min(WRITTEN_AT_ONCE));
        let piece = std::mem::replace(&mut all, rest);
        (!piece.is_empty()).then_some(piece)
    })
}

/// The row in the form in which entries are stored.
fn checked(row: Row) -> Result<Row, Invalid> {
    let url = match row.url {
        Some(url) => Some(address(&url)?),
        None => None,
    };
    if row.categories.len() > CATEGORIES_MAX {
        return Err(Invalid::new("categories", format!("An entry may have {CATEGORIES_MAX} categories")));
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

/// An address with the fragment that leads to the question.
fn address(url: &str) -> Result<String, Invalid> {
    let fragment = url.split_once('#').map(|(_, fragment)| fragment).filter(|fragment| !fragment.is_empty());
    let mut address = helpbot_domain::source::normal_url(url)?;
    address.set_fragment(fragment);
    Ok(address.into())
}

fn told(bad: &[(usize, String)]) -> Invalid {
    let named: Vec<String> = bad.iter().take(NAMED_MAX).map(|(line, why)| format!("Line {line}: {why}")).collect();
    let more = match bad.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Invalid::new("file", format!("{}{more}. Nothing was changed", named.join("; ")))
}
