//! The questions of visitors in their groups, in memory. Only [`topics`](super::topics) uses it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use helpbot_db::topics::{Asked, AskedAt};
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_engine::topics::{TopicGrouping, same_question_key};
use tokio::sync::Mutex as AsyncMutex;

/// Number of different questions of all sites that are kept in memory, each with about 2 KiB.
const KEPT_MAX: usize = 50_000;

/// The groups of the sites that were looked at last.
#[derive(Default)]
pub(crate) struct TopicCache {
    sites: Mutex<HashMap<SiteId, CachedTopics>>,
}

struct CachedTopics {
    topics: Arc<AsyncMutex<SiteTopics>>,
    questions: usize,
    last_use: Timestamp,
}

/// A question in one wording, with its group.
pub(super) struct GroupedQuestion {
    /// The question as it was first asked.
    pub text: String,
    /// Number of its group.
    pub topic: usize,
    /// The last conversation in which it was asked.
    pub last: ConversationId,
    /// The last conversation in which it had no answer.
    pub last_unanswered: Option<ConversationId>,
    days: Vec<DayCount>,
}

/// How often a question was asked on a day.
struct DayCount {
    day: i32,
    asked: u32,
    unanswered: u32,
}

/// How often a question was asked in a range of days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct QuestionCounts {
    pub asked: i64,
    pub unanswered: i64,
}

/// All questions of a site in their groups.
#[derive(Default)]
pub(super) struct SiteTopics {
    pub language: Option<String>,
    grouping: Option<TopicGrouping>,
    places: HashMap<String, usize>,
    pub questions: Vec<GroupedQuestion>,
    /// The last conversation that is too old to be read. `None` when all are read.
    pub start: Option<AskedAt>,
    /// The last conversation that was read.
    pub last: Option<AskedAt>,
    /// The latest conversations, which may be read again.
    pub recent: HashSet<ConversationId>,
    pub conversations: i64,
}

impl GroupedQuestion {
    /// Returns how often the question was asked since a day. The first day of all is `i32::MIN`.
    pub fn since(&self, day: i32) -> QuestionCounts {
        let days = self.days.iter().filter(|count| count.day >= day);
        days.fold(QuestionCounts::default(), |counts, of_day| QuestionCounts {
            asked: counts.asked + i64::from(of_day.asked),
            unanswered: counts.unanswered + i64::from(of_day.unanswered),
        })
    }
}

impl SiteTopics {
    /// Returns the question that is equal to a text.
    pub fn of(&self, question: &str) -> Option<&GroupedQuestion> {
        self.places.get(&key(question)).map(|place| &self.questions[*place])
    }

    /// Creates empty groups for a site in this language.
    pub fn new(language: Option<&str>) -> Self {
        Self { language: language.map(str::to_owned), ..Self::default() }
    }

    /// Adds a conversation. Conversations must be added oldest first.
    pub fn add(&mut self, asked: &Asked) {
        self.conversations += 1;
        self.last = self.last.max(Some(asked.at));
        self.recent.insert(asked.at.id);
        if !asked.is_small_talk {
            self.count(asked);
        }
    }

    fn count(&mut self, asked: &Asked) {
        let key = key(&asked.question);
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => {
                let grouping = self.grouping.get_or_insert_with(|| TopicGrouping::new(self.language.as_deref()));
                let topic = grouping.add(&asked.question);
                self.places.insert(key, self.questions.len());
                self.questions.push(GroupedQuestion {
                    text: asked.question.clone(),
                    topic,
                    last: asked.at.id,
                    last_unanswered: None,
                    days: Vec::new(),
                });
                self.questions.len() - 1
            }
        };
        let question = &mut self.questions[place];
        question.last = asked.at.id;
        if asked.is_unanswered {
            question.last_unanswered = Some(asked.at.id);
        }
        let day = asked.at.created_at.day().number();
        let count = match question.days.iter_mut().rev().find(|count| count.day == day) {
            Some(count) => count,
            None => {
                question.days.push(DayCount { day, asked: 0, unanswered: 0 });
                let last = question.days.len() - 1;
                &mut question.days[last]
            }
        };
        count.asked += 1;
        count.unanswered += u32::from(asked.is_unanswered);
    }
}

/// Returns what equal questions have in common. A text without words is equal only to itself.
pub(super) fn key(question: &str) -> String {
    let key = same_question_key(question);
    if key.is_empty() { question.trim().to_owned() } else { key }
}

impl TopicCache {
    /// Returns the groups of a site, which are empty at first.
    pub(super) fn of(&self, site: SiteId, now: Timestamp) -> Arc<AsyncMutex<SiteTopics>> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || CachedTopics { topics: Arc::default(), questions: 0, last_use: now };
        let cached = sites.entry(site).or_insert_with(fresh);
        cached.last_use = now;
        cached.topics.clone()
    }

    /// Records how much a site keeps, and drops the sites that were not looked at for longest.
    pub fn keep(&self, site: SiteId, questions: usize) {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cached) = sites.get_mut(&site) {
            cached.questions = questions;
        }
        while sites.len() > 1 && sites.values().map(|cached| cached.questions).sum::<usize>() > KEPT_MAX {
            let others = sites.iter().filter(|(other, _)| **other != site);
            let Some(oldest) = others.min_by_key(|(_, cached)| cached.last_use).map(|(oldest, _)| *oldest) else {
                break;
            };
            sites.remove(&oldest);
        }
    }

    /// Drops the groups of a site that was deleted or whose session was erased.
    pub fn forget(&self, site: SiteId) {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner).remove(&site);
    }
}
