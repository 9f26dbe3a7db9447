//! Lists of conversations: filtered, searched and paginated.

use helpbot_db as db;
use helpbot_db::conversations::{PageOfList, Window};
use helpbot_db::stats::DailyCounts;
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::plan::Feature;
use helpbot_domain::time::Day;
use helpbot_domain::{Timestamp, text};

use crate::accounts::sites;
use crate::{Result, Services, Viewer, boxed};
use helpbot_domain::conversation::{Conversation, HandoffStatus};
use helpbot_domain::conversation_order::ConversationOrder;
use helpbot_domain::conversation_parts::ConversationParts;
use helpbot_domain::conversation_query::{ConversationFilter, ConversationQuery};
use helpbot_domain::site::Site;

/// Which conversations a list contains, and in which order.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Conditions that select the conversations.
    pub conditions: ConversationQuery,
    /// Order of the list.
    pub order: ConversationOrder,
}

/// Maximum length of a search text. Longer texts are cut, as the REST contract says.
const SEARCH_MAX_CHARS: usize = 200;

/// Texts with fewer characters are in no search index, so that each row has to be compared.
const INDEXED_SEARCH_CHARS: usize = 3;
/// Number of conversations, newest first, in which a text of one or two characters is searched. Comparing them takes some 20 ms.
const SHORT_SEARCH_ROWS: i64 = 20_000;
/// Number of conversations before a page from which on its place is computed and not counted off.
const DEEP: i64 = 1_000;

/// A day after all days that have counts.
const LAST_DAY: Day = Day::from_number(i32::MAX);
/// A day before all days that have counts.
const FIRST_DAY: Day = Day::from_number(i32::MIN);

impl ListQuery {
    /// Returns the first day of a list that contains all conversations of one kind of whole days.
    /// The total of such a list is the sum of the daily counts, so a million rows need not be
    /// counted.
    fn first_whole_day(&self) -> Option<Day> {
        let ConversationQuery { filter, since, search, .. } = &self.conditions;
        let has_words = search.as_deref().is_some_and(|words| !words.trim().is_empty());
        let counted = ConversationQuery { filter: *filter, since: *since, ..ConversationQuery::default() };
        let others = ConversationQuery { search: None, ..self.conditions.clone() };
        if has_words || others != counted {
            return None;
        }
        match *since {
            None => Some(FIRST_DAY),
            Some(since) => Some(since.day()).filter(|day| day.start() == since),
        }
    }

    /// Returns the list with the condition that its order implies.
    fn with_conditions_of_order(&self) -> Self {
        let mut query = self.clone();
        let conditions = &mut query.conditions;
        if self.order.is_by_handoff() {
            match conditions.filter {
                ConversationFilter::All => conditions.filter = ConversationFilter::Handoff,
                ConversationFilter::Handoff => {}
                _ => {
                    conditions.handoffs.get_or_insert_with(|| HandoffStatus::ALL.to_vec());
                }
            }
        }
        query
    }

    /// Returns how many conversations of a day are in the list.
    const fn of_day(&self, counts: &DailyCounts) -> i64 {
        match self.conditions.filter {
            ConversationFilter::All => counts.questions,
            ConversationFilter::Unanswered => counts.unanswered,
            ConversationFilter::Answered => counts.questions - counts.unanswered,
            ConversationFilter::Handoff => counts.handoffs,
            ConversationFilter::Helpful => counts.helpful,
            ConversationFilter::Unhelpful => counts.unhelpful,
        }
    }

    /// Returns the conditions as the database can compare them.
    fn stored(&self) -> ConversationQuery {
        let mut stored = self.conditions.clone();
        stored.session_id = stored.session_id.as_deref().map(text::storable);
        stored.languages = stored.languages.map(|all| all.iter().map(|language| text::storable(language)).collect());
        stored.tags = stored.tags.map(|all| all.iter().map(|tag| text::storable(tag)).collect());
        stored.email = stored.email.as_deref().map(|email| text::storable(text::cut(email.trim(), SEARCH_MAX_CHARS)));
        stored.search = stored.search.as_deref().and_then(searched);
        stored
    }
}

/// Returns a search text as the database can compare it. `None` when there is nothing to search for.
pub(super) fn searched(words: &str) -> Option<String> {
    let words = words.trim();
    (!words.is_empty()).then(|| text::storable(text::cut(words, SEARCH_MAX_CHARS)))
}

