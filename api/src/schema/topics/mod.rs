//! Topics: what visitors ask for, put together by what it means.

use async_graphql::{Object, SimpleObject};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_services as services;
use helpbot_services::knowledge::topics;

use crate::error::{Nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::conversations::Conversation;
use crate::schema::loaders;
use crate::schema::page;
use crate::schema::sites::int;

/// Questions of visitors that mean the same.
#[derive(SimpleObject)]
pub struct QuestionTopic {
    /// The question of it that was asked most.
    label: String,
    /// How often its questions were asked.
    count: i32,
    /// Of these, left without an answer.
    unanswered_count: i32,
    /// Its different wordings, most asked first, at most 20.
    #[graphql(complexity = "1 + page::WORDINGS * child_complexity")]
    questions: Vec<TopicQuestion>,
}

/// One wording of a question; case, spacing and punctuation make no other.
pub struct TopicQuestion {
    row: topics::Question,
    site: SiteId,
    access: Access,
}

/// One wording of a question; case, spacing and punctuation make no other.
#[Object]
impl TopicQuestion {
    /// As it was first asked.
    async fn text(&self) -> &str {
        &self.row.text
    }

    /// How often it was asked.
    async fn count(&self) -> i32 {
        int(self.row.count)
    }

    /// Of these, left without an answer.
    async fn unanswered_count(&self) -> i32 {
        int(self.row.unanswered_count)
    }

    /// Whether the site would answer it now, from its own words.
    async fn is_answered_now(&self) -> bool {
        self.row.is_answered_now
    }

    /// The last conversation in which it was asked; null once it was erased.
    async fn conversation(&self) -> Nullable<Conversation> {
        let id: ConversationId = self.row.conversation_id;
        perhaps(async {
            let found = self.access.loaders.conversation(self.site, id).await.map_err(loaders::failed)?;
            Ok(found.map(|row| Conversation { row, access: self.access.clone() }))
        })
        .await
    }
}

/// As many topics as `first` asks for, as a list's size.
pub(crate) fn limit(first: Option<i32>) -> usize {
    usize::try_from(first.unwrap_or(page::DEFAULT).clamp(0, page::MAX)).unwrap_or(0)
}

/// Topics of a site as the schema shows them.
pub(crate) fn shown(access: &Access, site: &services::Site, found: Vec<topics::Topic>) -> Vec<QuestionTopic> {
    let topic = |topic: topics::Topic| QuestionTopic {
        label: topic.label,
        count: int(topic.count),
        unanswered_count: int(topic.unanswered_count),
        questions: questions(access, site.id, topic.questions),
    };
    found.into_iter().map(topic).collect()
}

/// Questions of a topic as the schema shows them.
pub(crate) fn questions(access: &Access, site: SiteId, found: Vec<topics::Question>) -> Vec<TopicQuestion> {
    found.into_iter().map(|row| TopicQuestion { row, site, access: access.clone() }).collect()
}
