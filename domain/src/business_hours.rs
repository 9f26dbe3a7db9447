//! Business hours: when the team of a site is usually there, in the local time of the site.
//!
//! Times are local, because "from nine" stays nine when summer time begins. A time that does not exist on the day on which
//! clocks are put forward counts as one hour later, and of a time that exists twice, the first one counts.

use std::str::FromStr;

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::cases::plain_enum;
use crate::{Invalid, Timestamp};

/// Maximum number of opening periods in a week.
pub const PERIODS_MAX: usize = 50;
/// Maximum number of holidays.
pub const HOLIDAYS_MAX: usize = 400;
/// Number of days in which the next opening is looked for. A team that opens later has no next opening.
const DAYS_AHEAD: i64 = 400;
/// Minutes of a day.
const DAY_MINUTES: u32 = 24 * 60;

/// Passes the cases of [`Weekday`] to a macro that declares an enum.
#[macro_export]
macro_rules! weekday_cases {
    ($macro:ident $enum:tt) => {
        $macro! { $enum
            /// The period is on Monday.
            Monday,
            /// The period is on Tuesday.
            Tuesday,
            /// The period is on Wednesday.
            Wednesday,
            /// The period is on Thursday.
            Thursday,
            /// The period is on Friday.
            Friday,
            /// The period is on Saturday.
            Saturday,
            /// The period is on Sunday.
            Sunday,
        }
    };
}

weekday_cases!(plain_enum {
    /// A day of the week.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Weekday
});

impl Weekday {
    const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    fn of(date: NaiveDate) -> Self {
        Self::ALL[date.weekday().num_days_from_monday() as usize % 7]
    }
}

/// A period of a weekday in which the team is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpeningPeriod {
    /// The day.
    pub day: Weekday,
    /// Beginning in minutes after midnight.
    pub opens_at_min: u32,
    /// End in minutes after midnight, at most 1,440.
    pub closes_at_min: u32,
}

/// When the team of a site is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BusinessHours {
    /// Name of the time zone in the IANA database, for example `Europe/Berlin`.
    pub time_zone: String,
    /// Periods of a week, in order. Periods may touch and overlap.
    pub periods: Vec<OpeningPeriod>,
    /// Days on which the team is not there, in order, as `2026-12-25`.
    pub holidays: Vec<String>,
}

impl BusinessHours {
    /// Checks and orders business hours.
    ///
    /// # Errors
    /// Names the field that is not valid.
    pub fn checked(time_zone: &str, mut periods: Vec<OpeningPeriod>, holidays: &[String]) -> Result<Self, Invalid> {
        let Ok(zone) = Tz::from_str(time_zone.trim()) else {
            let message = "timeZone must be a name of the IANA time zone database, for example Europe/Berlin.";
            return Err(Invalid::new("timeZone", message));
        };
        if periods.len() > PERIODS_MAX {
            return Err(Invalid::new("periods", format!("There can be at most {PERIODS_MAX} periods.")));
        }
        if periods
            .iter()
            .any(|period| period.opens_at_min >= period.closes_at_min || period.closes_at_min > DAY_MINUTES)
        {
            let message =
                "Each period must end after it begins, on the same day. Write a period over midnight as two periods.";
            return Err(Invalid::new("periods", message));
        }
        periods.sort();
        periods.dedup();
        let mut days: Vec<String> = holidays.iter().map(|day| holiday(day)).collect::<Result<_, _>>()?;
        days.sort();
        days.dedup();
        if days.len() > HOLIDAYS_MAX {
            return Err(Invalid::new("holidays", format!("There can be at most {HOLIDAYS_MAX} holidays.")));
        }
        Ok(Self { time_zone: zone.name().to_owned(), periods, holidays: days })
    }

    /// Returns whether the team is there at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let local = now.utc().with_timezone(&self.zone());
        let minute = local.hour() * 60 + local.minute();
        self.periods_of(local.date_naive()).any(|period| (period.opens_at_min..period.closes_at_min).contains(&minute))
    }

    /// Returns when the team is there next. `None` while it is there, and when it is not there within a year.
    pub fn next_opening(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_open(now) {
            return None;
        }
        let zone = self.zone();
        let today = now.utc().with_timezone(&zone).date_naive();
        (0..DAYS_AHEAD).find_map(|days| {
            let date = today.checked_add_signed(Duration::days(days))?;
            let openings = self.periods_of(date).filter_map(|period| moment(&zone, date, period.opens_at_min));
            openings.filter(|opening| *opening > now).min()
        })
    }

    fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(Tz::UTC)
    }

    fn periods_of(&self, date: NaiveDate) -> impl Iterator<Item = &OpeningPeriod> {
        let is_holiday = self.holidays.binary_search(&date.to_string()).is_ok();
        let day = Weekday::of(date);
        self.periods.iter().filter(move |period| !is_holiday && period.day == day)
    }
}

/// Returns a time of day as minutes after midnight. `24:00` is the end of the day.
///
/// # Errors
/// Fails when the text is not a time such as `09:30`. `field` names it.
pub fn minutes(field: &'static str, text: &str) -> Result<u32, Invalid> {
    let parsed = text.split_once(':').and_then(|(hours, minutes)| {
        let is_two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let (hours, minutes) = (is_two(hours).then_some(hours)?, is_two(minutes).then_some(minutes)?);
        Some((hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?))
    });
    match parsed {
        Some((hours, minutes)) if minutes < 60 && hours * 60 + minutes <= DAY_MINUTES => Ok(hours * 60 + minutes),
        _ => Err(Invalid::new(field, "A time must have the form 09:30, from 00:00 to 24:00.")),
    }
}

