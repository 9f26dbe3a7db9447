//! Lists of conversations: filtered, ordered, paged and counted.

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use helpbot_domain::ids::{ConversationId, MemberId, SiteId};
use helpbot_domain::{Timestamp, text};

use crate::columns;
use crate::connection::conn::{Conn, on};
use crate::connection::grouped::Grouped;
use crate::connection::paged::Paged;
use crate::connection::run::RunQueryDsl;
use crate::conversations::partial_row::{PartialColumns, PartialRow};
use crate::conversations::search::{self, MaxCandidates, rows_of_site};
use crate::error::Result;
use crate::schema::conversation_tags as tags;
use crate::schema::conversations as conv;
use helpbot_domain::conversation::{Conversation, HandoffStatus, Outcome, Vote};
use helpbot_domain::conversation_order::ConversationOrder;
use helpbot_domain::conversation_parts::ConversationParts;
use helpbot_domain::conversation_query::{ConversationFilter, ConversationQuery};

/// The part of a list to return.
#[derive(Debug, Clone, Copy)]
pub enum Window {
    /// Number of conversations to skip.
    Offset(i64),
    /// Conversations after this time and ID in the order of the list.
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
            // Raw SQL keeps Diesel from caching the prepared statement. PostgreSQL may plan a
            // cached statement without regard to the words, and then does not use the search index.
            let holds = sql::<Bool>("conversations.search_text LIKE ");
            rows = rows.filter(holds.bind::<Text, _>(columns::containing(&text::folded(words))).sql(" ESCAPE '\\'"));
        }
        if let Some(since) = $query.since {
            rows = rows.filter(conv::created_at_ms.ge(since.as_ms()));
        }
        if let Some(until) = $query.until {
            rows = rows.filter(conv::created_at_ms.lt(until.as_ms()));
        }
        if let Some(outcomes) = &$query.outcomes {
            // The index of unanswered conversations has this condition.
            if !outcomes.is_empty() && outcomes.iter().all(|outcome| outcome.is_unanswered()) {
                rows = rows.filter(conv::is_unanswered.eq(true));
            }
            let names: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
            rows = rows.filter(conv::outcome.eq_any(names));
        }
        if let Some(votes) = &$query.votes {
            let helpful: Vec<bool> = votes.iter().map(|vote| *vote == Vote::Yes).collect();
            rows = rows.filter(conv::is_helpful.eq_any(helpful));
        }
        if let Some(languages) = &$query.languages {
            rows = rows.filter(conv::language.eq_any(languages.clone()));
        }
        rows = match $query.has_handoff {
            Some(true) => rows.filter(conv::handoff_status.is_not_null()),
            Some(false) => rows.filter(conv::handoff_status.is_null()),
            None => rows,
        };
        rows = match $query.is_assigned {
            Some(true) => rows.filter(conv::assignee_id.is_not_null()),
            Some(false) => rows.filter(conv::assignee_id.is_null()),
            None => rows,
        };
        if let Some(statuses) = &$query.handoffs {
            let names: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
            rows = rows.filter(conv::handoff_status.eq_any(names));
        }
        if let Some(member) = $query.assignee {
            rows = rows.filter(conv::assignee_id.eq(member.to_string()));
        }
        if let Some(priorities) = &$query.priorities {
            let names: Vec<&str> = priorities.iter().map(|priority| priority.as_str()).collect();
            rows = rows.filter(conv::priority.eq_any(names));
        }
        if let Some(wanted) = &$query.tags {
            let tagged = tags::table
                .filter(tags::site_id.eq(conv::site_id))
                .filter(tags::conversation_id.eq(conv::id))
                .filter(tags::tag.eq_any(wanted.clone()));
            rows = rows.filter(exists(tagged));
        }
        if let Some(email) = &$query.email {
            // Only conversations with a handoff have an address, and they have an index.
            let holds = sql::<Bool>("lower(conversations.customer_email) LIKE ");
            rows = rows.filter(conv::handoff_status.is_not_null());
            rows = rows.filter(holds.bind::<Text, _>(columns::containing(&email.to_lowercase())).sql(" ESCAPE '\\'"));
        }
        rows
    }};
}

