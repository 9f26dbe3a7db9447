//! Lists of conversations: filtered, in order, in parts, counted.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ConversationId, SiteId};

use crate::columns;
use crate::connection::Conn;
use crate::connection::conn::on;
use crate::conversations::row::Row;
use crate::conversations::search::{self, MaxCandidates, rows_of_site};
use crate::error::Result;
use crate::schema::conversations as conv;
use helpbot_domain::conversation::{Conversation, ConversationFilter, ConversationOrder};

/// What a list is of; all conditions hold together.
#[derive(Debug, Clone, Default)]
pub struct ConversationQuery {
    /// Which kinds.
    pub filter: ConversationFilter,
    /// Of one session only.
    pub session_id: Option<String>,
    /// With these words in question or answer, whatever their case.
    pub search: Option<String>,
    /// Asked at or after.
    pub since: Option<Timestamp>,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy)]
pub enum Window {
    /// Numbered pages.
    Offset(i64),
    /// What comes after a place in the list: its moment in the order, and its id.
    After(Timestamp, ConversationId),
}

macro_rules! filtered {
    ($rows:expr, $query:expr) => {{
        let mut rows = $rows;
        rows = match $query.filter {
            ConversationFilter::All => rows,
            ConversationFilter::Unanswered => rows.filter(conv::is_unanswered.eq(true)),
            ConversationFilter::Answered => rows.filter(conv::is_unanswered.eq(false)),
            ConversationFilter::Handoff => rows.filter(conv::handoff_status.is_not_null()),
            ConversationFilter::Helpful => rows.filter(conv::is_helpful.eq(true)),
            ConversationFilter::Unhelpful => rows.filter(conv::is_helpful.eq(false)),
        };
        if let Some(session) = &$query.session_id {
            rows = rows.filter(conv::session_id.eq(session.clone()));
        }
        if let Some(words) = &$query.search {
            // A piece of SQL keeps Diesel from holding on to the prepared statement, which PostgreSQL
            // may in the end plan without regard to the words, and then past the index.
            let holds = sql::<Bool>("conversations.search_text LIKE ");
            rows = rows.filter(holds.bind::<Text, _>(columns::containing(&words.to_lowercase())).sql(" ESCAPE '\\'"));
        }
        if let Some(since) = $query.since {
            rows = rows.filter(conv::created_at_ms.ge(since.as_ms()));
        }
        rows
    }};
}

macro_rules! page {
    ($c:expr, $rows:expr, $query:expr, $order:expr, $window:expr, $limit:expr) => {{
        let mut rows = filtered!($rows, $query);
        if let Window::After(moment, id) = $window {
            let (ms, id) = (moment.as_ms(), id.to_string());
            rows = match $order {
                ConversationOrder::CreatedDesc => {
                    rows.filter(conv::created_at_ms.lt(ms).or(conv::created_at_ms.eq(ms).and(conv::id.lt(id))))
                }
                ConversationOrder::CreatedAsc => {
                    rows.filter(conv::created_at_ms.gt(ms).or(conv::created_at_ms.eq(ms).and(conv::id.gt(id))))
                }
                ConversationOrder::UpdatedDesc => {
                    rows.filter(conv::updated_at_ms.lt(ms).or(conv::updated_at_ms.eq(ms).and(conv::id.lt(id))))
                }
                ConversationOrder::UpdatedAsc => {
                    rows.filter(conv::updated_at_ms.gt(ms).or(conv::updated_at_ms.eq(ms).and(conv::id.gt(id))))
                }
            };
        }
        rows = match $order {
            ConversationOrder::CreatedDesc => rows.order((conv::created_at_ms.desc(), conv::id.desc())),
            ConversationOrder::CreatedAsc => rows.order((conv::created_at_ms.asc(), conv::id.asc())),
            ConversationOrder::UpdatedDesc => rows.order((conv::updated_at_ms.desc(), conv::id.desc())),
            ConversationOrder::UpdatedAsc => rows.order((conv::updated_at_ms.asc(), conv::id.asc())),
        };
        if let Window::Offset(offset) = $window {
            rows = rows.offset(offset);
        }
        rows.limit($limit).select(Row::as_select()).load($c).await
    }};
}

/// One page of a list.
///
/// # Errors
/// Only the database's own.
pub async fn list(
    c: &mut Conn,
    site: SiteId,
    query: &ConversationQuery,
    order: ConversationOrder,
    window: Window,
    limit: i64,
) -> Result<Vec<Conversation>> {
    let wanted = match window {
        Window::Offset(offset) => offset.saturating_add(limit),
        Window::After(..) => limit,
    };
    let candidates = candidates(c, site, query, MaxCandidates::ForPage { wanted }).await?;
    let rows: Vec<Row> = on!(c, <B> |c| {
        page!(c, rows_of_site!(B, site, candidates.as_ref()), query, order, window, limit)
    })?;
    rows.into_iter().map(Conversation::try_from).collect()
}

/// How many conversations a list has in all.
///
/// # Errors
/// Only the database's own.
pub async fn count(c: &mut Conn, site: SiteId, query: &ConversationQuery) -> Result<i64> {
    let candidates = candidates(c, site, query, MaxCandidates::ForCount).await?;
    Ok(on!(c, <B> |c| {
        filtered!(rows_of_site!(B, site, candidates.as_ref()), query).count().get_result(c).await
    })?)
}

/// Returns the candidates of the search index. `None` when it is faster to check every row in
/// order: nothing is searched for, or only the rows of one session are.
async fn candidates(
    c: &mut Conn,
    site: SiteId,
    query: &ConversationQuery,
    max: MaxCandidates,
) -> Result<Option<search::Candidates>> {
    match &query.search {
        Some(words) if query.session_id.is_none() => search::candidates(c, site, words, max).await,
        _ => Ok(None),
    }
}
