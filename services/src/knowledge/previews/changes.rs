//! The changes that can be previewed: their checks, the content as it would be, and making them.

use helpbot_db as db;
use helpbot_domain::change_preview::SiteChange;
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::ids::{ChunkId, SiteId, SourceId};
use helpbot_domain::key::Scope;
use helpbot_domain::source::{Source, SourceKind};
use helpbot_domain::{Invalid, Timestamp};
use helpbot_engine::AnswerPolicy;

use crate::knowledge::chunks::WRITTEN_ANSWERS;
use crate::knowledge::entries::{self, Entry, EntryPatch, NewEntry};
use crate::runtime::randomness;
use crate::sources::{self, queue};
use crate::{Error, Result, Services};

/// A change as the owner describes it.
#[derive(Debug, Clone)]
pub enum NewChange {
    /// A new entry.
    AddEntry(NewEntry),
    /// Other words of an entry.
    UpdateEntry(ChunkId, EntryPatch),
    /// Another way to ask the question of an entry.
    AddPhrasing(ChunkId, String),
    /// The end of an entry.
    DeleteEntry(ChunkId),
    /// The end of a source.
    DeleteSource(SourceId),
    /// Another share of answers that must be correct.
    TargetPrecision(f64),
}

/// What a change has made.
pub(super) struct Made {
    pub entry: Option<Entry>,
    /// The settings before the change.
    pub answer_settings: String,
}

impl NewChange {
    /// The scope that making the change requires.
    pub(super) fn scope(&self) -> Scope {
        if matches!(self, Self::TargetPrecision(_)) { Scope::WriteConfig } else { Scope::WriteSources }
    }

    /// Checks the change as if it was made now.
    ///
    /// # Errors
    /// Those that the change itself would have.
    pub(super) async fn checked(self, services: &Services, site: SiteId) -> Result<SiteChange> {
        let mut c = services.db.reader().await?;
        Ok(match self {
            Self::AddEntry(new) => {
                let NewEntry { question, answer, phrasings, url } = entries::checked(new)?;
                let id = ChunkId::from_uuid(randomness::uuid(services.now()));
                SiteChange::AddEntry { id, question, answer, phrasings, url }
            }
            Self::UpdateEntry(id, patch) => {
                let patch = patch.checked()?;
                let (mut entry, is_own) = entries::with_origin(&mut c, site, id).await?;
                patch.clone().apply(&mut entry, is_own)?;
                let EntryPatch { question, answer, phrasings, .. } = patch;
                SiteChange::UpdateEntry { id, question, answer, phrasings }
            }
            Self::AddPhrasing(id, phrasing) => {
                let phrasing = entries::checked_phrasing(&phrasing)?;
                let (mut entry, _) = entries::with_origin(&mut c, site, id).await?;
                entries::push_phrasing(&mut entry, phrasing.clone())?;
                SiteChange::AddPhrasing { id, phrasing }
            }
            Self::DeleteEntry(id) => {
                let (_, is_own) = entries::with_origin(&mut c, site, id).await?;
                if !is_own {
                    return Err(Error::Conflict("This entry comes from a page and cannot be deleted.".into()));
                }
                SiteChange::DeleteEntry { id }
            }
            Self::DeleteSource(id) => {
                db::sources::by_id(&mut c, site, id).await?.ok_or(Error::NotFound("Source"))?;
                SiteChange::DeleteSource { id }
            }
            Self::TargetPrecision(target_precision) => {
                if !(0.0..=1.0).contains(&target_precision) {
                    return Err(Invalid::new("targetPrecision", "targetPrecision must be between 0 and 1.").into());
                }
                SiteChange::TargetPrecision { target_precision }
            }
        })
    }
}

/// The scope that making a change requires.
pub(super) fn scope(change: &SiteChange) -> Scope {
    if matches!(change, SiteChange::TargetPrecision { .. }) { Scope::WriteConfig } else { Scope::WriteSources }
}

fn new_entry(question: &str, answer: &str, phrasings: &[String], url: Option<&str>) -> NewEntry {
    NewEntry {
        question: question.to_owned(),
        answer: answer.to_owned(),
        phrasings: phrasings.to_vec(),
        url: url.map(str::to_owned),
    }
}

