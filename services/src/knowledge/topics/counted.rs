//! The topics of a list with the counts of a range of days. The functions are pure.

use std::collections::{BTreeMap, HashSet};

use helpbot_domain::conversation::Outcome;
use helpbot_domain::ids::ChunkId;
use helpbot_engine::{AnswerPolicy, Index, decide};

use super::{Question, SHOWN_MAX, Topic, TopicKind, TopicList, TopicPosition};
use crate::knowledge::chunks;
use crate::knowledge::topic_cache::{GroupedQuestion, SiteTopics, key};

/// A topic with its questions in a range.
pub(super) struct CountedTopic<'a> {
    position: TopicPosition,
    is_dismissed: bool,
    first_day: i32,
    members: Vec<&'a GroupedQuestion>,
}

impl CountedTopic<'_> {
    pub fn is_after(&self, other: TopicPosition) -> bool {
        let TopicPosition { count, number } = self.position;
        count < other.count || (count == other.count && number > other.number)
    }

    pub fn is_before(&self, other: TopicPosition) -> bool {
        !self.is_after(other) && self.position != other
    }
}

/// The topics of a list, most asked first. Of equal ones, the older one comes first.
pub(super) fn counted<'a>(
    topics: &'a SiteTopics,
    list: TopicList,
    first_day: i32,
    dismissed: &HashSet<String>,
) -> Vec<CountedTopic<'a>> {
    let mut found: BTreeMap<usize, CountedTopic<'a>> = BTreeMap::new();
    let mut left_out: HashSet<usize> = HashSet::new();
    for member in &topics.questions {
        if !dismissed.is_empty() && dismissed.contains(&hash(&member.text)) {
            left_out.insert(member.topic);
        }
        let counts = member.since(first_day);
        let count = if list.kind == TopicKind::Unanswered { counts.unanswered } else { counts.asked };
        if count == 0 {
            continue;
        }
        let topic = found.entry(member.topic).or_insert_with(|| CountedTopic {
            position: TopicPosition { count: 0, number: member.topic },
            is_dismissed: false,
            first_day,
            members: Vec::new(),
        });
        topic.position.count += count;
        topic.members.push(member);
    }
    let mut found: Vec<CountedTopic<'a>> = found
        .into_values()
        .map(|topic| CountedTopic { is_dismissed: left_out.contains(&topic.position.number), ..topic })
        .filter(|topic| list.with_dismissed || !topic.is_dismissed)
        .collect();
    found.sort_by_key(|topic| std::cmp::Reverse(topic.position.count));
    found
}

pub(super) fn shown(topic: &CountedTopic<'_>, kind: TopicKind, index: &Index, settings: &AnswerPolicy) -> Topic {
    let members = topic.members.iter().filter_map(|member| question(member, kind, topic.first_day));
    let mut questions: Vec<Question> = members.collect();
    // The sort is stable: of equally frequent questions, the older one stays first.
    questions.sort_by_key(|question| std::cmp::Reverse(question.count));
    let unanswered_count = questions.iter().map(|question| question.unanswered_count).sum();
    questions.truncate(SHOWN_MAX);
    for question in &mut questions {
        question.is_answered_now = answers(index, &question.text, settings).is_some();
    }
    Topic {
        label: questions.first().map_or_else(String::new, |question| question.text.clone()),
        position: topic.position,
        is_dismissed: topic.is_dismissed,
        count: topic.position.count,
        unanswered_count,
        questions,
    }
}

/// A question in a list. `None` when it does not belong there.
pub(super) fn question(member: &GroupedQuestion, kind: TopicKind, first_day: i32) -> Option<Question> {
    let counts = member.since(first_day);
    let (count, conversation_id) = match kind {
        TopicKind::Unanswered => (counts.unanswered, member.last_unanswered?),
        TopicKind::All => (counts.asked, member.last),
    };
    (count > 0).then(|| Question {
        text: member.text.clone(),
        count,
        unanswered_count: counts.unanswered,
        conversation_id,
        is_answered_now: false,
    })
}

/// A question with everything that was asked of it.
pub(super) fn whole(member: &GroupedQuestion) -> Question {
    let counts = member.since(i32::MIN);
    Question {
        text: member.text.clone(),
        count: counts.asked,
        unanswered_count: counts.unanswered,
        conversation_id: member.last,
        is_answered_now: false,
    }
}

/// The hash by which a dismissed question is stored, so that the words of a visitor are stored in one place
/// only.
pub(super) fn hash(question: &str) -> String {
    chunks::hash([key(question)])
}

/// Returns the entry with which the site would answer, or `None`.
pub(super) fn answers(index: &Index, question: &str, settings: &AnswerPolicy) -> Option<ChunkId> {
    let retrieval = index.retrieve(question, None);
    let is_answered = decide(&retrieval, settings).outcome == Outcome::Answered;
    retrieval.candidates.first().filter(|_| is_answered).map(|best| best.chunk.id)
}
