//! Recent questions without their answers, which topics are built from.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Outcome;
use helpbot_domain::ids::{ConversationId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::conversations as conv;

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
