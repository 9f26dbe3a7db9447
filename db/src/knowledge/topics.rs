//! Questions without their answers, which topics are built from, and the topics that were dismissed.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Outcome;
use helpbot_domain::ids::{ConversationId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::{conversations as conv, dismissed_topics as dismissed};

/// A question that a visitor asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentQuestion {
    /// Conversation of the question.
    pub conversation_id: ConversationId,
    /// Question as the visitor wrote it.
    pub question: String,
    /// Whether the visitor got no answer.
    pub is_unanswered: bool,
}

type Row = (String, String, bool);

fn asked((id, question, is_unanswered): Row) -> Result<RecentQuestion, Error> {
    Ok(RecentQuestion { conversation_id: columns::parse(&id)?, question, is_unanswered })
}

/// The newest questions of a site that match the filter.
macro_rules! recent {
    ($c:ident, $site:expr, $since:expr, $limit:expr, $matches:expr) => {{
        let (site, since) = ($site.to_string(), $since.as_ms());
        let rows: Vec<Row> = on!($c, |c| {
            conv::table
                .filter(conv::site_id.eq(&site))
                .filter($matches)
                .filter(conv::created_at_ms.ge(since))
                .order((conv::created_at_ms.desc(), conv::id.desc()))
                .limit($limit)
                .select((conv::id, conv::question, conv::is_unanswered))
                .load(c)
                .await
        })?;
        rows.into_iter().map(asked).collect()
    }};
}

/// Returns the last `limit` questions since `since` that got no answer, newest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn unanswered(c: &mut Conn, site: SiteId, since: Timestamp, limit: i64) -> Result<Vec<RecentQuestion>> {
    recent!(c, site, since, limit, conv::is_unanswered.eq(true))
}

/// Returns the last `limit` questions since `since`, newest first. Small talk is left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn all(c: &mut Conn, site: SiteId, since: Timestamp, limit: i64) -> Result<Vec<RecentQuestion>> {
    recent!(c, site, since, limit, conv::outcome.ne(Outcome::SmallTalk.as_str()))
}
/// Time and ID of a conversation, by which questions are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AskedAt {
    /// Time of the question.
    pub created_at: Timestamp,
    /// Conversation of the question.
    pub id: ConversationId,
}

/// A conversation as topics read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Time and conversation of the question.
    pub at: AskedAt,
    /// Question as the visitor wrote it.
    pub question: String,
    /// Whether the visitor got no answer.
    pub is_unanswered: bool,
    /// Whether the message was small talk and no question.
    pub is_small_talk: bool,
}

type AskedRow = (String, String, bool, String, i64);

fn asked_at((id, question, is_unanswered, outcome, created_at_ms): AskedRow) -> Result<Asked> {
    Ok(Asked {
        at: AskedAt { created_at: Timestamp::from_ms(created_at_ms), id: columns::parse(&id)? },
        question,
        is_unanswered,
        is_small_talk: outcome == Outcome::SmallTalk.as_str(),
    })
}

/// Returns the first `limit` conversations after `after`, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn asked_from(c: &mut Conn, site: SiteId, after: Option<AskedAt>, limit: i64) -> Result<Vec<Asked>> {
    let site = site.to_string();
    let (since, id) = after.map_or((i64::MIN, String::new()), |at| (at.created_at.as_ms(), at.id.to_string()));
    let rows: Vec<AskedRow> = on!(c, |c| {
        conv::table
            .filter(conv::site_id.eq(&site))
            .filter(conv::created_at_ms.ge(since))
            .filter(conv::created_at_ms.gt(since).or(conv::id.gt(&id)))
            .order((conv::created_at_ms.asc(), conv::id.asc()))
            .limit(limit)
            .select((conv::id, conv::question, conv::is_unanswered, conv::outcome, conv::created_at_ms))
            .load(c)
            .await
    })?;
    rows.into_iter().map(asked_at).collect()
}

/// Returns the number of conversations after `after` up to `last`. It reads only an index.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count_up_to(c: &mut Conn, site: SiteId, after: Option<AskedAt>, last: AskedAt) -> Result<i64> {
    let site = site.to_string();
    let (since, id) = after.map_or((i64::MIN, String::new()), |at| (at.created_at.as_ms(), at.id.to_string()));
    let (until, last_id) = (last.created_at.as_ms(), last.id.to_string());
    Ok(on!(c, |c| {
        conv::table
            .filter(conv::site_id.eq(&site))
            .filter(conv::created_at_ms.ge(since))
            .filter(conv::created_at_ms.gt(since).or(conv::id.gt(&id)))
            .filter(conv::created_at_ms.le(until))
            .filter(conv::created_at_ms.lt(until).or(conv::id.le(&last_id)))
            .count()
            .get_result(c)
            .await
    })?)
}

/// Returns the conversation that `number` others follow. `None` when the site has fewer.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn nth_last(c: &mut Conn, site: SiteId, number: i64) -> Result<Option<AskedAt>> {
    let site = site.to_string();
    let row: Option<(String, i64)> = on!(c, |c| {
        conv::table
            .filter(conv::site_id.eq(&site))
            .order((conv::created_at_ms.desc(), conv::id.desc()))
            .offset(number)
            .limit(1)
            .select((conv::id, conv::created_at_ms))
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(|(id, created_at_ms)| {
        Ok(AskedAt { created_at: Timestamp::from_ms(created_at_ms), id: columns::parse(&id)? })
    })
    .transpose()
}

/// Returns the hashes of the questions whose topics the owner dismissed.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn dismissed(c: &mut Conn, site: SiteId) -> Result<Vec<String>> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        dismissed::table.filter(dismissed::site_id.eq(&site)).select(dismissed::question_hash).load(c).await
    })?)
}

/// Dismisses the topic of a question. One that is dismissed stays so.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn dismiss(c: &mut Conn, site: SiteId, question_hash: &str, now: Timestamp) -> Result<()> {
    let values = || {
        (
            dismissed::site_id.eq(site.to_string()),
            dismissed::question_hash.eq(question_hash),
            dismissed::created_at_ms.eq(now.as_ms()),
        )
    };
    on!(c, |c| diesel::insert_into(dismissed::table).values(values()).on_conflict_do_nothing().execute(c).await)?;
    Ok(())
}

/// Restores the topics of these questions.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn restore(c: &mut Conn, site: SiteId, question_hashes: &[String]) -> Result<()> {
    let site = site.to_string();
    for hash in question_hashes {
        on!(c, |c| {
            diesel::delete(dismissed::table.filter(dismissed::site_id.eq(&site)))
                .filter(dismissed::question_hash.eq(hash))
                .execute(c)
                .await
        })?;
    }
    Ok(())
}
