//! Counts of conversations by several properties in one field.

use async_graphql::{ComplexObject, Result};
use helpbot_api_macros::OutputObject;
use helpbot_domain as domain;
use helpbot_domain::ids::{MemberId, SiteId};
use helpbot_services::conversations::{self, ListQuery};

use crate::error::Nullable;
use crate::schema::access::Access;
use crate::schema::enums::{AnswerOutcome, HandoffStatus};
use crate::schema::loaders;
use crate::schema::members::Member;
use crate::schema::scalars::int;

/// Counts the conversations that a filter selects by outcome, vote, handoff, assignee and language.
#[derive(OutputObject)]
pub struct ConversationCounts {
    /// Number of all conversations that the filter selects.
    total_count: i32,
    /// Number of conversations with each outcome. Every outcome is listed, also with the count 0.
    outcomes: Vec<OutcomeCount>,
    /// Number of conversations whose answer was voted helpful.
    helpful_count: i32,
    /// Number of conversations whose answer was voted unhelpful.
    unhelpful_count: i32,
    /// Number of conversations with each status of a handoff. Every status is listed, also with the count 0.
    handoff_statuses: Vec<HandoffStatusCount>,
    /// Number of conversations that are assigned to each member, largest number first. Members without
    /// conversations are not listed.
    assignees: Vec<AssigneeCount>,
    /// Number of conversations that are in each language, largest number first.
    languages: Vec<LanguageCount>,
}

/// Number of conversations whose question had an outcome.
#[derive(OutputObject)]
pub struct OutcomeCount {
    /// Outcome that the conversations have.
    outcome: AnswerOutcome,
    /// Number of conversations that have the outcome.
    count: i32,
}

/// Number of conversations whose handoff has a status.
#[derive(OutputObject)]
pub struct HandoffStatusCount {
    /// Status that the handoffs have.
    status: HandoffStatus,
    /// Number of conversations that have the status.
    count: i32,
}

/// Number of conversations that are assigned to a member.
#[derive(OutputObject)]
#[graphql(complex)]
pub struct AssigneeCount {
    /// Number of conversations that are assigned to the member.
    count: i32,
    #[graphql(skip)]
    of: (SiteId, MemberId),
    #[graphql(skip)]
    access: Access,
}

#[ComplexObject]
impl AssigneeCount {
    /// Member to whom the conversations are assigned. It is null when the member was removed.
    async fn member(&self) -> Nullable<Member> {
        let (site, member) = self.of;
        let found = self.access.loaders.member(site, member).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(Member::from))
    }
}

/// Counts the conversations that are in one language.
#[derive(OutputObject)]
pub struct LanguageCount {
    /// Language of the answers as a BCP 47 primary subtag, for example `de`. It is null when the language is
    /// unknown.
    language: Option<String>,
    /// Number of conversations that are in the language.
    count: i32,
}

/// The counts of the conversations of a site that meet the conditions of `query`.
pub(crate) async fn read(access: &Access, site: &domain::site::Site, query: &ListQuery) -> Result<ConversationCounts> {
    let counts = conversations::counts(&access.services, &access.viewer, site, query).await?;
    let outcome =
        |(outcome, count): (_, i64)| OutcomeCount { outcome: AnswerOutcome::from(outcome), count: int(count) };
    let status =
        |(status, count): (_, i64)| HandoffStatusCount { status: HandoffStatus::from(status), count: int(count) };
    let assignee = |(member, count)| AssigneeCount { count: int(count), of: (site.id, member), access: access.clone() };
    Ok(ConversationCounts {
        total_count: int(counts.total),
        outcomes: counts.outcomes.into_iter().map(outcome).collect(),
        helpful_count: int(counts.helpful),
        unhelpful_count: int(counts.unhelpful),
        handoff_statuses: counts.handoffs.into_iter().map(status).collect(),
        assignees: counts.assignees.into_iter().map(assignee).collect(),
        languages: counts
            .languages
            .into_iter()
            .map(|(language, count)| LanguageCount { language, count: int(count) })
            .collect(),
    })
}
