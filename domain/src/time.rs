//! Times and days, always in UTC. The clock is in `services`.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Datelike, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const DAY_MS: i64 = 86_400_000;
/// 10000-01-01T00:00:00Z in milliseconds since the epoch.
const YEAR_10000_MS: u64 = 253_402_300_800_000;

/// A time in milliseconds since 1970-01-01T00:00:00Z, as the databases store it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Converts milliseconds since the epoch to a time.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Returns the milliseconds since the epoch.
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// Formats the time as RFC 3339 in UTC, with milliseconds and `Z`, for example
    /// `2026-01-15T10:30:00.000Z`.
    pub fn to_rfc3339(self) -> String {
        self.to_string()
    }

    /// Parses RFC 3339 with any offset.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|t| Self(t.timestamp_millis()))
    }

    /// Converts the time to chrono. Saturates outside the range of chrono.
    pub fn utc(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Returns the time `duration` later.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the time `duration` earlier.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the time that has passed since `earlier`, and zero when that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Returns the UTC day of the time.
    pub fn day(self) -> Day {
        Day(i32::try_from(self.0.div_euclid(DAY_MS)).unwrap_or(i32::MAX))
    }

    /// Returns the UTC month of the time.
    pub fn month(self) -> Month {
        let date = self.utc();
        Month(date.year() * 12 + i32::try_from(date.month0()).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    /// Formats the time like [`Timestamp::to_rfc3339`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u64::try_from(self.0) {
            Ok(ms) if ms < YEAR_10000_MS => f.write_str(std::str::from_utf8(&digits(ms)).unwrap_or_default()),
            _ => f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Millis, true)),
        }
    }
}

/// Writes a time from 1970 to 9999 as chrono does. Lists write many times, and chrono takes ten times as long.
fn digits(ms: u64) -> [u8; 24] {
    let (days, ms) = (ms / 86_400_000, ms % 86_400_000);
    // From days to year, month and day in eras of 400 years that begin in March (Howard Hinnant, "chrono-compatible
    // low-level date algorithms").
    let day = days + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let mut put = |start: usize, end: usize, mut number: u64| {
        for digit in text[start..end].iter_mut().rev() {
            // One decimal digit.
            *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
    };
    put(0, 4, year);
    put(5, 7, month);
    put(8, 10, day);
    put(11, 13, ms / 3_600_000);
    put(14, 16, ms / 60_000 % 60);
    put(17, 19, ms / 1_000 % 60);
    put(20, 23, ms % 1_000);
    text
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_rfc3339(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

/// A UTC day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// Converts days since 1970-01-01 to a day.
    pub const fn from_number(number: i32) -> Self {
        Self(number)
    }

    /// Returns the days since 1970-01-01.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// Returns the first moment of the day.
    pub fn start(self) -> Timestamp {
        Timestamp(i64::from(self.0) * DAY_MS)
    }

    /// Returns the day `days` earlier.
    pub const fn minus(self, days: i32) -> Self {
        Self(self.0 - days)
    }
}

impl fmt::Display for Day {
    /// Formats the day as `YYYY-MM-DD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.start().utc().format("%Y-%m-%d"))
    }
}

/// A UTC month, counted from year 0. It is the period of the credit allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    /// Returns the months since January of year 0, as stored.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// Returns the first moment of the next month, when the credit allowance is renewed.
    pub fn end(self) -> Timestamp {
        let next = self.0 + 1;
        let month = u32::try_from(next.rem_euclid(12)).unwrap_or(0) + 1;
        Utc.with_ymd_and_hms(next.div_euclid(12), month, 1, 0, 0, 0)
            .single()
            .map_or(Timestamp(i64::MAX), |t| Timestamp(t.timestamp_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_chrono_writes_it() {
        let written = |ms| (Timestamp::from_ms(ms).to_rfc3339(), Timestamp::from_ms(ms).utc());
        let days = (0..3_000_000).step_by(7).map(|day: i64| day * DAY_MS + day * 12_345 % DAY_MS);
        let leap = [951_782_400_000, 951_868_799_999, 4_107_456_000_000, 4_107_542_400_000];
        for ms in days.chain(leap).chain([-1, 0, 999, 253_402_300_799_999, 253_402_300_800_000, i64::MIN, i64::MAX]) {
            let (text, moment) = written(ms);
            assert_eq!(text, moment.to_rfc3339_opts(SecondsFormat::Millis, true), "{ms}");
        }
    }

    #[test]
    fn a_time_is_formatted_with_milliseconds_and_z() {
        assert_eq!(Timestamp::from_ms(1_705_314_600_000).to_rfc3339(), "2024-01-15T10:30:00.000Z");
        assert_eq!(Timestamp::from_rfc3339("2024-01-15T11:30:00+01:00"), Some(Timestamp::from_ms(1_705_314_600_000)));
    }

    #[test]
    fn a_month_ends_when_the_next_one_starts() {
        let december = Timestamp::from_rfc3339("2026-12-31T23:59:59.999Z").expect("a moment");

        assert_eq!(december.month().end().to_rfc3339(), "2027-01-01T00:00:00.000Z");
        assert_ne!(december.month(), december.plus(Duration::from_millis(1)).month());
    }

    #[test]
    fn days_before_the_epoch_round_down() {
        assert_eq!(Timestamp::from_ms(-1).day().number(), -1);
        assert_eq!(Timestamp::from_ms(-1).day().to_string(), "1969-12-31");
    }
}
