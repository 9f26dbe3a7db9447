//! Topics: the recent questions of visitors, grouped by meaning, with those that have no answer
//! first, and whether the site could answer them now.
//!
//! Nothing is stored: topics are computed from the conversations on request. The grouping never
//! moves an earlier question when a new one arrives. Only the site's own index decides what could
//! be answered; no model server is asked.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Outcome;
use helpbot_domain::ids::{ChunkId, ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::plan::Feature;
use helpbot_domain::range::Range;
use helpbot_domain::time::Day;
use helpbot_engine::topics::{self, AskedQuestion};
use helpbot_engine::{AnswerPolicy, Index, decide};

use crate::accounts::sites;
use crate::knowledge::entries::Entry;
use crate::knowledge::{indexes, promises};
use crate::{Error, Result, Services, Viewer, blocking, boxed};
use helpbot_domain::site::Site;

/// Maximum number of questions that are grouped, newest first. The time grows with the square of
/// the number: a fifth of a second for these.
const QUESTIONS_MAX: i64 = 2_000;
/// Maximum number of questions per topic, most asked first.
const SHOWN_MAX: usize = 20;

/// Questions with the same meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
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

/// Returns the topics of the questions in `range` that have no answer, most asked first, at most
/// `limit`. Only the newest questions are considered when there are very many.
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
    require(viewer, site)?;
    let since = start(services, range);
    let asked = db::topics::unanswered(&mut services.db.reader().await?, site.id, since, QUESTIONS_MAX).await?;
    grouped(services, site, asked, limit).await
}

/// Returns the topics of all questions in `range`, most asked first, at most `limit`. Only the
/// newest questions are considered when there are very many.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn top(services: &Services, viewer: &Viewer, site: &Site, range: Range, limit: usize) -> Result<Vec<Topic>> {
    require(viewer, site)?;
    let since = start(services, range);
    let asked = db::topics::all(&mut services.db.reader().await?, site.id, since, QUESTIONS_MAX).await?;
    grouped(services, site, asked, limit).await
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
    let mut c = services.db.reader().await?;
    let mut asked = db::topics::unanswered(&mut c, site.id, Timestamp::from_ms(0), QUESTIONS_MAX).await?;
    if !asked.iter().any(|asked| asked.conversation_id == conversation) {
        // The question was answered, but not well enough for the owner, or it is older than the
        // others.
        let found = db::conversations::by_id(&mut c, site.id, conversation).await?;
        let found = found.ok_or(Error::NotFound("Conversation"))?;
        asked.insert(0, from_conversation(found));
    }
    drop(c);
    // The previous index does not contain the entry.
    let index = indexes::current(services, &site).await?;
    let (settings, id) = (promises::policy(services, &site).await?, entry.id);
    blocking(move || {
        let key = asked.iter().find(|asked| asked.conversation_id == conversation).map(|asked| key(&asked.question));
        let questions = distinct(asked);
        let groups = group(&questions, index.language());
        let of_topic = |topic: &&topics::QuestionCluster| {
            topic.members.iter().any(|place| Some(self::key(&questions[*place].text)) == key)
        };
        let members = groups.iter().find(of_topic).map(|topic| most_asked(topic, &questions)).unwrap_or_default();
        let answered = members.into_iter().filter(|question| answers(&index, &question.text, &settings) == Some(id));
        answered.map(|question| Question { is_answered_now: true, ..question }).collect()
    })
    .await
}

async fn grouped(
    services: &Services,
    site: &Site,
    asked: Vec<db::topics::RecentQuestion>,
    limit: usize,
) -> Result<Vec<Topic>> {
    let index = indexes::current_or_previous(services, site).await?;
    let settings = promises::policy(services, site).await?;
    blocking(move || {
        let questions = distinct(asked);
        let groups = group(&questions, index.language());
        groups.iter().take(limit).map(|topic| shown(topic, &questions, &index, &settings)).collect()
    })
    .await
}

fn shown(topic: &topics::QuestionCluster, questions: &[Question], index: &Index, settings: &AnswerPolicy) -> Topic {
    let sum = |count: fn(&Question) -> i64| topic.members.iter().map(|place| count(&questions[*place])).sum();
    let mut shown = most_asked(topic, questions);
    shown.truncate(SHOWN_MAX);
    for question in &mut shown {
        question.is_answered_now = answers(index, &question.text, settings).is_some();
    }
    Topic {
        label: topic.label.clone(),
        count: sum(|question| question.count),
        unanswered_count: sum(|question| question.unanswered_count),
        questions: shown,
    }
}

fn most_asked(topic: &topics::QuestionCluster, questions: &[Question]) -> Vec<Question> {
    let mut members: Vec<Question> = topic.members.iter().map(|place| questions[*place].clone()).collect();
    // The sort is stable: of equally frequent questions, the older one stays first.
    members.sort_by_key(|question| std::cmp::Reverse(question.count));
    members
}

fn group(questions: &[Question], language: Option<&str>) -> Vec<topics::QuestionCluster> {
    let count = |question: &Question| u64::try_from(question.count).unwrap_or(0);
    let asked: Vec<AskedQuestion<'_>> =
        questions.iter().map(|question| AskedQuestion { text: &question.text, count: count(question) }).collect();
    topics::group(&asked, language)
}

/// Merges equal questions. The input is newest first, the result oldest first.
fn distinct(asked: Vec<db::topics::RecentQuestion>) -> Vec<Question> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut questions: Vec<Question> = Vec::new();
    for asked in asked.into_iter().rev() {
        let place = *places.entry(key(&asked.question)).or_insert(questions.len());
        if place == questions.len() {
            questions.push(Question {
                text: asked.question,
                count: 0,
                unanswered_count: 0,
                conversation_id: asked.conversation_id,
                is_answered_now: false,
            });
        }
        let question = &mut questions[place];
        question.count += 1;
        question.unanswered_count += i64::from(asked.is_unanswered);
        question.conversation_id = asked.conversation_id;
    }
    questions
}

/// Returns what equal questions have in common. A text without words is equal only to itself.
fn key(question: &str) -> String {
    let key = topics::same_question_key(question);
    if key.is_empty() { question.trim().to_owned() } else { key }
}

/// Returns the entry with which the site would answer, or `None`.
fn answers(index: &Index, question: &str, settings: &AnswerPolicy) -> Option<ChunkId> {
    let retrieval = index.retrieve(question, None);
    let is_answered = decide(&retrieval, settings).outcome == Outcome::Answered;
    retrieval.candidates.first().filter(|_| is_answered).map(|best| best.chunk.id)
}

fn from_conversation(found: helpbot_domain::conversation::Conversation) -> db::topics::RecentQuestion {
    let is_unanswered = found.outcome.is_unanswered();
    db::topics::RecentQuestion { conversation_id: found.id, question: found.question, is_unanswered }
}

fn start(services: &Services, range: Range) -> Timestamp {
    let first = range.first_day(services.now().day());
    first.map_or(Timestamp::from_ms(0), Day::start)
}

/// Topics show the texts of questions, so the scope for statistics is not sufficient.
fn require(viewer: &Viewer, site: &Site) -> Result<()> {
    viewer.require(Scope::ReadAnalytics)?;
    viewer.require(Scope::ReadConversations)?;
    viewer.site(Some(site.id))?;
    sites::require_feature(site, Feature::Analytics)
}
