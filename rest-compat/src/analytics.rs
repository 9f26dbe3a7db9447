//! /analytics: how much is asked, how well it is answered.

use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::endpoint::{Doc, Endpoint, Variables};
use crate::range::Range;
use crate::request::text;

const TAG: &str = "Analytics";
const REFUSED: &[(u16, &str)] = &[(403, "The site is on the Starter plan, or the key may not read analytics.")];

/// How far back.
#[derive(Deserialize, ToSchema)]
pub(crate) struct RangeRequest {
    /// How far back: `7d`, `30d`, `90d`, `365d` or `all`; anything else is `30d`.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, examples("7d"))]
    range: Option<String>,
}

impl RangeRequest {
    fn range(&self) -> Range {
        Range::of_analytics(self.range.as_deref())
    }

    fn variables(&self) -> Variables {
        json!({"range": self.range().graphql()}).into()
    }
}

/// GET /analytics/overview
pub(crate) struct Overview;

/// The site's figures.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OverviewAnswer {
    /// The range that the figures are of.
    range: Range,
    #[serde(flatten)]
    figures: Figures,
    /// The month's questions.
    credits: Credits,
}

/// Counts and rates over a range.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figures {
    /// Questions asked.
    #[schema(minimum = 0, examples(128))]
    total_questions: i64,
    /// Good votes among all votes, in percent; 0 without votes.
    #[schema(minimum = 0, maximum = 100, examples(87))]
    satisfaction_rate: i64,
    /// Good votes.
    #[schema(minimum = 0, examples(40))]
    helpful_count: i64,
    /// Votes.
    #[schema(minimum = 0, examples(46))]
    total_feedback: i64,
    /// Conversations handed to a human.
    #[schema(minimum = 0, examples(6))]
    handoff_count: i64,
    /// Those among all questions, in percent; 0 without questions.
    #[schema(minimum = 0, maximum = 100, examples(5))]
    handoff_rate: i64,
    /// Questions of the last seven days against the seven before, in percent, whatever the range.
    #[schema(examples(12))]
    week_over_week_change: i64,
}

/// What a month's questions may be, and were.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Credits {
    /// Questions asked this month.
    #[schema(minimum = 0, examples(128))]
    used: i64,
    /// Questions that the month may have; 2147483647 means without limit.
    #[schema(minimum = 0, examples(10_000))]
    limit: i64,
    /// Questions left.
    #[schema(minimum = 0, examples(9_872))]
    remaining: i64,
    /// When the next month begins.
    #[schema(format = DateTime, examples("2026-12-01T00:00:00.000Z"))]
    reset_at: String,
}

#[derive(Deserialize)]
pub(crate) struct SitesOverview {
    credits: Credits,
    analytics: OverviewFigures,
}

#[derive(Deserialize)]
struct OverviewFigures {
    overview: Figures,
}

impl Endpoint for Overview {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/analytics/overview";
    const OPERATION: (&'static str, &'static str) =
        ("AnalyticsOverview", include_str!("../operations/analytics_overview.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "analyticsOverview",
        summary: "Read the site's figures",
        description: "Questions, satisfaction, handoffs, the trend and the month's credits. Needs the Growth or the Scale plan.",
        success: "The figures.",
        errors: REFUSED,
    };
    type Request = RangeRequest;
    type Data = SitesOverview;
    type Answer = OverviewAnswer;

    fn variables(request: &RangeRequest) -> Variables {
        request.variables()
    }

    fn answer(request: &RangeRequest, data: SitesOverview) -> OverviewAnswer {
        OverviewAnswer { range: request.range(), figures: data.analytics.overview, credits: data.credits }
    }
}

/// GET /analytics/activity
pub(crate) struct Activity;

/// Questions day by day.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActivityAnswer {
    /// The range that the days are of.
    range: Range,
    /// Each UTC day of the range, in order, also those without questions.
    activity: Vec<Day>,
}

/// The questions of a day.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Day {
    /// The UTC day.
    #[schema(format = Date, examples("2026-11-22"))]
    date: String,
    /// Questions asked.
    #[schema(minimum = 0, examples(17))]
    count: i64,
}

#[derive(Deserialize)]
pub(crate) struct SitesActivity {
    analytics: ActivityDays,
}

#[derive(Deserialize)]
struct ActivityDays {
    activity: Vec<Day>,
}

impl Endpoint for Activity {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/analytics/activity";
    const OPERATION: (&'static str, &'static str) =
        ("AnalyticsActivity", include_str!("../operations/analytics_activity.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "analyticsActivity",
        summary: "Read the questions day by day",
        description: "For a chart. Needs the Growth or the Scale plan.",
        success: "The days.",
        errors: REFUSED,
    };
    type Request = RangeRequest;
    type Data = SitesActivity;
    type Answer = ActivityAnswer;

    fn variables(request: &RangeRequest) -> Variables {
        request.variables()
    }

    fn answer(request: &RangeRequest, data: SitesActivity) -> ActivityAnswer {
        ActivityAnswer { range: request.range(), activity: data.analytics.activity }
    }
}
