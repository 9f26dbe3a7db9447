//! Statistics of a site in parts: by day in its time zone, language, source, member and reason, with the response times of the team.
//!
//! The time zone is that of the [business hours](crate::accounts::business_hours); a site without them counts in UTC. All parts cover
//! the same range of whole local days. They count the conversations that are stored, so what was deleted because of its age is
//! missing, unlike in the totals of [`analytics`](super::analytics).

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::handoff::HandoffRecord;
use helpbot_domain::ids::{MemberId, SiteId, SourceId};
use helpbot_domain::local_days::{LocalDays, percentile};
use helpbot_domain::range::{Range, percent};
use helpbot_domain::satisfaction::FeedbackReason;
use helpbot_domain::site::Site;
use helpbot_domain::time::Day;

use crate::conversations::analytics;
use crate::{Result, Services, Viewer, boxed};

pub use helpbot_db::stats::DailyCounts as QuestionCounts;

/// Maximum number of days of a list: a year with a leap day. A longer range begins later.
const DAYS_MAX: i32 = 366;
/// Maximum number of handoffs whose times are summarized, the latest ones. They are a few megabytes, and more would hardly change
/// a median.
const HANDOFFS_MAX: i64 = 50_000;

/// The local days of a range.
struct LocalRange {
    calendar: LocalDays,
    first: Day,
    today: Day,
}

impl LocalRange {
    async fn of(c: &mut db::Conn, site: SiteId, range: Range, now: Timestamp) -> Result<Self> {
        let calendar = calendar(c, site).await?;
        let today = calendar.day(now);
        let first = match range.first_day(today) {
            Some(first) => first,
            None => db::breakdowns::first_question(c, site).await?.map_or(today, |at| calendar.day(at)),
        };
        Ok(Self { calendar, first, today })
    }

    fn from(&self) -> Timestamp {
        self.calendar.start(self.first)
    }

    fn until(&self) -> Timestamp {
        self.calendar.start(self.today.minus(-1))
    }
}

async fn calendar(c: &mut db::Conn, site: SiteId) -> Result<LocalDays> {
    let hours = db::business_hours::of(c, site).await?;
    Ok(LocalDays::of(hours.as_ref().map(|hours| hours.time_zone.as_str())))
}

/// A summary of durations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeSummary {
    /// Number of durations.
    pub count: usize,
    /// The duration that half of them do not exceed.
    pub median: Option<Duration>,
    /// The duration that nine of ten do not exceed.
    pub percentile_90: Option<Duration>,
}

impl TimeSummary {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self { count: times.len(), median: percentile(&times, 50), percentile_90: percentile(&times, 90) }
    }
}

/// Handoffs in numbers. Rates are whole percentages, and `None` when there is no data.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HandoffSummary {
    /// Number of handoffs.
    pub count: usize,
    /// Number of those that are resolved.
    pub resolved: usize,
    /// Times until a member took them.
    pub assignment: TimeSummary,
    /// Times until the first reply.
    pub first_reply: TimeSummary,
    /// Times until they were resolved.
    pub resolution: TimeSummary,
    /// Number of ratings.
    pub ratings: usize,
    /// Mean of the ratings.
    pub average_rating: Option<f64>,
    /// Share of ratings of 4 and 5.
    pub satisfaction_rate: Option<i64>,
}

impl HandoffSummary {
    fn of<'r>(records: impl Iterator<Item = &'r HandoffRecord> + Clone) -> Self {
        let times =
            |time: fn(&HandoffRecord) -> Option<Duration>| TimeSummary::of(records.clone().filter_map(time).collect());
        let ratings: Vec<_> = records.clone().filter_map(|record| record.rating).collect();
        let (count, satisfied) = (ratings.len(), ratings.iter().filter(|rating| rating.is_satisfied()).count());
        let sum: f64 = ratings.iter().map(|rating| f64::from(rating.number())).sum();
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            count: records.clone().count(),
            resolved: records.clone().filter(|record| record.resolved_at.is_some()).count(),
            assignment: times(HandoffRecord::time_to_assignment),
            first_reply: times(HandoffRecord::time_to_first_reply),
            resolution: times(HandoffRecord::time_to_resolution),
            ratings: count,
            average_rating: (count > 0).then(|| sum / count as f64),
            satisfaction_rate: (count > 0).then(|| percent(number(satisfied), number(count))),
        }
    }
}

