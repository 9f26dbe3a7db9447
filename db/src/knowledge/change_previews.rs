//! Previews of changes, with the questions on which each change would have an effect.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::change_preview::{
    ChangePreview, ContentVersion, EffectCounts, PreviewEffect, PreviewStatus, PreviewedQuestion,
};
use helpbot_domain::ids::{PreviewId, SiteId};
use helpbot_domain::page::PageRequest;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::{load_by_ids, load_one};
use crate::schema::{change_previews as previews, previewed_questions as questions};

#[derive(Queryable, Selectable)]
#[diesel(table_name = previews)]
struct Row {
    site_id: String,
    id: String,
    change: String,
    index_version: Option<i64>,
    answer_settings: Option<String>,
    status: String,
    done_questions: i64,
    total_questions: Option<i64>,
    gained: i64,
    lost: i64,
    changed: i64,
    created_at_ms: i64,
}

impl TryFrom<Row> for ChangePreview {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let version = row.index_version.zip(row.answer_settings);
        Ok(ChangePreview {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            change: columns::json(&row.change)?,
            content: version.map(|(index_version, answer_settings)| ContentVersion { index_version, answer_settings }),
            status: columns::named(&row.status)?,
            done_questions: row.done_questions,
            total_questions: row.total_questions,
            counts: EffectCounts { gained: row.gained, lost: row.lost, changed: row.changed },
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Stores a new preview.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, new: &ChangePreview) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(previews::table)
            .values((
                previews::site_id.eq(new.site_id.to_string()),
                previews::id.eq(new.id.to_string()),
                previews::change.eq(columns::to_json(&new.change)),
                previews::index_version.eq(new.content.as_ref().map(|content| content.index_version)),
                previews::answer_settings.eq(new.content.as_ref().map(|content| content.answer_settings.clone())),
                previews::status.eq(new.status.as_str()),
                previews::done_questions.eq(new.done_questions),
                previews::total_questions.eq(new.total_questions),
                previews::gained.eq(new.counts.gained),
                previews::lost.eq(new.counts.lost),
                previews::changed.eq(new.counts.changed),
                previews::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns a preview of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: PreviewId) -> Result<Option<ChangePreview>> {
    let (site, id) = (site.to_string(), id.to_string());
    load_one!(c, ChangePreview, previews::table.filter(previews::site_id.eq(&site)).filter(previews::id.eq(&id)))
}

/// Returns the previews of the site with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[PreviewId]) -> Result<Vec<ChangePreview>> {
    load_by_ids!(c, ChangePreview, previews, site, ids)
}

/// Stores the content and the number of questions with which a replay begins, and removes what an
/// interrupted replay left. Returns false when the preview no longer runs.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn begin(
    c: &mut Conn,
    site: SiteId,
    id: PreviewId,
    content: &ContentVersion,
    total_questions: i64,
) -> Result<bool> {
    delete_questions(c, site, id).await?;
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::update(previews::table.filter(previews::site_id.eq(&site)).filter(previews::id.eq(&id)))
            .filter(previews::status.eq(PreviewStatus::Running.as_str()))
            .set((
                previews::index_version.eq(Some(content.index_version)),
                previews::answer_settings.eq(Some(&content.answer_settings)),
                previews::done_questions.eq(0_i64),
                previews::total_questions.eq(Some(total_questions)),
            ))
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Stores how many questions were replayed. Returns false when the preview no longer runs.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn record_progress(c: &mut Conn, site: SiteId, id: PreviewId, done_questions: i64) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::update(previews::table.filter(previews::site_id.eq(&site)).filter(previews::id.eq(&id)))
            .filter(previews::status.eq(PreviewStatus::Running.as_str()))
            .set(previews::done_questions.eq(done_questions))
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Changes the status of a preview that has the status `from`. Returns false when it has another.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn change_status(
    c: &mut Conn,
    site: SiteId,
    id: PreviewId,
    from: PreviewStatus,
    to: PreviewStatus,
) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::update(previews::table.filter(previews::site_id.eq(&site)).filter(previews::id.eq(&id)))
            .filter(previews::status.eq(from.as_str()))
            .set(previews::status.eq(to.as_str()))
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Completes a preview that runs. Returns false when it no longer runs.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn complete(
    c: &mut Conn,
    site: SiteId,
    id: PreviewId,
    done_questions: i64,
    counts: EffectCounts,
) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::update(previews::table.filter(previews::site_id.eq(&site)).filter(previews::id.eq(&id)))
            .filter(previews::status.eq(PreviewStatus::Running.as_str()))
            .set((
                previews::status.eq(PreviewStatus::Ready.as_str()),
                previews::done_questions.eq(done_questions),
                previews::gained.eq(counts.gained),
                previews::lost.eq(counts.lost),
                previews::changed.eq(counts.changed),
            ))
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Cancels all previews of the site that run. Returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn cancel_running(c: &mut Conn, site: SiteId) -> Result<usize> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        diesel::update(previews::table.filter(previews::site_id.eq(&site)))
            .filter(previews::status.eq(PreviewStatus::Running.as_str()))
            .set(previews::status.eq(PreviewStatus::Canceled.as_str()))
            .execute(c)
            .await
    })?)
}

