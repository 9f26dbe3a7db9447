//! Figures about the questions of a site.

use async_graphql::{Enum, Object, Result, SimpleObject};
use helpbot_domain::range;
use helpbot_services as services;
use helpbot_services::conversations::analytics;
use helpbot_services::knowledge::topics as asked;

use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::page;
use crate::schema::scalars::Date;
use crate::schema::sites::int;
use crate::schema::topics::{self, QuestionTopic};

/// A span of whole UTC days that ends today.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "range::Range")]
pub enum AnalyticsRange {
    /// Today and the 6 days before.
    #[graphql(name = "LAST_7_DAYS")]
    Last7Days,
    /// Today and the 29 days before.
    #[graphql(name = "LAST_30_DAYS")]
    Last30Days,
    /// Today and the 89 days before.
    #[graphql(name = "LAST_90_DAYS")]
    Last90Days,
    /// Today and the 364 days before.
    #[graphql(name = "LAST_365_DAYS")]
    Last365Days,
    /// Since the first question.
    All,
}

/// Figures about the questions of a site over a range of days.
pub struct Analytics {
    pub(crate) site: services::Site,
    pub(crate) range: range::Range,
    pub(crate) access: Access,
}

/// Figures about the questions of a site over a range of days.
#[Object]
impl Analytics {
    /// The range that they are of.
    async fn range(&self) -> AnalyticsRange {
        self.range.into()
    }

    /// Sums and rates.
    async fn overview(&self) -> Result<AnalyticsOverview> {
        let Access { services, viewer, .. } = &self.access;
        Ok(analytics::overview(services, viewer, &self.site, self.range).await?.into())
    }

    /// Questions of each UTC day, ascending; days without any are there with 0.
    #[graphql(complexity = "1 + page::DAYS * child_complexity")]
    async fn activity(&self) -> Result<Vec<DailyActivity>> {
        let Access { services, viewer, .. } = &self.access;
        let days = analytics::activity(services, viewer, &self.site, self.range).await?;
        Ok(days.into_iter().map(|(day, count)| DailyActivity { date: Date(day), count: int(count) }).collect())
    }

    /// What was asked and not answered, put together by what it means, most asked first. Of more
    /// than 2000 questions the newest count. Needs the right to read conversations too.
    #[graphql(complexity = "page::cost(first, None, child_complexity)")]
    async fn unanswered_topics(
        &self,
        #[graphql(desc = "At most so many: 20 if not said, never over 100.")] first: Option<i32>,
    ) -> Nullable<Vec<QuestionTopic>> {
        let Access { services, viewer, .. } = &self.access;
        nullable(async {
            let found = asked::unanswered(services, viewer, &self.site, self.range, topics::limit(first)).await?;
            Ok(topics::shown(&self.access, &self.site, found))
        })
        .await
    }

    /// What was asked, answered or not, put together by what it means, most asked first. Of more
    /// than 2000 questions the newest count. Needs the right to read conversations too.
    #[graphql(complexity = "page::cost(first, None, child_complexity)")]
    async fn top_questions(
        &self,
        #[graphql(desc = "At most so many: 20 if not said, never over 100.")] first: Option<i32>,
    ) -> Nullable<Vec<QuestionTopic>> {
        let Access { services, viewer, .. } = &self.access;
        nullable(async {
            let found = asked::top(services, viewer, &self.site, self.range, topics::limit(first)).await?;
            Ok(topics::shown(&self.access, &self.site, found))
        })
        .await
    }
}

/// Sums over a range. Rates are whole percents, rounded half up, 0 without data.
#[derive(SimpleObject)]
pub struct AnalyticsOverview {
    /// Questions asked.
    total_questions: i32,
    /// Of these, left unanswered.
    unanswered_count: i32,
    /// Helpful votes among all votes, in percent.
    satisfaction_rate: i32,
    /// Helpful votes.
    helpful_count: i32,
    /// All votes.
    total_feedback: i32,
    /// Questions handed to a human.
    handoff_count: i32,
    /// Those among all questions, in percent.
    handoff_rate: i32,
    /// Questions of the last 7 days against those of the 7 before, in percent, whatever the range.
    week_over_week_change: i32,
}

impl From<analytics::Overview> for AnalyticsOverview {
    fn from(sums: analytics::Overview) -> Self {
        Self {
            total_questions: int(sums.total_questions),
            unanswered_count: int(sums.unanswered_count),
            satisfaction_rate: int(sums.satisfaction_rate),
            helpful_count: int(sums.helpful_count),
            total_feedback: int(sums.total_feedback),
            handoff_count: int(sums.handoff_count),
            handoff_rate: int(sums.handoff_rate),
            week_over_week_change: int(sums.week_over_week_change),
        }
    }
}

/// Questions of one day.
#[derive(SimpleObject)]
pub struct DailyActivity {
    /// The day, UTC.
    date: Date,
    /// Questions asked on it.
    count: i32,
}
