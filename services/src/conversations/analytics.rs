//! Statistics about a site's questions, computed from the daily counts.

use helpbot_db as db;
use helpbot_db::stats::DailyCounts;
use helpbot_domain::key::Scope;
use helpbot_domain::plan::Feature;
use helpbot_domain::range::{Range, change_percent, percent};
use helpbot_domain::time::Day;

use crate::accounts::sites;
use crate::{Result, Services, Viewer, boxed};
use helpbot_domain::site::Site;

/// The first day that the database can contain: 1970-01-01.
const FIRST_DAY: Day = Day::from_number(0);
const WEEK: i32 = 7;

/// Totals for a range of days. Rates are whole percentages, and `None` when there is no data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnalyticsTotals {
    /// Number of questions.
    pub total_questions: i64,
    /// Number of questions without an answer.
    pub unanswered_count: i64,
    /// Share of votes that are helpful.
    pub satisfaction_rate: Option<i64>,
    /// Number of helpful votes.
    pub helpful_count: i64,
    /// Number of votes.
    pub total_feedback: i64,
    /// Number of conversations with a handoff.
    pub handoff_count: i64,
    /// Share of conversations with a handoff.
    pub handoff_rate: Option<i64>,
    /// Number of questions of the last 7 days. Independent of the range.
    pub last_week: i64,
    /// Number of questions of the 7 days before those.
    pub previous_week: i64,
    /// Change from the previous week to the last one, in percent.
    pub week_over_week_change: Option<i64>,
}

/// Returns the totals for a range.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn overview(services: &Services, viewer: &Viewer, site: &Site, range: Range) -> Result<AnalyticsTotals> {
    require(viewer, site)?;
    let today = services.now().day();
    let from = range.first_day(today).unwrap_or(FIRST_DAY);
    let two_weeks = today.minus(2 * WEEK - 1);
    let earliest = if from.number() < two_weeks.number() { from } else { two_weeks };
    let days = db::stats::between(&mut services.db.reader_of(site.id).await?, site.id, earliest, today).await?;
    let sum = |from: Day, to: Day, count: fn(&DailyCounts) -> i64| -> i64 {
        days.iter().filter(|(day, _)| from <= *day && *day <= to).map(|(_, counts)| count(counts)).sum()
    };
    let total = |count| sum(from, today, count);
    let (questions, handoffs) = (total(|c| c.questions), total(|c| c.handoffs));
    let (helpful, unhelpful) = (total(|c| c.helpful), total(|c| c.unhelpful));
    let last_week = sum(today.minus(WEEK - 1), today, |c| c.questions);
    let previous_week = sum(two_weeks, today.minus(WEEK), |c| c.questions);
    let rate = |part, whole| (whole > 0).then(|| percent(part, whole));
    Ok(AnalyticsTotals {
        total_questions: questions,
        unanswered_count: total(|c| c.unanswered),
        satisfaction_rate: rate(helpful, helpful + unhelpful),
        helpful_count: helpful,
        total_feedback: helpful + unhelpful,
        handoff_count: handoffs,
        handoff_rate: rate(handoffs, questions),
        last_week,
        previous_week,
        week_over_week_change: (previous_week > 0).then(|| change_percent(last_week, previous_week)),
    })
}

/// Returns the number of questions of each UTC day in a range, in ascending order. Days without
/// questions are included.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn activity(services: &Services, viewer: &Viewer, site: &Site, range: Range) -> Result<Vec<(Day, i64)>> {
    require(viewer, site)?;
    let today = services.now().day();
    let known = range.first_day(today);
    let days =
        db::stats::between(&mut services.db.reader_of(site.id).await?, site.id, known.unwrap_or(FIRST_DAY), today)
            .await?;
    let first = known.or(days.first().map(|(day, _)| *day)).unwrap_or(today);
    let mut counted = days.into_iter().peekable();
    let filled = (first.number()..=today.number()).map(Day::from_number).map(|day| {
        let count = counted.next_if(|(counted, _)| *counted == day).map_or(0, |(_, counts)| counts.questions);
        (day, count)
    });
    Ok(filled.collect())
}

/// Checks that the viewer may see the site's statistics.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
pub fn require(viewer: &Viewer, site: &Site) -> Result<()> {
    viewer.require(Scope::ReadAnalytics)?;
    viewer.site(Some(site.id))?;
    sites::require_feature(site, Feature::Analytics)
}