/// Formats minutes after midnight as a time of day.
pub fn time_of_day(minutes: u32) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn holiday(day: &str) -> Result<String, Invalid> {
    let parsed = NaiveDate::parse_from_str(day.trim(), "%Y-%m-%d");
    parsed
        .map(|date| date.to_string())
        .map_err(|_| Invalid::new("holidays", "A holiday must have the form 2026-12-25."))
}

/// The time at which the clock in a time zone shows a time of day.
fn moment(zone: &Tz, date: NaiveDate, minutes: u32) -> Option<Timestamp> {
    let local = date.and_time(NaiveTime::from_num_seconds_from_midnight_opt(minutes * 60, 0)?);
    let found: Option<DateTime<Tz>> = zone.from_local_datetime(&local).earliest();
    let found = found.or_else(|| zone.from_local_datetime(&(local + Duration::hours(1))).earliest());
    found.map(|at| Timestamp::from_ms(at.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).expect("a time")
    }

    fn period(day: Weekday, opens: &str, closes: &str) -> OpeningPeriod {
        let minute = |text| minutes("periods", text).expect("a time of day");
        OpeningPeriod { day, opens_at_min: minute(opens), closes_at_min: minute(closes) }
    }

    fn hours(zone: &str, holidays: &[&str]) -> BusinessHours {
        let days = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
        let morning = days.map(|day| period(day, "09:00", "12:00"));
        let afternoon = days.map(|day| period(day, "13:00", "17:30"));
        let holidays: Vec<String> = holidays.iter().map(|day| (*day).to_owned()).collect();
        BusinessHours::checked(zone, [morning, afternoon].concat(), &holidays).expect("business hours")
    }

    #[test]
    fn opening_hours_are_in_the_local_time_of_the_site() {
        let berlin = hours("Europe/Berlin", &[]);

        // A Monday in winter: 09:00 in Berlin is 08:00 UTC.
        assert!(!berlin.is_open(at("2026-01-12T07:59:59Z")));
        assert!(berlin.is_open(at("2026-01-12T08:00:00Z")));
        assert!(!berlin.is_open(at("2026-01-12T11:00:00Z")), "the break");
        assert!(berlin.is_open(at("2026-01-12T16:29:59Z")));
        assert!(!berlin.is_open(at("2026-01-12T16:30:00Z")));
        // A Monday in summer: 09:00 in Berlin is 07:00 UTC.
        assert!(berlin.is_open(at("2026-07-13T07:00:00Z")));
        // Monday morning in Auckland is Sunday in UTC.
        assert!(hours("Pacific/Auckland", &[]).is_open(at("2026-01-11T21:00:00Z")));
    }

    #[test]
    fn the_next_opening_skips_breaks_weekends_and_holidays() {
        let berlin = hours("Europe/Berlin", &["2026-04-06", "2026-12-25"]);

        assert_eq!(berlin.next_opening(at("2026-01-12T08:30:00Z")), None);
        assert_eq!(berlin.next_opening(at("2026-01-12T11:30:00Z")), Some(at("2026-01-12T12:00:00Z")));
        // From Friday evening over Easter Monday, and into summer time.
        assert_eq!(berlin.next_opening(at("2026-04-03T18:00:00Z")), Some(at("2026-04-07T07:00:00Z")));
        let never = BusinessHours { periods: Vec::new(), ..berlin };
        assert_eq!(never.next_opening(at("2026-01-12T08:30:00Z")), None);
    }

    #[test]
    fn a_time_that_the_clock_skips_counts_as_an_hour_later() {
        let sunday = vec![period(Weekday::Sunday, "02:30", "04:00")];
        let berlin = BusinessHours::checked("Europe/Berlin", sunday, &[]).expect("business hours");

        // On 2026-03-29, the clock goes from 02:00 to 03:00.
        assert_eq!(berlin.next_opening(at("2026-03-29T00:00:00Z")), Some(at("2026-03-29T01:30:00Z")));
    }

    #[test]
    fn invalid_hours_are_refused_with_their_field() {
        let refused = |zone: &str, periods: Vec<OpeningPeriod>, holidays: &[&str]| {
            let holidays: Vec<String> = holidays.iter().map(|day| (*day).to_owned()).collect();
            BusinessHours::checked(zone, periods, &holidays).expect_err("it is refused").field
        };

        assert_eq!(refused("Berlin", Vec::new(), &[]), "timeZone");
        assert_eq!(refused("UTC", vec![period(Weekday::Monday, "17:00", "09:00")], &[]), "periods");
        assert_eq!(refused("UTC", Vec::new(), &["25.12.2026"]), "holidays");
        assert_eq!(refused("UTC", Vec::new(), &["2026-02-30"]), "holidays");
        for wrong in ["9:00", "24:01", "12:60", "noon", "-1:00", "09:00:00", "٠٩:٠٠"] {
            assert!(minutes("periods", wrong).is_err(), "{wrong}");
        }
        assert_eq!(minutes("periods", "24:00"), Ok(DAY_MINUTES));
    }
}
