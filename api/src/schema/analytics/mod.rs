//! Analytics: metrics about the questions and handoffs of a site.

pub mod breakdowns;

use async_graphql::{Description, Object, Result};
use helpbot_api_macros::{OutputObject, paged};
use helpbot_domain as domain;
use helpbot_domain::range;
use helpbot_services::conversations::{analytics, breakdowns as parts};
use helpbot_services::knowledge::topics::{self as asked, TopicList};

use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::enums::{AnalyticsRange, TopicQuestions};
use crate::schema::page::PageArgs;
use crate::schema::scalars::{Date, int};
use crate::schema::topics::{self, QuestionTopic, QuestionTopicConnection};
use breakdowns::{DailyMetrics, FeedbackReasonCount, HandoffMetrics, LanguageMetrics, MemberMetrics, SourceMetrics};

/// Metrics about the questions that visitors of a site asked in a range of days, and about the handoffs that began in it.
#[derive(Description)]
pub struct Analytics {
    pub(crate) site: domain::site::Site,
    pub(crate) range: range::Range,
    pub(crate) access: Access,
}

#[paged]
#[Object(use_type_description)]
impl Analytics {
    /// Range of days that the metrics cover.
    async fn range(&self) -> AnalyticsRange {
        self.range.into()
    }

    /// Sums and rates that cover the whole range.
    async fn overview(&self) -> Result<AnalyticsOverview> {
        let Access { services, viewer, .. } = &self.access;
        Ok(analytics::overview(services, viewer, &self.site, self.range).await?.into())
    }

    /// Number of questions asked on each UTC day of the range, oldest first. A day without questions is
    /// included with the count 0.
    async fn activity(&self) -> Result<Vec<DailyActivity>> {
        let Access { services, viewer, .. } = &self.access;
        let days = analytics::activity(services, viewer, &self.site, self.range).await?;
        Ok(days.into_iter().map(|(day, count)| DailyActivity { date: Date(day), count: int(count) }).collect())
    }

    /// Name of the time zone whose days `days`, `languages`, `sources`, `members`, `handoffs` and `feedbackReasons` count. It is
    /// the time zone of the business hours, and `UTC` when the site has none.
    async fn time_zone(&self) -> Result<&str> {
        let Access { services, viewer, .. } = &self.access;
        Ok(parts::time_zone(services, viewer, &self.site).await?)
    }

    /// Metrics of the questions of each day of the range in the time zone `timeZone`, oldest first, at most the last 366
    /// days. A day without questions is included. Conversations that were deleted are not counted.
    async fn days(&self) -> Result<Vec<DailyMetrics>> {
        breakdowns::days(self).await
    }

    /// Metrics of the questions of the range by language, most questions first. Conversations that were deleted are not
    /// counted.
    async fn languages(
        &self,
        #[graphql(desc = "Number of languages to return, 1 to 100. Defaults to 20.")] first: Option<i32>,
    ) -> Result<Vec<LanguageMetrics>> {
        breakdowns::languages(self, first).await
    }

    /// Metrics of the questions of the range by the source that their answers are based on, most questions first. Questions
    /// without an answer, conversations that were deleted, and answers that an earlier version gave are not counted.
    async fn sources(
        &self,
        #[graphql(desc = "Number of sources to return, 1 to 100. Defaults to 20.")] first: Option<i32>,
    ) -> Result<Vec<SourceMetrics>> {
        breakdowns::sources(self, first).await
    }

    /// Metrics of the handoffs that began in the range, at most the last 50,000. Conversations that were deleted and
    /// handoffs that an earlier version closed are not counted.
    async fn handoffs(&self) -> Result<HandoffMetrics> {
        let Access { services, viewer, .. } = &self.access;
        Ok(parts::handoffs(services, viewer, &self.site, self.range).await?.into())
    }

    /// Metrics of the handoffs that `handoffs` counts by member, most handoffs first.
    async fn members(
        &self,
        #[graphql(desc = "Number of members to return, 1 to 100. Defaults to 20.")] first: Option<i32>,
    ) -> Result<Vec<MemberMetrics>> {
        breakdowns::members(self, first).await
    }

    /// Number of unhelpful votes of the range with each reason, most frequent first. Every reason is listed, also with
    /// the count 0. Conversations that were deleted are not counted.
    async fn feedback_reasons(&self) -> Result<Vec<FeedbackReasonCount>> {
        breakdowns::reasons(self).await
    }

