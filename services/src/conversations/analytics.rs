//! Figures about a site's questions, from the counts that are kept by day.

use helpbot_db as db;
use helpbot_db::stats::Counts;
use helpbot_domain::key::Scope;
use helpbot_domain::plan::Feature;
use helpbot_domain::range::{Range, change_percent, percent};
use helpbot_domain::time::Day;

use crate::accounts::sites;
use crate::{Result, Services, Site, Viewer, boxed};

/// The first day that a database of ours can know of: 1970-01-01.
const FIRST_DAY: Day = Day::from_number(0);
const WEEK: i32 = 7;

/// Sums over a range. Rates are whole percents, 0 without data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overview {
    /// Questions asked.
    pub total_questions: i64,
    /// Of these, left unanswered.
    pub unanswered_count: i64,
    /// Helpful votes among all votes.
    pub satisfaction_rate: i64,
    /// Helpful votes.
    pub helpful_count: i64,
    /// All votes.
    pub total_feedback: i64,
    /// Questions handed to a human.
    pub handoff_count: i64,
    /// Those among all questions.
    pub handoff_rate: i64,
    /// Questions of the last 7 days against those of the 7 before, in percent; whatever the range.
    pub week_over_week_change: i64,
}

/// Sums over `range`.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn overview(services: &Services, viewer: &Viewer, site: &Site, range: Range) -> Result<Overview> {
    require(viewer, site)?;
    let today = services.now().day();
    let from = range.first_day(today).unwrap_or(FIRST_DAY);
    let two_weeks = today.minus(2 * WEEK - 1);
    let earliest = if from.number() < two_weeks.number() { from } else { two_weeks };
    let days = db::stats::between(&mut services.db.reader().await?, site.id, earliest, today).await?;
    let sum = |from: Day, to: Day, count: fn(&Counts) -> i64| -> i64 {
        days.iter().filter(|(day, _)| from <= *day && *day <= to).map(|(_, counts)| count(counts)).sum()
    };
    let total = |count| sum(from, today, count);
    let (questions, handoffs) = (total(|c| c.questions), total(|c| c.handoffs));
    let (helpful, unhelpful) = (total(|c| c.helpful), total(|c| c.unhelpful));
    let this_week = sum(today.minus(WEEK - 1), today, |c| c.questions);
    let last_week = sum(two_weeks, today.minus(WEEK), |c| c.questions);
    Ok(Overview {
        total_questions: questions,
        unanswered_count: total(|c| c.unanswered),
        satisfaction_rate: percent(helpful, helpful + unhelpful),
        helpful_count: helpful,
        total_feedback: helpful + unhelpful,
        handoff_count: handoffs,
        handoff_rate: percent(handoffs, questions),
        week_over_week_change: change_percent(this_week, last_week),
    })
}

/// Questions of each UTC day of `range`, ascending, days without any included.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn activity(services: &Services, viewer: &Viewer, site: &Site, range: Range) -> Result<Vec<(Day, i64)>> {
    require(viewer, site)?;
    let today = services.now().day();
    let known = range.first_day(today);
    let days = db::stats::between(&mut services.db.reader().await?, site.id, known.unwrap_or(FIRST_DAY), today).await?;
    let first = known.or(days.first().map(|(day, _)| *day)).unwrap_or(today);
    let mut counted = days.into_iter().peekable();
    let filled = (first.number()..=today.number()).map(Day::from_number).map(|day| {
        let count = counted.next_if(|(counted, _)| *counted == day).map_or(0, |(_, counts)| counts.questions);
        (day, count)
    });
    Ok(filled.collect())
}

/// Lets pass who may see a site's figures.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
pub fn require(viewer: &Viewer, site: &Site) -> Result<()> {
    viewer.require(Scope::ReadAnalytics)?;
    viewer.site(Some(site.id))?;
    sites::require_feature(site, Feature::Analytics)
}
