//! Time ranges of analytics, and percentages.

use crate::time::Day;

/// A range of whole UTC days that ends today.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Range {
    /// Today and the 6 days before.
    Last7Days,
    /// Today and the 29 days before.
    #[default]
    Last30Days,
    /// Today and the 89 days before.
    Last90Days,
    /// Today and the 364 days before.
    Last365Days,
    /// All days since the first one with data.
    All,
}

impl Range {
    /// Returns the first day of a range that ends on `today`. `None` for all days.
    pub const fn first_day(self, today: Day) -> Option<Day> {
        let days = match self {
            Range::Last7Days => 7,
            Range::Last30Days => 30,
            Range::Last90Days => 90,
            Range::Last365Days => 365,
            Range::All => return None,
        };
        Some(today.minus(days - 1))
    }
}

/// Returns `part` as a percentage of `whole`, rounded half up. Returns 0 when `whole` is 0.
pub const fn percent(part: i64, whole: i64) -> i64 {
    if whole <= 0 { 0 } else { (part * 200 + whole).div_euclid(whole * 2) }
}

/// Returns the change from `before` to `now` in percent. Returns 0 when both are 0, and 100 when
/// only `before` is 0.
pub const fn change_percent(now: i64, before: i64) -> i64 {
    match (now, before) {
        (0, 0) => 0,
        (_, 0) => 100,
        _ => percent(now - before, before),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_half_up() {
        assert_eq!([percent(1, 3), percent(1, 2), percent(1, 8), percent(3, 8), percent(0, 0)], [33, 50, 13, 38, 0]);
    }

    #[test]
    fn a_change_from_nothing_is_a_hundred_percent() {
        let changes =
            [(0, 0), (5, 0), (0, 5), (6, 4), (3, 4), (10, 3)].map(|(now, before)| change_percent(now, before));

        assert_eq!(changes, [0, 100, -100, 50, -25, 233]);
    }

    #[test]
    fn today_is_the_last_day_of_each_range() {
        let today = Day::from_number(1_000);

        assert_eq!(Range::Last7Days.first_day(today), Some(Day::from_number(994)));
        assert_eq!(Range::All.first_day(today), None);
    }
}
