//! The routes below /analytics: how many questions visitors ask, and how well they are answered.

use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::endpoint::{CreditBalance, Endpoint, EndpointDoc, InvalidInput};
use crate::range::DateRange;
use crate::request::text;

const TAG: &str = "Analytics";
const ERRORS: &[(u16, &str)] =
    &[(403, "The plan of the site does not include analytics, or the key has no permission to read them.")];

/// The period that an answer covers.
#[derive(Deserialize, ToSchema)]
pub(crate) struct RangeRequest {
    /// Period that ends today (UTC): `7d`, `30d`, `90d`, `365d` or `all`. Defaults to `30d`; any other value
    /// means `30d` too.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, examples("7d"))]
    range: Option<String>,
}

impl RangeRequest {
    fn range(&self) -> DateRange {
        DateRange::for_analytics(self.range.as_deref())
    }

    fn variables(&self) -> Value {
        json!({"range": self.range().graphql()})
    }
}

/// GET /analytics/overview
pub(crate) struct ReadAnalyticsOverview;

/// The metrics of the site that are computed for a period.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OverviewAnswer {
    /// The period that the metrics cover.
    range: DateRange,
    #[serde(flatten)]
    metrics: OverviewMetrics,
    /// The credits of the current month. They do not depend on `range`.
    credits: AnalyticsCredits,
}

/// Numbers and rates that are computed for a period.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Figures)]
pub(crate) struct OverviewMetrics {
    /// Number of questions that visitors asked.
    #[schema(minimum = 0, examples(128))]
    total_questions: i64,
    /// Percentage of votes that are positive, rounded. The value is 0 when there are no votes.
    #[schema(minimum = 0, maximum = 100, examples(87))]
    satisfaction_rate: i64,
    /// Number of answers that visitors marked as helpful.
    #[schema(minimum = 0, examples(40))]
    helpful_count: i64,
    /// Number of answers that visitors marked as helpful or not helpful.
    #[schema(minimum = 0, examples(46))]
    total_feedback: i64,
    /// Number of conversations in which the visitor asked for a human.
    #[schema(minimum = 0, examples(6))]
    handoff_count: i64,
    /// Percentage of questions that led to a handoff, rounded. The value is 0 when there are no questions.
    #[schema(minimum = 0, maximum = 100, examples(5))]
    handoff_rate: i64,
    /// Change in the number of questions from the seven days before last to the last seven days, in percent.
    /// It does not depend on `range`.
    #[schema(examples(12))]
    week_over_week_change: i64,
}

/// The questions that a site may ask in a calendar month (UTC), and those that it has asked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Credits)]
pub(crate) struct AnalyticsCredits {
    /// Number of questions that visitors asked in this month.
    #[schema(minimum = 0, examples(128))]
    used: i64,
    /// Number of questions that the site may ask in this month. The value 2147483647 means that there is no
    /// limit.
    #[schema(minimum = 0, examples(10_000))]
    limit: i64,
    /// Number of questions that remain in this month.
    #[schema(minimum = 0, examples(9_872))]
    remaining: i64,
    /// Time when the next month begins and `used` returns to 0.
    #[schema(format = DateTime, examples("2026-12-01T00:00:00.000Z"))]
    reset_at: String,
}

#[derive(Deserialize)]
pub(crate) struct OverviewData {
    credits: CreditData,
    analytics: OverviewField,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreditData {
    #[serde(flatten)]
    balance: CreditBalance,
    reset_at: String,
}

#[derive(Deserialize)]
struct OverviewField {
    overview: Overview,
}

/// The metrics as GraphQL returns them: a rate without data is null there, and a number in the contract.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Overview {
    total_questions: i64,
    satisfaction_rate: Option<i64>,
    helpful_count: i64,
    total_feedback: i64,
    handoff_count: i64,
    handoff_rate: Option<i64>,
    week_over_week_change: Option<i64>,
    questions_last7_days: i64,
}

impl From<Overview> for OverviewMetrics {
    fn from(read: Overview) -> Self {
        Self {
            total_questions: read.total_questions,
            satisfaction_rate: read.satisfaction_rate.unwrap_or(0),
            helpful_count: read.helpful_count,
            total_feedback: read.total_feedback,
            handoff_count: read.handoff_count,
            handoff_rate: read.handoff_rate.unwrap_or(0),
            // After a week without questions, the contract says 100 when there are some now, and 0 otherwise.
            week_over_week_change: read.week_over_week_change.unwrap_or(if read.questions_last7_days > 0 {
                100
            } else {
                0
            }),
        }
    }
}

impl Endpoint for ReadAnalyticsOverview {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/analytics/overview";
    const OPERATION: (&'static str, &'static str) =
        ("AnalyticsOverview", include_str!("../operations/analytics_overview.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "analyticsOverview",
        summary: "Read the metrics of the site",
        description: "Returns the number of questions, the satisfaction rate, the handoffs, the weekly trend and the credits of the month. Requires the Growth or the Scale plan.",
        success: "The response contains the metrics.",
        errors: ERRORS,
    };
    type Request = RangeRequest;
    type Data = OverviewData;
    type Answer = OverviewAnswer;

    fn variables(request: &RangeRequest) -> Result<Value, InvalidInput> {
        Ok(request.variables())
    }

    fn answer(request: &RangeRequest, data: OverviewData) -> OverviewAnswer {
        let CreditData { balance, reset_at } = data.credits;
        let (used, limit, remaining) = (balance.used, balance.limit(), balance.remaining());
        let credits = AnalyticsCredits { used, limit, remaining, reset_at };
        OverviewAnswer { range: request.range(), metrics: data.analytics.overview.into(), credits }
    }
}

/// GET /analytics/activity
pub(crate) struct ReadAnalyticsActivity;

/// The number of questions that were asked on each day of a period.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActivityAnswer {
    /// The period that the days belong to.
    range: DateRange,
    /// Every UTC day of the period in ascending order. Days without questions are included with 0.
    activity: Vec<Day>,
}

/// The number of questions that were asked on one day.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Day {
    /// The day in UTC, written as `YYYY-MM-DD`.
    #[schema(format = Date, examples("2026-11-22"))]
    date: String,
    /// Number of questions that visitors asked on this day.
    #[schema(minimum = 0, examples(17))]
    count: i64,
}

#[derive(Deserialize)]
pub(crate) struct ActivityData {
    analytics: ActivityField,
}

#[derive(Deserialize)]
struct ActivityField {
    activity: Vec<Day>,
}

impl Endpoint for ReadAnalyticsActivity {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/analytics/activity";
    const OPERATION: (&'static str, &'static str) =
        ("AnalyticsActivity", include_str!("../operations/analytics_activity.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "analyticsActivity",
        summary: "Read the number of questions per day",
        description: "Returns one entry for each day, for example to draw a chart. Requires the Growth or the Scale plan.",
        success: "The response contains one entry for each day.",
        errors: ERRORS,
    };
    type Request = RangeRequest;
    type Data = ActivityData;
    type Answer = ActivityAnswer;

    fn variables(request: &RangeRequest) -> Result<Value, InvalidInput> {
        Ok(request.variables())
    }

    fn answer(request: &RangeRequest, data: ActivityData) -> ActivityAnswer {
        ActivityAnswer { range: request.range(), activity: data.analytics.activity }
    }
}
