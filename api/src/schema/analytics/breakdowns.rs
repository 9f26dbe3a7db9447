//! The parts of analytics: questions by day, language and source, and handoffs by member, with their times and ratings.

use std::time::Duration;

use async_graphql::{ComplexObject, ID, Result};
use helpbot_api_macros::OutputObject;
use helpbot_domain as domain;
use helpbot_domain::ids::{MemberId, SiteId, SourceId};
use helpbot_domain::key::Scope;
use helpbot_services::conversations::breakdowns::{self, HandoffSummary, QuestionCounts, TimeSummary};

use super::Analytics;
use crate::error::{Nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::enums::FeedbackReason;
use crate::schema::ids::{self, id};
use crate::schema::loaders;
use crate::schema::members::Member;
use crate::schema::plain::Plain;
use crate::schema::scalars::{Date, int};
use crate::schema::sources::Source;
use crate::schema::topics::limit;

/// Number of questions of a group by what happened to them.
#[derive(OutputObject)]
pub struct QuestionMetrics {
    /// Number of questions that the group contains.
    total_count: i32,
    /// Number of questions that have an answer, or needed none, such as a greeting.
    answered_count: i32,
    /// Number of questions that have no answer.
    unanswered_count: i32,
    /// Number of questions whose answer was voted helpful.
    helpful_count: i32,
    /// Number of questions whose answer was voted unhelpful.
    unhelpful_count: i32,
    /// Number of questions whose conversation has a handoff.
    handoff_count: i32,
}

impl From<QuestionCounts> for QuestionMetrics {
    fn from(counts: QuestionCounts) -> Self {
        Self {
            total_count: int(counts.questions),
            answered_count: int(counts.questions - counts.unanswered),
            unanswered_count: int(counts.unanswered),
            helpful_count: int(counts.helpful),
            unhelpful_count: int(counts.unhelpful),
            handoff_count: int(counts.handoffs),
        }
    }
}

/// Metrics of the questions that were asked on one day.
#[derive(OutputObject)]
pub struct DailyMetrics {
    /// Day on which the questions were asked, in the time zone `Analytics.timeZone`.
    date: Date,
    /// Metrics of the questions that were asked on the day.
    questions: QuestionMetrics,
}

/// Metrics of the questions that visitors asked in one language.
#[derive(OutputObject)]
pub struct LanguageMetrics {
    /// Language of the answers as a BCP 47 primary subtag, for example `de`. It is null when the language is
    /// unknown.
    language: Option<String>,
    /// Metrics of the questions that were asked in the language.
    questions: QuestionMetrics,
}

/// Metrics of the questions whose answers are based on one source.
#[derive(OutputObject)]
#[graphql(complex)]
pub struct SourceMetrics {
    /// Metrics of the questions whose answers have the source in their first citation.
    questions: QuestionMetrics,
    #[graphql(skip)]
    of: (SiteId, SourceId),
    #[graphql(skip)]
    access: Access,
}

#[ComplexObject]
impl SourceMetrics {
    /// Global ID of the source, which may have been deleted.
    async fn source_id(&self) -> ID {
        id(self.of.1)
    }

    /// Source that the answers are based on. It is null when the source was deleted. Requires the `READ_SOURCES` scope in
    /// addition to `READ_ANALYTICS`.
    async fn source(&self) -> Nullable<Plain<Source>> {
        perhaps(async {
            self.access.viewer.require(Scope::ReadSources)?;
            let (site, source) = self.of;
            let found = self.access.loaders.source(site, source).await.map_err(loaders::failed)?;
            Ok(found.map(|row| Plain(Source { row, access: self.access.clone() })))
        })
        .await
    }
}

/// Number of unhelpful votes that have one reason.
#[derive(OutputObject)]
pub struct FeedbackReasonCount {
    /// Reason that the visitors gave.
    reason: FeedbackReason,
    /// Number of votes that have the reason.
    count: i32,
}

/// Summary of the times that handoffs took. Only handoffs in which a visitor asked for a human are included.
#[derive(OutputObject)]
pub struct TimeMetrics {
    /// Number of handoffs that the summary contains.
    count: i32,
    /// Seconds that half of the handoffs did not exceed. It is null when `count` is 0.
    median_seconds: Option<i32>,
    /// Seconds that nine of ten handoffs did not exceed. It is null when `count` is 0.
    percentile90_seconds: Option<i32>,
}

impl From<TimeSummary> for TimeMetrics {
    fn from(summary: TimeSummary) -> Self {
        Self {
            count: number(summary.count),
            median_seconds: summary.median.map(seconds),
            percentile90_seconds: summary.percentile_90.map(seconds),
        }
    }
}

/// Metrics of handoffs: how fast the team was, and how visitors rate its help.
#[derive(OutputObject)]
pub struct HandoffMetrics {
    /// Number of handoffs that began in the range. A conversation that was resolved and opened again has several.
    count: i32,
    /// Number of these handoffs that are resolved.
    resolved_count: i32,
    /// Times from the request until a member first took the handoff.
    assignment_times: TimeMetrics,
    /// Times from the request until the first reply of the team.
    first_reply_times: TimeMetrics,
    /// Times from the request until the handoff was resolved.
    resolution_times: TimeMetrics,
    /// Number of handoffs that their visitor rated.
    rating_count: i32,
    /// Mean of the ratings, from 1 to 5. It is null when there are no ratings.
    average_rating: Option<f64>,
    /// Share of ratings of 4 and 5 among all ratings, given as a whole percentage from 0 to 100. It is null when
    /// there are no ratings.
    satisfaction_rate: Option<i32>,
}

impl From<HandoffSummary> for HandoffMetrics {
    fn from(summary: HandoffSummary) -> Self {
        Self {
            count: number(summary.count),
            resolved_count: number(summary.resolved),
            assignment_times: summary.assignment.into(),
            first_reply_times: summary.first_reply.into(),
            resolution_times: summary.resolution.into(),
            rating_count: number(summary.ratings),
            average_rating: summary.average_rating,
            satisfaction_rate: summary.satisfaction_rate.map(int),
        }
    }
}

/// Metrics of the handoffs that one member had.
#[derive(OutputObject)]
#[graphql(complex)]
pub struct MemberMetrics {
    /// Metrics of the handoffs that the member has, or had when they were resolved.
    handoffs: HandoffMetrics,
    #[graphql(skip)]
    of: (SiteId, Option<MemberId>),
    #[graphql(skip)]
    access: Access,
}

#[ComplexObject]
impl MemberMetrics {
    /// Global ID of the member, who may have been removed. It is null for handoffs that no member took.
    async fn member_id(&self) -> Option<ID> {
        self.of.1.map(ids::id)
    }

    /// Member whom the metrics are about. It is null for handoffs that no member took, and when the member was removed.
    /// Requires the `READ_CONVERSATIONS` scope in addition to `READ_ANALYTICS`.
    async fn member(&self) -> Nullable<Member> {
        perhaps(async {
            self.access.viewer.require(Scope::ReadConversations)?;
            let (site, Some(member)) = self.of else { return Ok(None) };
            let found = self.access.loaders.member(site, member).await.map_err(loaders::failed)?;
            Ok(found.map(Member::from))
        })
        .await
    }
}

/// The days of a range.
pub(super) async fn days(of: &Analytics) -> Result<Vec<DailyMetrics>> {
    let found = breakdowns::days(&of.access.services, &of.access.viewer, &of.site, of.range).await?;
    Ok(found.into_iter().map(|(day, counts)| DailyMetrics { date: Date(day), questions: counts.into() }).collect())
}

/// The `first` most frequent languages of a range.
pub(super) async fn languages(of: &Analytics, first: Option<i32>) -> Result<Vec<LanguageMetrics>> {
    let Access { services, viewer, .. } = &of.access;
    let found = breakdowns::languages(services, viewer, &of.site, of.range, limit(first)).await?;
    let shown = |(language, counts): (_, QuestionCounts)| LanguageMetrics { language, questions: counts.into() };
    Ok(found.into_iter().map(shown).collect())
}

/// The `first` sources that most answers of a range are based on.
pub(super) async fn sources(of: &Analytics, first: Option<i32>) -> Result<Vec<SourceMetrics>> {
    let Access { services, viewer, .. } = &of.access;
    let found = breakdowns::sources(services, viewer, &of.site, of.range, limit(first)).await?;
    let shown = |(source, counts): (_, QuestionCounts)| SourceMetrics {
        questions: counts.into(),
        of: (of.site.id, source),
        access: of.access.clone(),
    };
    Ok(found.into_iter().map(shown).collect())
}

/// The `first` members with most handoffs of a range.
pub(super) async fn members(of: &Analytics, first: Option<i32>) -> Result<Vec<MemberMetrics>> {
    let Access { services, viewer, .. } = &of.access;
    let found = breakdowns::members(services, viewer, &of.site, of.range, limit(first)).await?;
    let shown = |(member, summary): (_, HandoffSummary)| MemberMetrics {
        handoffs: summary.into(),
        of: (of.site.id, member),
        access: of.access.clone(),
    };
    Ok(found.into_iter().map(shown).collect())
}

/// The reasons of the unhelpful votes of a range.
pub(super) async fn reasons(of: &Analytics) -> Result<Vec<FeedbackReasonCount>> {
    let found = breakdowns::reasons(&of.access.services, &of.access.viewer, &of.site, of.range).await?;
    let shown = |(reason, count): (domain::satisfaction::FeedbackReason, i64)| FeedbackReasonCount {
        reason: reason.into(),
        count: int(count),
    };
    Ok(found.into_iter().map(shown).collect())
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Whole seconds, rounded down.
fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}