/// Where a page of the list starts.
#[derive(Debug, Clone, Copy)]
pub enum ListStart {
    /// After this number of items from the start of the list.
    Offset(i64),
    /// After the item with this time and ID.
    After(Timestamp, ConversationId),
    /// Before the item with this time and ID. The page is returned in reverse order.
    Before(Timestamp, ConversationId),
    /// At the end of the list. The page is returned in reverse order.
    End,
}

/// The part of a list to read.
#[derive(Debug, Clone, Copy)]
pub struct ListPage {
    /// Where the page starts.
    pub from: ListStart,
    /// Maximum number of conversations.
    pub limit: i64,
    /// Parts of the conversations to read. The other parts are empty and must not be used.
    pub parts: ConversationParts,
}

/// Returns one page of the site's conversations.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    query: &ListQuery,
    page: ListPage,
) -> Result<Vec<Conversation>> {
    require_list(viewer, site)?;
    let (order, window) = match page.from {
        ListStart::Offset(offset) => (query.order, Window::Offset(offset)),
        ListStart::After(moment, id) => (query.order, Window::After(moment, id)),
        ListStart::Before(moment, id) => (query.order.reversed(), Window::After(moment, id)),
        ListStart::End => (query.order.reversed(), Window::Offset(0)),
    };
    let mut c = services.db.reader_of(site.id).await?;
    let mut conditions = stored(&mut c, site.id, query).await?;
    let window = match window {
        Window::Offset(offset) if offset >= DEEP => {
            let Some(left) = skip_days(&mut c, site.id, query, offset, &mut conditions).await? else {
                return Ok(Vec::new());
            };
            Window::Offset(left)
        }
        window => window,
    };
    let page = PageOfList { order, window, limit: page.limit, parts: page.parts };
    Ok(db::conversations::list(&mut c, site.id, &conditions, page).await?)
}

/// Restricts a list to the days from that of its conversation number `offset` on, and returns how many conversations of that day come
/// before it. The daily counts tell which day it is, so a page far behind costs as much as its day. Lists whose days are not counted stay
/// as they are. `None` when the list is shorter.
async fn skip_days(
    c: &mut db::Conn,
    site: SiteId,
    query: &ListQuery,
    offset: i64,
    conditions: &mut ConversationQuery,
) -> Result<Option<i64>> {
    let is_newest_first = match query.order {
        ConversationOrder::CreatedDesc => true,
        ConversationOrder::CreatedAsc => false,
        _ => return Ok(Some(offset)),
    };
    let Some(first) = query.first_whole_day() else { return Ok(Some(offset)) };
    let mut days = db::stats::stored_between(c, site, first, LAST_DAY).await?;
    if is_newest_first {
        days.reverse();
    }
    let mut left = offset;
    for (day, counts) in days {
        let of_day = query.of_day(&counts);
        if left < of_day {
            if is_newest_first {
                conditions.until = Some(day.minus(-1).start());
            } else {
                conditions.since = Some(day.start());
            }
            return Ok(Some(left));
        }
        left -= of_day;
    }
    Ok(None)
}

/// The conditions of a list as the database can compare them. A text that is too short for the search index is searched in the newest
/// [`SHORT_SEARCH_ROWS`] conversations, unless only those of one session are.
pub(super) async fn stored(c: &mut db::Conn, site: SiteId, query: &ListQuery) -> Result<ConversationQuery> {
    let mut stored = query.stored();
    let is_short = |words: &String| text::folded(words).chars().count() < INDEXED_SEARCH_CHARS;
    if stored.session_id.is_none() && stored.search.as_ref().is_some_and(is_short) {
        let first = db::conversations::nth_newest(c, site, SHORT_SEARCH_ROWS).await?;
        stored.since = stored.since.max(first);
    }
    Ok(stored)
}

/// Returns the number of conversations in the list.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, site: &Site, query: &ListQuery) -> Result<i64> {
    require_list(viewer, site)?;
    let query = &query.with_conditions_of_order();
    let mut c = services.db.reader_of(site.id).await?;
    match query.first_whole_day() {
        Some(first) => {
            let days = db::stats::stored_between(&mut c, site.id, first, LAST_DAY).await?;
            Ok(days.iter().map(|(_, counts)| query.of_day(counts)).sum())
        }
        None => {
            let conditions = stored(&mut c, site.id, query).await?;
            Ok(db::conversations::count(&mut c, site.id, &conditions).await?)
        }
    }
}

pub(super) fn require_list(viewer: &Viewer, site: &Site) -> Result<()> {
    viewer.require(Scope::ReadConversations)?;
    viewer.site(Some(site.id))?;
    sites::require_feature(site, Feature::Conversations)
}