macro_rules! page {
    ($rows:expr, $query:expr, $page:expr) => {{
        let mut rows = filtered!($rows, $query);
        let PageOfList { order, window, limit, parts } = $page;
        if matches!(order, ConversationOrder::HandoffDesc | ConversationOrder::HandoffAsc) {
            rows = rows.filter(conv::handoff_at_ms.is_not_null());
        }
        if let Window::After(moment, id) = window {
            let (ms, id) = (moment.as_ms(), id.to_string());
            rows = match order {
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
                // `assume_not_null` holds: a list in this order has only rows with a handoff.
                ConversationOrder::HandoffDesc => {
                    let at = conv::handoff_at_ms.assume_not_null();
                    rows.filter(at.lt(ms).or(at.eq(ms).and(conv::id.lt(id))))
                }
                ConversationOrder::HandoffAsc => {
                    let at = conv::handoff_at_ms.assume_not_null();
                    rows.filter(at.gt(ms).or(at.eq(ms).and(conv::id.gt(id))))
                }
            };
        }
        rows = match order {
            ConversationOrder::CreatedDesc => rows.order((conv::created_at_ms.desc(), conv::id.desc())),
            ConversationOrder::CreatedAsc => rows.order((conv::created_at_ms.asc(), conv::id.asc())),
            ConversationOrder::UpdatedDesc => rows.order((conv::updated_at_ms.desc(), conv::id.desc())),
            ConversationOrder::UpdatedAsc => rows.order((conv::updated_at_ms.asc(), conv::id.asc())),
            ConversationOrder::HandoffDesc => rows.order((conv::handoff_at_ms.desc(), conv::id.desc())),
            ConversationOrder::HandoffAsc => rows.order((conv::handoff_at_ms.asc(), conv::id.asc())),
        };
        let offset = match window {
            Window::Offset(offset) => offset,
            Window::After(..) => 0,
        };
        Paged { rows: rows.select(PartialColumns(parts)), limit, offset }
    }};
}

/// One page of a list.
#[derive(Debug, Clone, Copy)]
pub struct PageOfList {
    /// Order of the list.
    pub order: ConversationOrder,
    /// Where the page begins.
    pub window: Window,
    /// Maximum number of conversations.
    pub limit: i64,
    /// Parts of the conversations to read. The other parts are empty.
    pub parts: ConversationParts,
}

/// Returns one page of a list.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(
    c: &mut Conn,
    site: SiteId,
    query: &ConversationQuery,
    page: PageOfList,
) -> Result<Vec<Conversation>> {
    let wanted = match page.window {
        Window::Offset(offset) => offset.saturating_add(page.limit),
        Window::After(..) => page.limit,
    };
    let candidates = candidates(c, site, query, MaxCandidates::ForPage { wanted }).await?;
    let rows: Vec<PartialRow> =
        on!(c, <B> |c| page!(rows_of_site!(B, site, candidates.as_ref()), query, page).load(c).await)?;
    Ok(rows.into_iter().map(|row| row.of(site)).collect())
}

/// Returns the total number of conversations in a list.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId, query: &ConversationQuery) -> Result<i64> {
    let candidates = candidates(c, site, query, MaxCandidates::ForCount).await?;
    Ok(on!(c, <B> |c| {
        filtered!(rows_of_site!(B, site, candidates.as_ref()), query).count().get_result(c).await
    })?)
}

/// Returns the time of the question number `n` of a site, counted from the newest, which has number 1. `None` when there are fewer.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn nth_newest(c: &mut Conn, site: SiteId, n: i64) -> Result<Option<Timestamp>> {
    let site = site.to_string();
    // The index contains all of these columns.
    let found: Option<i64> = on!(c, |c| {
        conv::table
            .filter(conv::site_id.eq(&site))
            .order((conv::created_at_ms.desc(), conv::id.desc()))
            .select(conv::created_at_ms)
            .limit(1)
            .offset(n - 1)
            .first(c)
            .await
            .optional()
    })?;
    Ok(found.map(Timestamp::from_ms))
}

/// The number of conversations that have the same values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationGroup {
    /// Outcome of the questions.
    pub outcome: Outcome,
    /// Vote on the answers.
    pub vote: Option<Vote>,
    /// Status of the handoffs.
    pub handoff: Option<HandoffStatus>,
    /// Member to whom the conversations are assigned.
    pub assignee: Option<MemberId>,
    /// Language of the answers.
    pub language: Option<String>,
    /// Number of conversations in the group.
    pub count: i64,
}

/// Returns the conversations of a list in groups, in no particular order.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn groups(c: &mut Conn, site: SiteId, query: &ConversationQuery) -> Result<Vec<ConversationGroup>> {
    type GroupRow = (String, Option<bool>, Option<String>, Option<String>, Option<String>, i64);
    let candidates = candidates(c, site, query, MaxCandidates::ForCount).await?;
    let rows: Vec<GroupRow> = on!(c, <B> |c| {
        let rows = filtered!(rows_of_site!(B, site, candidates.as_ref()), query).select((
            conv::outcome,
            conv::is_helpful,
            conv::handoff_status,
            conv::assignee_id,
            conv::language,
            sql::<BigInt>("COUNT(*)"),
        ));
        Grouped { rows, columns: "1, 2, 3, 4, 5" }.load(c).await
    })?;
    let group = |(outcome, helpful, handoff, assignee, language, count): GroupRow| {
        Ok(ConversationGroup {
            outcome: columns::named(&outcome)?,
            vote: helpful.map(Vote::from_bool),
            handoff: handoff.as_deref().map(columns::named).transpose()?,
            assignee: columns::parse_opt(assignee.as_deref())?,
            language,
            count,
        })
    };
    rows.into_iter().map(group).collect()
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
