//! Topics: the questions of visitors, grouped by meaning, with those that have no answer first, and
//! whether the site could answer them now.
//!
//! The groups are kept in memory and continued with each look ([`reading`]). The grouping never moves
//! an earlier question when a new one arrives. Only the site's own index decides what could be
//! answered; no model server is asked. The owner can dismiss a topic; it is then left out until it is
//! restored.

mod counted;
mod reading;

use std::collections::HashSet;

use helpbot_db as db;
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::plan::Feature;
use helpbot_domain::range::Range;
use helpbot_domain::site::Site;

use crate::accounts::sites;
use crate::knowledge::entries::Entry;
use crate::knowledge::topic_cache::key;
use crate::knowledge::{indexes, promises};
use crate::{Error, Result, Services, Viewer, boxed};
use counted::{CountedTopic, answers, counted, hash, question, shown, whole};

/// Maximum number of questions per topic, most asked first.
const SHOWN_MAX: usize = 20;
/// Maximum number of dismissed questions of a site.
const DISMISSED_MAX: i64 = 10_000;

/// Which questions are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicKind {
    /// Those that have no answer.
    Unanswered,
    /// All of them.
    All,
}

/// The position of a topic in its list: how often it was asked, and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicPosition {
    /// Number of times that its questions were asked.
    pub count: i64,
    /// Number of the topic.
    pub number: usize,
}

/// Questions with the same meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Position of the topic in its list.
    pub position: TopicPosition,
    /// Whether the owner dismissed the topic.
    pub is_dismissed: bool,
    /// The most asked of the questions.
    pub label: String,
    /// Number of times they were asked.
    pub count: i64,
    /// Number of times they were left without an answer.
    pub unanswered_count: i64,
    /// The different questions, most asked first, 1 to 20.
    pub questions: Vec<Question>,
}

/// A question in one wording. Case, spaces and punctuation make no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question as it was first asked.
    pub text: String,
    /// Number of times it was asked.
    pub count: i64,
    /// Number of times it was left without an answer.
    pub unanswered_count: i64,
    /// The last conversation in which it was asked.
    pub conversation_id: ConversationId,
    /// Whether the site would answer it now.
    pub is_answered_now: bool,
}

impl std::fmt::Display for TopicPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.count, self.number)
    }
}

impl std::str::FromStr for TopicPosition {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (count, number) = text.split_once(':').unwrap_or((text, ""));
        Ok(Self { count: count.parse()?, number: number.parse()? })
    }
}

/// Returns the topics of the questions in `range` that have no answer, most asked first, at most
/// `limit`, without dismissed ones.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn unanswered(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    range: Range,
    limit: usize,
) -> Result<Vec<Topic>> {
    first(services, viewer, site, range, TopicKind::Unanswered, limit).await
}

/// Returns the topics of all questions in `range`, most asked first, at most `limit`, without dismissed
/// ones.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn top(services: &Services, viewer: &Viewer, site: &Site, range: Range, limit: usize) -> Result<Vec<Topic>> {
    first(services, viewer, site, range, TopicKind::All, limit).await
}

async fn first(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    range: Range,
    kind: TopicKind,
    limit: usize,
) -> Result<Vec<Topic>> {
    let page = PageRequest::first(i64::try_from(limit).unwrap_or(i64::MAX));
    let list = TopicList { range, kind, with_dismissed: false };
    Ok(page_of(services, viewer, site, list, page).await?.0)
}

/// What a list of topics contains.
#[derive(Debug, Clone, Copy)]
pub struct TopicList {
    /// Days whose questions count.
    pub range: Range,
    /// Questions that are grouped.
    pub kind: TopicKind,
    /// Whether dismissed topics are included.
    pub with_dismissed: bool,
}

/// Returns one page of the topics, most asked first, and the number of all topics.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn page_of(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    list: TopicList,
    page: PageRequest<TopicPosition>,
) -> Result<(Vec<Topic>, i64)> {
    require(viewer, site)?;
    let index = indexes::current_or_previous(services, site).await?;
    let dismissed = dismissed(services, site.id).await?;
    let settings = promises::policy(services, site).await?;
    let first_day = list.range.first_day(services.now().day()).map_or(i32::MIN, |day| day.number());
    let language = index.language().map(str::to_owned);
    reading::with_topics(services, site.id, language.as_deref(), move |topics| {
        let counted = counted(topics, list, first_day, &dismissed);
        let total = i64::try_from(counted.len()).unwrap_or(i64::MAX);
        let limit = usize::try_from(page.limit).unwrap_or(0);
        let shown = |topic: &CountedTopic<'_>| shown(topic, list.kind, &index, &settings);
        let found = if page.is_backward {
            let before = counted.iter().rev().filter(|topic| page.from.is_none_or(|from| topic.is_before(from)));
            before.take(limit).map(shown).collect()
        } else {
            let after = counted.iter().filter(|topic| page.from.is_none_or(|from| topic.is_after(from)));
            after.take(limit).map(shown).collect()
        };
        (found, total)
    })
    .await
}

