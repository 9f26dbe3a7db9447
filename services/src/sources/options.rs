//! The options of a source: how far a sync follows links from its address, how many pages it reads,
//! and how often it runs. They are stored with the source as JSON; a missing value means its
//! default.

use std::time::Duration;

use helpbot_domain::{Invalid, Timestamp};
use serde::{Deserialize, Serialize};

use helpbot_domain::source::Source;

/// Default number of pages of a source.
pub const PAGES_DEFAULT: u32 = PAGES_MAX;
/// Maximum number of pages of a source. Hardly any help site has more, and a polite crawl reads them
/// within [two hours](crate::sources::sync).
pub const PAGES_MAX: u32 = 10_000;
/// Default number of links from the start page to a page. No help site is deeper by design.
pub const DEPTH_DEFAULT: u32 = 10;
/// Maximum number of links from the start page to a page. Deeper pages indicate an endless site.
pub const DEPTH_MAX: u32 = 50;
/// Share of the interval by which the next sync may differ from its nominal time, so that sources
/// that were added together are not always synced together.
const JITTER: f64 = 0.1;

/// Which pages belong to a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceScope {
    /// Only the page of the address.
    #[default]
    Page,
    /// Pages in the folder of the address and below it.
    Section,
    /// All pages of the host.
    Site,
}

/// How often a source is synced automatically.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceSchedule {
    /// Never.
    #[default]
    None,
    /// Every hour.
    Hourly,
    /// Every day.
    Daily,
    /// Every 7 days.
    Weekly,
    /// Every 30 days.
    Monthly,
}

impl SourceSchedule {
    /// Returns the time between two syncs. `None` without a schedule.
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

    /// Returns the time of the next sync after one at `now`. `random` shifts it by up to a tenth of
    /// the interval.
    pub fn next(self, now: Timestamp, random: u64) -> Option<Timestamp> {
        let interval = self.interval()?;
        // From 0.0..1.0 to -1.0..1.0.
        let part = (random >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0;
        Some(now.plus(interval.mul_f64(1.0 + part * JITTER)))
    }
}

/// Options of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceOptions {
    /// Which pages belong to the source.
    pub scope: SourceScope,
    /// Maximum number of pages, 1 to [`PAGES_MAX`].
    pub max_pages: u32,
    /// Maximum number of links from the start page, 0 to [`DEPTH_MAX`].
    pub max_depth: u32,
    /// How often the source is synced.
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
    /// Returns the options of a source.
    pub fn of(source: &Source) -> Self {
        // Only this program writes the column. Unreadable options mean a single page, which is
        // never more than the owner requested.
        serde_json::from_str(&source.options).unwrap_or_default()
    }

    /// Returns the options as they are stored. Defaults are not stored, so that future defaults
    /// apply to them.
    pub(super) fn stored(&self) -> String {
        if *self == Self::default() { "{}".to_owned() } else { helpbot_db::columns::to_json(self) }
    }

    /// Returns whether syncs with both options read the same pages.
    pub(super) fn reads_as(&self, other: &Self) -> bool {
        Self { schedule: other.schedule, ..*self } == *other
    }
}

/// Changes to the options of a source. `None` leaves a value unchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceOptionsPatch {
    /// Which pages belong to the source.
    pub scope: Option<SourceScope>,
    /// Maximum number of pages.
    pub max_pages: Option<i32>,
    /// Maximum number of links from the start page.
    pub max_depth: Option<i32>,
    /// How often the source is synced.
    pub schedule: Option<SourceSchedule>,
}

impl SourceOptionsPatch {
    /// Applies the changes to `options`.
    ///
    /// # Errors
    /// Names `maxPages` or `maxDepth` and its range.
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
    value.map(Some).ok_or_else(|| Invalid::new(field, format!("{field} must be between {min} and {max}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_were_never_stored_mean_one_page() {
        let read = |text: &str| serde_json::from_str::<SourceOptions>(text);

        assert_eq!(read("{}").ok(), Some(SourceOptions::default()));
        assert_eq!(read("{}").map(|options| options.scope).ok(), Some(SourceScope::Page));
        let stored = SourceOptions { scope: SourceScope::Site, max_pages: 7, ..SourceOptions::default() };
        assert_eq!(read(&serde_json::to_string(&stored).expect("plain data")).ok(), Some(stored));
    }

    #[test]
    fn limits_are_checked_and_named() {
        let change =
            |max_pages, max_depth| SourceOptionsPatch { max_pages, max_depth, ..SourceOptionsPatch::default() };

        assert!(change(Some(1), Some(0)).apply(SourceOptions::default()).is_ok());
        for (change, field) in [
            (change(Some(0), None), "maxPages"),
            (change(Some(10_001), None), "maxPages"),
            (change(None, Some(-1)), "maxDepth"),
        ] {
            assert_eq!(change.apply(SourceOptions::default()).expect_err("out of bounds").field, field);
        }
    }

    #[test]
    fn the_next_sync_is_spread_around_its_hour() {
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