/// Deletes the previews of a site from before a time, with their questions. Returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_before(c: &mut Conn, site: SiteId, before: Timestamp) -> Result<usize> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        diesel::delete(previews::table.filter(previews::site_id.eq(&site)))
            .filter(previews::created_at_ms.lt(before.as_ms()))
            .execute(c)
            .await
    })?)
}

/// Stores questions of a preview.
///
/// # Errors
/// `Conflict` when a position is taken.
pub async fn insert_questions(c: &mut Conn, site: SiteId, id: PreviewId, new: &[PreviewedQuestion]) -> Result<()> {
    let (site, id) = (site.to_string(), id.to_string());
    for question in new {
        on!(c, |c| {
            diesel::insert_into(questions::table)
                .values((
                    questions::site_id.eq(&site),
                    questions::preview_id.eq(&id),
                    questions::seq.eq(question.seq),
                    questions::effect.eq(question.effect.as_str()),
                    questions::question.eq(&question.question),
                    questions::asked_count.eq(question.count),
                    questions::answer_before.eq(columns::to_json(&question.before)),
                    questions::answer_after.eq(columns::to_json(&question.after)),
                ))
                .execute(c)
                .await
        })?;
    }
    Ok(())
}

type QuestionRow = (i64, String, String, i64, String, String);

fn previewed((seq, effect, question, count, before, after): QuestionRow) -> Result<PreviewedQuestion> {
    Ok(PreviewedQuestion {
        seq,
        effect: columns::named(&effect)?,
        question,
        count,
        before: columns::json(&before)?,
        after: columns::json(&after)?,
    })
}

/// Returns one page of the questions of a preview in the order of their positions, with `effect` only
/// those with this effect.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn questions(
    c: &mut Conn,
    site: SiteId,
    id: PreviewId,
    effect: Option<PreviewEffect>,
    page: PageRequest<i64>,
) -> Result<Vec<PreviewedQuestion>> {
    let (site, id) = (site.to_string(), id.to_string());
    let effects: Vec<&str> = PreviewEffect::ALL
        .iter()
        .filter(|of| effect.is_none_or(|effect| effect == **of))
        .map(|of| of.as_str())
        .collect();
    let edge = page.from.unwrap_or(if page.is_backward { i64::MAX } else { 0 });
    let columns = (
        questions::seq,
        questions::effect,
        questions::question,
        questions::asked_count,
        questions::answer_before,
        questions::answer_after,
    );
    let rows: Vec<QuestionRow> = on!(c, |c| {
        let of_preview = questions::table
            .filter(questions::site_id.eq(&site))
            .filter(questions::preview_id.eq(&id))
            .filter(questions::effect.eq_any(&effects))
            .select(columns)
            .limit(page.limit);
        if page.is_backward {
            of_preview.filter(questions::seq.lt(edge)).order(questions::seq.desc()).load(c).await
        } else {
            of_preview.filter(questions::seq.gt(edge)).order(questions::seq.asc()).load(c).await
        }
    })?;
    rows.into_iter().map(previewed).collect()
}

async fn delete_questions(c: &mut Conn, site: SiteId, id: PreviewId) -> Result<()> {
    let (site, id) = (site.to_string(), id.to_string());
    on!(c, |c| {
        diesel::delete(questions::table.filter(questions::site_id.eq(&site)).filter(questions::preview_id.eq(&id)))
            .execute(c)
            .await
    })?;
    Ok(())
}
