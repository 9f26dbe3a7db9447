//! Lists of conversations: filtered, in order, in parts, counted.

use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ConversationId, SiteId};

use super::{Conversation, Row};
use crate::conn::on;
use crate::schema::conversations as conv;
use crate::search::{self, Most};
use crate::{Conn, Result, columns};

/// Which conversations a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Filter {
    /// All of them.
    #[default]
    All,
    /// Without an answer.
    Unanswered,
    /// With one.
    Answered,
    /// Handed to a human.
    Handoff,
    /// Voted helpful.
    Helpful,
    /// Voted unhelpful.
    Unhelpful,
}

/// The order of a list; ties go by id in the same direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Last asked first.
    #[default]
    CreatedDesc,
    /// First asked first.
    CreatedAsc,
    /// Last changed first.
    UpdatedDesc,
    /// First changed first.
    UpdatedAsc,
}

impl Order {
    /// The opposite direction.
    pub const fn reversed(self) -> Self {
        match self {
            Order::CreatedDesc => Order::CreatedAsc,
            Order::CreatedAsc => Order::CreatedDesc,
            Order::UpdatedDesc => Order::UpdatedAsc,
            Order::UpdatedAsc => Order::UpdatedDesc,
        }
    }

    /// The moment that the order goes by.
    pub const fn key(self, conversation: &Conversation) -> Timestamp {
        match self {
            Order::CreatedDesc | Order::CreatedAsc => conversation.created_at,
            Order::UpdatedDesc | Order::UpdatedAsc => conversation.updated_at,
        }
    }
}

/// What a list is of; all conditions hold together.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Which kinds.
    pub filter: Filter,
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
            Filter::All => rows,
            Filter::Unanswered => rows.filter(conv::is_unanswered.eq(true)),
            Filter::Answered => rows.filter(conv::is_unanswered.eq(false)),
            Filter::Handoff => rows.filter(conv::handoff_status.is_not_null()),
            Filter::Helpful => rows.filter(conv::is_helpful.eq(true)),
            Filter::Unhelpful => rows.filter(conv::is_helpful.eq(false)),
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
                Order::CreatedDesc => {
                    rows.filter(conv::created_at_ms.lt(ms).or(conv::created_at_ms.eq(ms).and(conv::id.lt(id))))
                }
                Order::CreatedAsc => {
                    rows.filter(conv::created_at_ms.gt(ms).or(conv::created_at_ms.eq(ms).and(conv::id.gt(id))))
                }
                Order::UpdatedDesc => {
                    rows.filter(conv::updated_at_ms.lt(ms).or(conv::updated_at_ms.eq(ms).and(conv::id.lt(id))))
                }
                Order::UpdatedAsc => {
                    rows.filter(conv::updated_at_ms.gt(ms).or(conv::updated_at_ms.eq(ms).and(conv::id.gt(id))))
                }
            };
        }
        rows = match $order {
            Order::CreatedDesc => rows.order((conv::created_at_ms.desc(), conv::id.desc())),
            Order::CreatedAsc => rows.order((conv::created_at_ms.asc(), conv::id.asc())),
            Order::UpdatedDesc => rows.order((conv::updated_at_ms.desc(), conv::id.desc())),
            Order::UpdatedAsc => rows.order((conv::updated_at_ms.asc(), conv::id.asc())),
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
    query: &Query,
    order: Order,
    window: Window,
    limit: i64,
) -> Result<Vec<Conversation>> {
    let wanted = match window {
        Window::Offset(offset) => offset.saturating_add(limit),
        Window::After(..) => limit,
    };
    let candidates = search::candidates(c, site, query, Most::Listed { wanted }).await?;
    let rows: Vec<Row> = on!(
        c,
        sqlite | c | page!(c, search::of_site(site, candidates), query, order, window, limit),
        pg | c | page!(c, of_site(site), query, order, window, limit)
    )?;
    rows.into_iter().map(Conversation::try_from).collect()
}

/// How many conversations a list has in all.
///
/// # Errors
/// Only the database's own.
pub async fn count(c: &mut Conn, site: SiteId, query: &Query) -> Result<i64> {
    let candidates = search::candidates(c, site, query, Most::Counted).await?;
    Ok(on!(
        c,
        sqlite | c | filtered!(search::of_site(site, candidates), query).count().get_result(c).await,
        pg | c | filtered!(of_site(site), query).count().get_result(c).await
    )?)
}

/// The site's rows on PostgreSQL, whose planner finds the index of the search by itself.
fn of_site(site: SiteId) -> conv::BoxedQuery<'static, Pg> {
    conv::table.filter(conv::site_id.eq(site.to_string())).into_boxed()
}
