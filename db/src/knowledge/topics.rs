//! What was asked lately, without the answers: what topics are made of.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Outcome;
use helpbot_domain::ids::{ConversationId, SiteId};

use crate::columns;
use crate::connection::Conn;
use crate::connection::conn::on;
use crate::error::{Error, Result};
use crate::schema::conversations as conv;

/// A question that a visitor asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedQuestion {
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// As asked.
    pub question: String,
    /// Whether the visitor left without an answer.
    pub is_unanswered: bool,
}

type Row = (String, String, bool);

fn asked((id, question, is_unanswered): Row) -> Result<AskedQuestion, Error> {
    Ok(AskedQuestion { conversation_id: columns::parse(&id)?, question, is_unanswered })
}

/// The last questions since `since` that stayed without an answer, newest first, at most `limit`.
///
/// # Errors
/// Only the database's own.
pub async fn unanswered(c: &mut Conn, site: SiteId, since: Timestamp, limit: i64) -> Result<Vec<AskedQuestion>> {
    let (site, since) = (site.to_string(), since.as_ms());
    let rows: Vec<Row> = on!(c, |c| {
        conv::table
            .filter(conv::site_id.eq(&site))
            .filter(conv::is_unanswered.eq(true))
            .filter(conv::created_at_ms.ge(since))
            .order((conv::created_at_ms.desc(), conv::id.desc()))
            .limit(limit)
            .select((conv::id, conv::question, conv::is_unanswered))
            .load(c)
            .await
    })?;
    rows.into_iter().map(asked).collect()
}

/// The last questions since `since`, answered or not, newest first, at most `limit`. Small talk
/// asks nothing and is left out.
///
/// # Errors
/// Only the database's own.
pub async fn all(c: &mut Conn, site: SiteId, since: Timestamp, limit: i64) -> Result<Vec<AskedQuestion>> {
    let (site, since) = (site.to_string(), since.as_ms());
    let rows: Vec<Row> = on!(c, |c| {
        conv::table
            .filter(conv::site_id.eq(&site))
            .filter(conv::outcome.ne(Outcome::SmallTalk.as_str()))
            .filter(conv::created_at_ms.ge(since))
            .order((conv::created_at_ms.desc(), conv::id.desc()))
            .limit(limit)
            .select((conv::id, conv::question, conv::is_unanswered))
            .load(c)
            .await
    })?;
    rows.into_iter().map(asked).collect()
}
