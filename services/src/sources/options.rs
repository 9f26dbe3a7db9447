//! How a source is read: how far from its address, how many pages, how often. Stored with the
//! source as JSON; what an older program did not write has its default.

use std::time::Duration;

use helpbot_domain::{Invalid, Timestamp};
use serde::{Deserialize, Serialize};

use helpbot_domain::source::Source;

/// Pages of a source if its owner does not say: all that one may have.
pub const PAGES_DEFAULT: u32 = PAGES_MAX;
/// The most pages of a source: what half an hour of polite reading gives.
pub const PAGES_MAX: u32 = 500;
/// Links from the start to a page if the owner does not say: no help site is deeper by design.
pub const DEPTH_DEFAULT: u32 = 10;
/// The most links from the start to a page; what lies deeper is a trap.
pub const DEPTH_MAX: u32 = 50;
/// How far the next reading may be from its nominal time, in parts of the interval, so that
/// sources added together are not read together for ever.
const JITTER: f64 = 0.1;

/// How far the reading of a source goes from its address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceScope {
    /// That page alone.
    #[default]
    Page,
    /// Pages in the folder of that page and below.
    Section,
    /// All pages of its host.
    Site,
}

/// How often a source is read again by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceSchedule {
    /// Only when asked for.
    #[default]
    None,
    /// Every hour.
    Hourly,
    /// Every day.
    Daily,
    /// Every seven days.
    Weekly,
    /// Every thirty days.
    Monthly,
}

impl SourceSchedule {
    /// From one reading to the next.
    pub const fn interval(self) -> Option<Duration> {
        const HOUR: u64 = 3_600;
        match self {
            SourceSchedule::None => None,
            SourceSchedule::Hourly => Some(Duration::from_secs(HOUR)),
            SourceSchedule::Daily => Some(Duration::from_secs(24 * HOUR)),
            SourceSchedule::Weekly => Some(Duration::from_secs(7 * 24 * HOUR)),
            SourceSchedule::Monthly => Some(Duration::from_secs(30 * 24 * HOUR)),
        }
    }

    /// When the next reading is due after one at `now`; up to a tenth of the interval earlier or
    /// later, as `random` has it.
    pub fn next(self, now: Timestamp, random: u64) -> Option<Timestamp> {
        let interval = self.interval()?;
        // 0.0 to 1.0, to -1.0 to 1.0.
        let part = (random >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0;
        Some(now.plus(interval.mul_f64(1.0 + part * JITTER)))
    }
}

/// How a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceOptions {
    /// How far.
    pub scope: SourceScope,
    /// At most so many pages: 1 to [`PAGES_MAX`].
    pub max_pages: u32,
    /// At most so many links from the start: 0 to [`DEPTH_MAX`].
    pub max_depth: u32,
    /// How often.
    pub schedule: SourceSchedule,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self {
            scope: SourceScope::default(),
            max_pages: PAGES_DEFAULT,
            max_depth: DEPTH_DEFAULT,
            schedule: SourceSchedule::default(),
        }
    }
}

impl SourceOptions {
    /// Those of a source.
    pub fn of(source: &Source) -> Self {
        // Only this program writes the column; what it cannot read any more is read as one page,
        // which is never more than was asked for.
        serde_json::from_str(&source.options).unwrap_or_default()
    }

    /// Writes options as their column has them; those that are the default are not written, so that
    /// a later default holds for them.
    pub(super) fn stored(&self) -> String {
        if *self == Self::default() { "{}".to_owned() } else { helpbot_db::columns::to_json(self) }
    }

    /// Whether readings under both visit the same pages.
    pub(super) fn reads_as(&self, other: &Self) -> bool {
        Self { schedule: other.schedule, ..*self } == *other
    }
}

/// What an owner wants to be different; what is none stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceOptionsPatch {
    /// How far.
    pub scope: Option<SourceScope>,
    /// How many pages.
    pub max_pages: Option<i32>,
    /// How many links from the start.
    pub max_depth: Option<i32>,
    /// How often.
    pub schedule: Option<SourceSchedule>,
}

impl SourceOptionsPatch {
    /// `options` with the change made.
    ///
    /// # Errors
    /// Names `maxPages` or `maxDepth` and its bounds.
    pub fn apply(self, options: SourceOptions) -> Result<SourceOptions, Invalid> {
        let max_pages = bounded("maxPages", self.max_pages, 1, PAGES_MAX)?;
        let max_depth = bounded("maxDepth", self.max_depth, 0, DEPTH_MAX)?;
        Ok(SourceOptions {
            scope: self.scope.unwrap_or(options.scope),
            max_pages: max_pages.unwrap_or(options.max_pages),
            max_depth: max_depth.unwrap_or(options.max_depth),
            schedule: self.schedule.unwrap_or(options.schedule),
        })
    }
}

fn bounded(field: &'static str, value: Option<i32>, min: u32, max: u32) -> Result<Option<u32>, Invalid> {
    let Some(value) = value else { return Ok(None) };
    let value = u32::try_from(value).ok().filter(|value| (min..=max).contains(value));
    value.map(Some).ok_or_else(|| Invalid::new(field, format!("{field} must be between {min} and {max}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_were_never_written_read_one_page() {
        let read = |text: &str| serde_json::from_str::<SourceOptions>(text);

        assert_eq!(read("{}").ok(), Some(SourceOptions::default()));
        assert_eq!(read("{}").map(|options| options.scope).ok(), Some(SourceScope::Page));
        let stored = SourceOptions { scope: SourceScope::Site, max_pages: 7, ..SourceOptions::default() };
        assert_eq!(read(&serde_json::to_string(&stored).expect("plain data")).ok(), Some(stored));
    }

    #[test]
    fn caps_are_checked_and_named() {
        let change =
            |max_pages, max_depth| SourceOptionsPatch { max_pages, max_depth, ..SourceOptionsPatch::default() };

        assert!(change(Some(1), Some(0)).apply(SourceOptions::default()).is_ok());
        for (change, field) in [
            (change(Some(0), None), "maxPages"),
            (change(Some(501), None), "maxPages"),
            (change(None, Some(-1)), "maxDepth"),
        ] {
            assert_eq!(change.apply(SourceOptions::default()).expect_err("out of bounds").field, field);
        }
    }

    #[test]
    fn the_next_reading_is_spread_around_its_hour() {
        let now = Timestamp::from_ms(1_000_000);
        let minutes = |random| {
            let next = SourceSchedule::Hourly.next(now, random).expect("hourly is not never");
            (next.as_ms() - now.as_ms()) as f64 / 60_000.0
        };

        assert_eq!(SourceSchedule::None.next(now, 7), None);
        assert!((minutes(0) - 54.0).abs() < 0.01);
        assert!((minutes(u64::MAX / 2) - 60.0).abs() < 0.01);
        assert!((minutes(u64::MAX) - 66.0).abs() < 0.01);
    }
}