/// Dismisses the topic of a conversation, or restores it.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`; `LimitReached`.
#[boxed]
pub async fn set_dismissed(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    conversation: ConversationId,
    is_dismissed: bool,
) -> Result<()> {
    viewer.require(Scope::WriteConversations)?;
    let (site, now) = (sites::get(services, viewer, named).await?, services.now());
    require(viewer, &site)?;
    let found = db::conversations::by_id(&mut services.db.reader().await?, site.id, conversation).await?;
    let question = found.ok_or(Error::NotFound("Conversation"))?.question;
    let index = indexes::current_or_previous(services, &site).await?;
    let language = index.language().map(str::to_owned);
    let hashes = reading::with_topics(services, site.id, language.as_deref(), move |topics| {
        let own = topics.of(&question).map(|question| question.topic);
        let members = topics.questions.iter().filter(|member| Some(member.topic) == own);
        let mut hashes: Vec<String> = members.map(|member| hash(&member.text)).collect();
        // The oldest question names the topic.
        hashes.truncate(if is_dismissed { 1 } else { usize::MAX });
        hashes
    })
    .await?;
    let site = site.id;
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                if !is_dismissed {
                    return Ok(db::topics::restore(c, site, &hashes).await?);
                }
                if db::topics::dismissed(c, site).await?.len() >= usize::try_from(DISMISSED_MAX).unwrap_or(usize::MAX) {
                    return Err(Error::LimitReached(format!(
                        "A site can have at most {DISMISSED_MAX} dismissed topics. Restore one first."
                    )));
                }
                for hash in &hashes {
                    db::topics::dismiss(c, site, hash, now).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Returns the unanswered questions, from the topic of a conversation, that `entry` answers now,
/// most asked first. It shows the effect of a new entry.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn answered_by(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    conversation: ConversationId,
    entry: &Entry,
) -> Result<Vec<Question>> {
    viewer.require(Scope::ReadConversations)?;
    let site = sites::get(services, viewer, named).await?;
    let found = db::conversations::by_id(&mut services.db.reader().await?, site.id, conversation).await?;
    let asked = found.ok_or(Error::NotFound("Conversation"))?.question;
    // The previous index does not contain the entry.
    let index = indexes::current(services, &site).await?;
    let (settings, id) = (promises::policy(services, &site).await?, entry.id);
    let language = index.language().map(str::to_owned);
    reading::with_topics(services, site.id, language.as_deref(), move |topics| {
        let own = topics.of(&asked).map(|question| question.topic);
        // The question itself counts although it was answered: the answer was not good enough for the owner.
        let of_topic = topics.questions.iter().filter(|member| Some(member.topic) == own);
        let listed = of_topic.filter_map(|member| {
            let is_own = key(&member.text) == key(&asked);
            question(member, TopicKind::Unanswered, i32::MIN).or_else(|| is_own.then(|| whole(member)))
        });
        let mut listed: Vec<Question> = listed.collect();
        listed.sort_by_key(|question| std::cmp::Reverse(question.count));
        let answered = listed.into_iter().filter(|question| answers(&index, &question.text, &settings) == Some(id));
        answered.map(|question| Question { is_answered_now: true, ..question }).collect()
    })
    .await
}

async fn dismissed(services: &Services, site: SiteId) -> Result<HashSet<String>> {
    let hashes = db::topics::dismissed(&mut services.db.reader().await?, site).await?;
    Ok(hashes.into_iter().collect())
}

/// Topics show the texts of questions, so the scope for statistics is not sufficient.
fn require(viewer: &Viewer, site: &Site) -> Result<()> {
    viewer.require(Scope::ReadAnalytics)?;
    viewer.require(Scope::ReadConversations)?;
    viewer.site(Some(site.id))?;
    sites::require_feature(site, Feature::Analytics)
}
