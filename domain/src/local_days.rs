//! Days in the time zone of a site, for statistics.
//!
//! A day of statistics is counted from the number of milliseconds since 1970 on the local clock. The difference between that clock
//! and UTC is constant between two changes of the clock, so a range of days consists of few spans with one difference each, which a
//! database can group by.

use std::time::Duration;

use chrono::{Duration as Days, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;

use crate::Timestamp;
use crate::time::Day;

/// 1970-01-01.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");
const DAY: Duration = Duration::from_secs(86_400);

/// A part of a range in which the local clock has one difference to UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSpan {
    /// Beginning of the span.
    pub from: Timestamp,
    /// End of the span, which does not belong to it.
    pub until: Timestamp,
    /// Milliseconds by which the local clock is ahead of UTC.
    pub ahead_ms: i64,
}

/// The calendar of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalDays(Tz);

impl LocalDays {
    /// Returns the calendar of the time zone with this name in the IANA database. Without a name, and for an unknown one, it is that
    /// of UTC.
    pub fn of(time_zone: Option<&str>) -> Self {
        Self(time_zone.and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC))
    }

    /// Returns the name of the time zone.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Returns the local day of a time.
    pub fn day(self, at: Timestamp) -> Day {
        Timestamp::from_ms(at.as_ms() + self.ahead_ms(at)).day()
    }

    /// Returns the first moment of a local day.
    pub fn start(self, day: Day) -> Timestamp {
        let midnight =
            EPOCH.checked_add_signed(Days::days(day.number().into())).and_then(|date| date.and_hms_opt(0, 0, 0));
        let Some(midnight) = midnight else { return day.start() };
        // Where the clock skips midnight, the day begins an hour later.
        let found = self.0.from_local_datetime(&midnight).earliest();
        let found = found.or_else(|| self.0.from_local_datetime(&(midnight + Days::hours(1))).earliest());
        found.map_or(Timestamp::from_ms(midnight.and_utc().timestamp_millis()), |at| {
            Timestamp::from_ms(at.timestamp_millis())
        })
    }

    /// Divides the time from `from` to `until` at the changes of the clock.
    pub fn spans(self, from: Timestamp, until: Timestamp) -> Vec<ClockSpan> {
        let mut spans = Vec::new();
        let (mut begin, mut at) = (from, from);
        while at < until {
            let next = at.plus(DAY).min(until);
            if self.ahead_ms(at) != self.ahead_ms(next) {
                let change = self.change_between(at, next);
                spans.push(ClockSpan { from: begin, until: change, ahead_ms: self.ahead_ms(begin) });
                begin = change;
            }
            at = next;
        }
        if begin < until {
            spans.push(ClockSpan { from: begin, until, ahead_ms: self.ahead_ms(begin) });
        }
        spans
    }

    /// The first moment after a change of the clock between two times.
    fn change_between(self, mut before: Timestamp, mut after: Timestamp) -> Timestamp {
        let old = self.ahead_ms(before);
        while after.as_ms() - before.as_ms() > 1 {
            let middle = Timestamp::from_ms(before.as_ms().midpoint(after.as_ms()));
            if self.ahead_ms(middle) == old { before = middle } else { after = middle }
        }
        after
    }

    fn ahead_ms(self, at: Timestamp) -> i64 {
        let offset = self.0.offset_from_utc_datetime(&at.utc().naive_utc()).fix();
        i64::from(offset.local_minus_utc()) * 1000
    }
}

/// Returns the duration below which `percent` of the sorted durations are, by the nearest rank. `None` when there are none.
pub fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).expect("a time")
    }

    #[test]
    fn a_day_begins_at_local_midnight() {
        let berlin = LocalDays::of(Some("Europe/Berlin"));
        let day = berlin.day(at("2026-03-14T23:00:00Z"));

        assert_eq!(day, at("2026-03-15T12:00:00Z").day());
        assert_eq!(berlin.day(at("2026-03-14T22:59:59.999Z")), day.minus(1));
        assert_eq!(berlin.start(day), at("2026-03-14T23:00:00Z"));
        assert_eq!(LocalDays::of(Some("Asia/Kathmandu")).start(day), at("2026-03-14T18:15:00Z"));
        assert_eq!(LocalDays::of(None).start(day), at("2026-03-15T00:00:00Z"));
        assert_eq!(LocalDays::of(Some("Mars/Olympus")).name(), "UTC");
    }

    #[test]
    fn a_day_begins_later_where_the_clock_skips_midnight() {
        // On 2026-03-29, clocks in Beirut go from 00:00 to 01:00.
        let beirut = LocalDays::of(Some("Asia/Beirut"));
        let day = at("2026-03-29T12:00:00Z").day();

        assert_eq!(beirut.start(day), at("2026-03-28T22:00:00Z"));
        assert_eq!(beirut.day(beirut.start(day)), day);
    }

    #[test]
    fn a_range_is_divided_where_the_clock_changes() {
        let berlin = LocalDays::of(Some("Europe/Berlin"));
        let (from, until) = (at("2026-03-01T00:00:00Z"), at("2026-11-30T00:00:00Z"));
        let (summer, winter) = (at("2026-03-29T01:00:00Z"), at("2026-10-25T01:00:00Z"));
        let hour = 3_600_000;

        let spans = berlin.spans(from, until);

        assert_eq!(
            spans,
            [
                ClockSpan { from, until: summer, ahead_ms: hour },
                ClockSpan { from: summer, until: winter, ahead_ms: 2 * hour },
                ClockSpan { from: winter, until, ahead_ms: hour },
            ]
        );
        // The last hour of a day with 25 hours still belongs to it.
        let last = at("2026-10-25T22:59:59Z");
        assert_eq!(berlin.day(last), at("2026-10-25T12:00:00Z").day());
        assert_eq!(LocalDays::of(None).spans(from, until).len(), 1);
        assert!(berlin.spans(until, from).is_empty());
    }

    #[test]
    fn a_percentile_is_one_of_the_durations() {
        let seconds = |numbers: &[u64]| numbers.iter().map(|it| Duration::from_secs(*it)).collect::<Vec<_>>();
        let ten = seconds(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);

        assert_eq!(percentile(&ten, 50), Some(Duration::from_secs(5)));
        assert_eq!(percentile(&ten, 90), Some(Duration::from_secs(9)));
        assert_eq!(percentile(&seconds(&[7]), 90), Some(Duration::from_secs(7)));
        assert_eq!(percentile(&[], 50), None);
    }
}