    /// Topics of the questions of the range, most frequent first. The questions of at most the last 100,000
    /// conversations are grouped. Requires the `READ_CONVERSATIONS` scope in addition to `READ_ANALYTICS`.
    async fn topics(
        &self,
        #[graphql(desc = "Questions that are grouped. Defaults to `UNANSWERED`.")] questions: Option<TopicQuestions>,
        #[graphql(desc = "Whether topics that the team dismissed are included. Defaults to false.")]
        include_dismissed: Option<bool>,
        args: PageArgs,
    ) -> Nullable<QuestionTopicConnection> {
        let kind = questions.unwrap_or(TopicQuestions::Unanswered).into();
        let list = TopicList { range: self.range, kind, with_dismissed: include_dismissed.unwrap_or(false) };
        nullable(topics::list(&self.access, &self.site, list, &args)).await
    }

    /// Topics of the questions that were not answered, most frequent first. Dismissed
    /// topics are left out. `topics` returns the list in pages. Requires the `READ_CONVERSATIONS` scope in addition to
    /// `READ_ANALYTICS`.
    async fn unanswered_topics(
        &self,
        #[graphql(desc = "Number of topics to return, 1 to 100. Defaults to 20.")] first: Option<i32>,
    ) -> Nullable<Vec<QuestionTopic>> {
        let Access { services, viewer, .. } = &self.access;
        nullable(async {
            let found = asked::unanswered(services, viewer, &self.site, self.range, topics::limit(first)).await?;
            Ok(topics::shown(&self.access, &self.site, found))
        })
        .await
    }

    /// Topics of all questions, answered or not, most frequent first. Dismissed topics are left
    /// out. `topics` returns the list in pages. Requires the `READ_CONVERSATIONS` scope in addition to `READ_ANALYTICS`.
    async fn top_questions(
        &self,
        #[graphql(desc = "Number of topics to return, 1 to 100. Defaults to 20.")] first: Option<i32>,
    ) -> Nullable<Vec<QuestionTopic>> {
        let Access { services, viewer, .. } = &self.access;
        nullable(async {
            let found = asked::top(services, viewer, &self.site, self.range, topics::limit(first)).await?;
            Ok(topics::shown(&self.access, &self.site, found))
        })
        .await
    }
}

/// Sums and rates that cover a range of days. A rate is a whole percentage, rounded half up. It is null
/// when there is no data.
#[derive(OutputObject)]
pub struct AnalyticsOverview {
    /// Number of questions that were asked.
    total_questions: i32,
    /// Number of questions that were not answered.
    unanswered_count: i32,
    /// Share of helpful votes among all votes, given as a whole percentage from 0 to 100. It is null when
    /// there are no votes.
    satisfaction_rate: Option<i32>,
    /// Number of votes that found an answer helpful.
    helpful_count: i32,
    /// Number of votes that visitors gave.
    total_feedback: i32,
    /// Number of questions for which the visitor requested a handoff.
    handoff_count: i32,
    /// Share of questions with a handoff among all questions, given as a whole percentage from 0 to 100. It
    /// is null when there are no questions.
    handoff_rate: Option<i32>,
    /// Number of questions of the last 7 days. It does not depend on the range.
    questions_last7_days: i32,
    /// Number of questions of the 7 days before the last 7 days. It does not depend on the range.
    questions_previous7_days: i32,
    /// Change in the number of questions from the previous 7 days to the last 7 days, given as a
    /// percentage. It does not depend on the range, and is null when the previous 7 days had no questions.
    week_over_week_change: Option<i32>,
}

impl From<analytics::AnalyticsTotals> for AnalyticsOverview {
    fn from(sums: analytics::AnalyticsTotals) -> Self {
        Self {
            total_questions: int(sums.total_questions),
            unanswered_count: int(sums.unanswered_count),
            satisfaction_rate: sums.satisfaction_rate.map(int),
            helpful_count: int(sums.helpful_count),
            total_feedback: int(sums.total_feedback),
            handoff_count: int(sums.handoff_count),
            handoff_rate: sums.handoff_rate.map(int),
            questions_last7_days: int(sums.last_week),
            questions_previous7_days: int(sums.previous_week),
            week_over_week_change: sums.week_over_week_change.map(int),
        }
    }
}

/// Number of questions that were asked on one day.
#[derive(OutputObject)]
pub struct DailyActivity {
    /// Day in UTC that the count covers.
    date: Date,
    /// Number of questions asked on the day.
    count: i32,
}
