//! Lists of conversations: filtered, searched, in pages.

use helpbot_db as db;
use helpbot_db::conversations::{Query, Window};
use helpbot_db::stats::Counts;
use helpbot_domain::ids::ConversationId;
use helpbot_domain::key::Scope;
use helpbot_domain::plan::Feature;
use helpbot_domain::time::Day;
use helpbot_domain::{Timestamp, text};

use crate::accounts::sites;
use crate::{Conversation, ConversationFilter, ConversationOrder, Result, Services, Site, Viewer, boxed};

/// What a list of conversations shows.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Which kinds.
    pub filter: ConversationFilter,
    /// Of one session only.
    pub session_id: Option<String>,
    /// With these words in question or answer.
    pub search: Option<String>,
    /// Asked at or after.
    pub since: Option<Timestamp>,
    /// In which order.
    pub order: ConversationOrder,
}

/// The longest search; more is cut, as the REST contract says.
const SEARCH_MAX_CHARS: usize = 200;

/// After every day that has counts.
const LAST_DAY: Day = Day::from_number(i32::MAX);
/// Before every day that has counts.
const FIRST_DAY: Day = Day::from_number(i32::MIN);

impl ListQuery {
    /// The first day of a list that consists of whole days' conversations of one kind, whose
    /// numbers are kept by day: a million rows need not be counted to say how many they are.
    fn first_whole_day(&self) -> Option<Day> {
        let has_words = self.search.as_deref().is_some_and(|words| !words.trim().is_empty());
        if has_words || self.session_id.is_some() {
            return None;
        }
        match self.since {
            None => Some(FIRST_DAY),
            Some(since) => Some(since.day()).filter(|day| day.start() == since),
        }
    }

    /// How many of a day's conversations are of the kind that is listed.
    const fn of_day(&self, counts: &Counts) -> i64 {
        match self.filter {
            ConversationFilter::All => counts.questions,
            ConversationFilter::Unanswered => counts.unanswered,
            ConversationFilter::Answered => counts.questions - counts.unanswered,
            ConversationFilter::Handoff => counts.handoffs,
            ConversationFilter::Helpful => counts.helpful,
            ConversationFilter::Unhelpful => counts.unhelpful,
        }
    }

    fn stored(&self) -> Query {
        let search = self.search.as_deref().map(str::trim).filter(|words| !words.is_empty());
        Query {
            filter: self.filter,
            session_id: self.session_id.as_ref().map(|session| session.replace('\0', "\u{fffd}")),
            // What no stored text holds finds nothing; left in, PostgreSQL would refuse it.
            search: search.map(|words| text::cut(words, SEARCH_MAX_CHARS).replace('\0', "\u{fffd}")),
            since: self.since,
        }
    }
}

/// Where a page of the list begins.
#[derive(Debug, Clone, Copy)]
pub enum From {
    /// So many from its start.
    Offset(i64),
    /// After an item: its moment in the order, and its id.
    After(Timestamp, ConversationId),
    /// Before an item, walking backward: the page comes in reversed order.
    Before(Timestamp, ConversationId),
    /// From its end, walking backward.
    End,
}

/// One page of the site's conversations, at most `limit`.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    query: &ListQuery,
    from: From,
    limit: i64,
) -> Result<Vec<Conversation>> {
    require_list(viewer, site)?;
    let (order, window) = match from {
        From::Offset(offset) => (query.order, Window::Offset(offset)),
        From::After(moment, id) => (query.order, Window::After(moment, id)),
        From::Before(moment, id) => (query.order.reversed(), Window::After(moment, id)),
        From::End => (query.order.reversed(), Window::Offset(0)),
    };
    let mut c = services.db.reader().await?;
    Ok(db::conversations::list(&mut c, site.id, &query.stored(), order, window, limit).await?)
}

/// How many conversations the list has in all.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, site: &Site, query: &ListQuery) -> Result<i64> {
    require_list(viewer, site)?;
    let mut c = services.db.reader().await?;
    match query.first_whole_day() {
        Some(first) => {
            let days = db::stats::between(&mut c, site.id, first, LAST_DAY).await?;
            Ok(days.iter().map(|(_, counts)| query.of_day(counts)).sum())
        }
        None => Ok(db::conversations::count(&mut c, site.id, &query.stored()).await?),
    }
}

fn require_list(viewer: &Viewer, site: &Site) -> Result<()> {
    viewer.require(Scope::ReadConversations)?;
    viewer.site(Some(site.id))?;
    sites::require_feature(site, Feature::Conversations)
}