fn patch(question: &Option<String>, answer: &Option<String>, phrasings: &Option<Vec<String>>) -> EntryPatch {
    EntryPatch { question: question.clone(), answer: answer.clone(), phrasings: phrasings.clone(), url: None }
}

/// Returns the chunks and the settings of a site as they would be. The chunks are ordered by ID.
///
/// # Errors
/// `NotFound` when the change is about something that is gone.
pub(super) fn as_if_made(
    site: SiteId,
    change: &SiteChange,
    mut chunks: Vec<StoredChunk>,
    mut settings: AnswerPolicy,
    own_source: Option<Source>,
    now: Timestamp,
) -> Result<(Vec<StoredChunk>, AnswerPolicy)> {
    let gone = || Error::NotFound("Entry");
    match change {
        SiteChange::AddEntry { id, question, answer, phrasings, url } => {
            let new = new_entry(question, answer, phrasings, url.as_deref());
            let new_source = || queue::new_source(site, SourceKind::Text, WRITTEN_ANSWERS.to_owned(), now);
            let source = own_source.unwrap_or_else(new_source);
            chunks.push(entries::new_entry(&source, *id, new, now).1);
            chunks.sort_by_key(|chunk| chunk.id);
        }
        SiteChange::UpdateEntry { id, question, answer, phrasings } => {
            let entry = chunks.iter_mut().find(|chunk| chunk.id == *id).ok_or_else(gone)?;
            patch(question, answer, phrasings).apply(entry, true)?;
        }
        SiteChange::AddPhrasing { id, phrasing } => {
            let entry = chunks.iter_mut().find(|chunk| chunk.id == *id).ok_or_else(gone)?;
            entries::push_phrasing(entry, phrasing.clone())?;
        }
        SiteChange::DeleteEntry { id } => {
            let place = chunks.iter().position(|chunk| chunk.id == *id).ok_or_else(gone)?;
            chunks.remove(place);
        }
        SiteChange::DeleteSource { id } => chunks.retain(|chunk| chunk.source_id != *id),
        SiteChange::TargetPrecision { target_precision } => settings.target_precision = *target_precision,
    }
    Ok((chunks, settings))
}

/// Makes a change inside a transaction. Also returns by how much it has raised the index version.
///
/// # Errors
/// `NotFound`; `Conflict`.
pub(super) async fn make(c: &mut db::Conn, site: SiteId, change: &SiteChange, now: Timestamp) -> Result<(Made, i64)> {
    let mut row = db::sites::by_id_locked(c, site).await?.ok_or(Error::NotFound("Site"))?;
    let mut made = Made { entry: None, answer_settings: row.answer_settings.clone() };
    let raised = match change {
        SiteChange::AddEntry { id, question, answer, phrasings, url } => {
            let new = new_entry(question, answer, phrasings, url.as_deref());
            made.entry = Some(entries::add_in(c, site, *id, new, now).await?);
            1
        }
        SiteChange::UpdateEntry { id, question, answer, phrasings } => {
            let patch = patch(question, answer, phrasings);
            let changed = entries::change_in(c, site, *id, now, |entry, is_own| patch.apply(entry, is_own)).await?;
            made.entry = Some(changed);
            1
        }
        SiteChange::AddPhrasing { id, phrasing } => {
            let phrasing = phrasing.clone();
            let changed =
                entries::change_in(c, site, *id, now, |entry, _| entries::push_phrasing(entry, phrasing)).await?;
            made.entry = Some(changed);
            1
        }
        SiteChange::DeleteEntry { id } => {
            entries::delete_in(c, site, *id, now).await?;
            2
        }
        SiteChange::DeleteSource { id } => {
            sources::delete_in(c, site, *id, now).await?;
            1
        }
        SiteChange::TargetPrecision { target_precision } => {
            let settings: AnswerPolicy = serde_json::from_str(&row.answer_settings).unwrap_or_default();
            let settings = AnswerPolicy { target_precision: *target_precision, ..settings };
            row.answer_settings = db::columns::to_json(&settings);
            row.updated_at = now;
            db::sites::update(c, &row).await?;
            // Takes the lock of the version, as the other changes do.
            db::sites::bump_index_version(c, site).await?;
            1
        }
    };
    Ok((made, raised))
}
