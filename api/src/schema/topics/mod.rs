//! Topics: similar questions of visitors, grouped by meaning.
//!
//! Used by the analytics of a site and by `promoteToFaq`.

pub mod mutation;

use async_graphql::{Description, Object};
use helpbot_api_macros::OutputObject;
use helpbot_domain as domain;
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_services::knowledge::topics;

use crate::error::{Nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::conversations::Conversation;
use crate::schema::loaders;
use crate::schema::page::{self, PageArgs, PageRows, connection};
use crate::schema::scalars::int;

/// A group of questions that have the same meaning.
#[derive(Clone, OutputObject)]
pub struct QuestionTopic {
    /// Question of the topic that was asked most often.
    label: String,
    /// Number of times that a question of the topic was asked.
    count: i32,
    /// Number of times that a question of the topic was asked and not answered.
    unanswered_count: i32,
    /// Whether the team dismissed the topic.
    is_dismissed: bool,
    /// Different wordings of the question, most frequent first. At most 20 are returned.
    questions: Vec<TopicQuestion>,
}

/// One wording of a question. Wordings that differ only in case, spaces or punctuation count as one.
#[derive(Clone, Description)]
pub struct TopicQuestion {
    row: topics::Question,
    site: SiteId,
    access: Access,
}

#[Object(use_type_description)]
impl TopicQuestion {
    /// Question in the words of the visitor who asked it first.
    async fn text(&self) -> &str {
        &self.row.text
    }

    /// Number of times that the question was asked.
    async fn count(&self) -> i32 {
        int(self.row.count)
    }

    /// Number of times that the question was asked and not answered.
    async fn unanswered_count(&self) -> i32 {
        int(self.row.unanswered_count)
    }

    /// Whether HelpBot would answer the question from the current content of the site.
    async fn is_answered_now(&self) -> bool {
        self.row.is_answered_now
    }

    /// Last conversation in which the question was asked. It is null when the conversation was erased.
    async fn conversation(&self) -> Nullable<Conversation> {
        let id: ConversationId = self.row.conversation_id;
        perhaps(async {
            let found = self.access.loaders.conversation(self.site, id).await.map_err(loaders::failed)?;
            Ok(found.map(|row| Conversation { row, access: self.access.clone() }))
        })
        .await
    }
}

connection! {
    /// A list of topics, which is sorted by how often their questions were asked, most frequent first.
    QuestionTopicConnection,
    /// An edge that connects the list to a topic.
    QuestionTopicEdge, QuestionTopic
}

/// A page of the topics of a site.
pub(crate) async fn list(
    access: &Access,
    site: &domain::site::Site,
    list: topics::TopicList,
    args: &PageArgs,
) -> async_graphql::Result<QuestionTopicConnection> {
    let part = args.request::<topics::TopicPosition>()?;
    let (found, total) = topics::page_of(&access.services, &access.viewer, site, list, part).await?;
    let rows = PageRows::of(&part, found);
    let positions: Vec<String> = rows.rows.iter().map(|topic| topic.position.to_string()).collect();
    let page =
        PageRows { rows: shown(access, site, rows.rows), has_previous: rows.has_previous, has_next: rows.has_next };
    let position = Box::new(move |place: usize, _: &QuestionTopic| positions[place].clone());
    Ok(QuestionTopicConnection::with_positions(page, page::total(async move { Ok(total) }), position))
}

/// The number of topics that `first` asks for.
pub(crate) fn limit(first: Option<i32>) -> usize {
    usize::try_from(first.unwrap_or(page::DEFAULT).clamp(0, page::MAX)).unwrap_or(0)
}

/// Topics of a site as the schema shows them.
pub(crate) fn shown(access: &Access, site: &domain::site::Site, found: Vec<topics::Topic>) -> Vec<QuestionTopic> {
    let topic = |topic: topics::Topic| QuestionTopic {
        label: topic.label,
        count: int(topic.count),
        unanswered_count: int(topic.unanswered_count),
        is_dismissed: topic.is_dismissed,
        questions: questions(access, site.id, topic.questions),
    };
    found.into_iter().map(topic).collect()
}

/// Questions of a topic as the schema shows them.
pub(crate) fn questions(access: &Access, site: SiteId, found: Vec<topics::Question>) -> Vec<TopicQuestion> {
    found.into_iter().map(|row| TopicQuestion { row, site, access: access.clone() }).collect()
}