/// Returns the name of the time zone whose days are counted.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn time_zone(services: &Services, viewer: &Viewer, site: &Site) -> Result<&'static str> {
    analytics::require(viewer, site)?;
    Ok(calendar(&mut services.db.reader_of(site.id).await?, site.id).await?.name())
}

/// Returns the counts of each local day of a range, oldest first, at most the last 366. Days without questions are included.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn days(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    range: Range,
) -> Result<Vec<(Day, QuestionCounts)>> {
    analytics::require(viewer, site)?;
    let mut c = services.db.reader_of(site.id).await?;
    let mut of = LocalRange::of(&mut c, site.id, range, services.now()).await?;
    of.first = of.first.max(of.today.minus(DAYS_MAX - 1));
    let counted = db::breakdowns::by_day(&mut c, site.id, &of.calendar.spans(of.from(), of.until())).await?;
    let all = (of.first.number()..=of.today.number()).map(Day::from_number);
    Ok(all.map(|day| (day, counted.get(&day).copied().unwrap_or_default())).collect())
}

/// Returns the counts of the `limit` most frequent languages of a range. `None` is an unknown language.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn languages(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    range: Range,
    limit: usize,
) -> Result<Vec<(Option<String>, QuestionCounts)>> {
    analytics::require(viewer, site)?;
    let mut c = services.db.reader_of(site.id).await?;
    let of = LocalRange::of(&mut c, site.id, range, services.now()).await?;
    Ok(most_frequent(db::breakdowns::by_language(&mut c, site.id, of.from(), of.until()).await?, limit))
}

/// Returns the counts of the `limit` sources that most answers of a range are based on.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn sources(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    range: Range,
    limit: usize,
) -> Result<Vec<(SourceId, QuestionCounts)>> {
    analytics::require(viewer, site)?;
    let mut c = services.db.reader_of(site.id).await?;
    let of = LocalRange::of(&mut c, site.id, range, services.now()).await?;
    Ok(most_frequent(db::breakdowns::by_source(&mut c, site.id, of.from(), of.until()).await?, limit))
}

/// Returns how often each reason was given in a range, most frequent first. Every reason is included.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn reasons(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    range: Range,
) -> Result<Vec<(FeedbackReason, i64)>> {
    analytics::require(viewer, site)?;
    let mut c = services.db.reader_of(site.id).await?;
    let of = LocalRange::of(&mut c, site.id, range, services.now()).await?;
    let given: HashMap<_, _> =
        db::breakdowns::by_reason(&mut c, site.id, of.from(), of.until()).await?.into_iter().collect();
    let mut all = FeedbackReason::ALL.map(|reason| (reason, given.get(&reason).copied().unwrap_or(0))).to_vec();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok(all)
}

/// Returns the handoffs that began in a range in numbers.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn handoffs(services: &Services, viewer: &Viewer, site: &Site, range: Range) -> Result<HandoffSummary> {
    analytics::require(viewer, site)?;
    Ok(HandoffSummary::of(records(services, site.id, range).await?.iter()))
}

/// Returns the handoffs of a range in numbers for each of the `limit` members who had most of them. `None` stands for those
/// that no member took.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn members(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    range: Range,
    limit: usize,
) -> Result<Vec<(Option<MemberId>, HandoffSummary)>> {
    analytics::require(viewer, site)?;
    let mut by_member: BTreeMap<Option<MemberId>, Vec<HandoffRecord>> = BTreeMap::new();
    for record in records(services, site.id, range).await? {
        by_member.entry(record.member_id).or_default().push(record);
    }
    let mut all: Vec<_> =
        by_member.into_iter().map(|(member, records)| (member, HandoffSummary::of(records.iter()))).collect();
    all.sort_by_key(|(_, summary)| std::cmp::Reverse(summary.count));
    all.truncate(limit);
    Ok(all)
}

async fn records(services: &Services, site: SiteId, range: Range) -> Result<Vec<HandoffRecord>> {
    let mut c = services.db.reader_of(site).await?;
    let of = LocalRange::of(&mut c, site, range, services.now()).await?;
    Ok(db::handoffs::between(&mut c, site, of.from(), of.until(), HANDOFFS_MAX).await?)
}

/// The groups with most questions. Equal ones are sorted by their group.
fn most_frequent<G>(counted: BTreeMap<G, QuestionCounts>, limit: usize) -> Vec<(G, QuestionCounts)> {
    let mut all: Vec<_> = counted.into_iter().collect();
    all.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.questions));
    all.truncate(limit);
    all
}
