//! Addresses of one shape, such as the days of a calendar: when they give way to other pages.
//!
//! Used by [`plan`](super::plan). Pure.

/// Visits to a shape of addresses before it gives way to others.
const SHAPE_VISITS: usize = 4;

/// From this many visits on, a shape that has said nothing new comes last.
const STALE_VISITS: usize = 6;

/// The share of the visits to a shape that must say something new, in percent.
const NOVEL_PERCENT: usize = 20;

/// What is added to the depth of addresses whose shape says nothing new.
const STALE_COST: u32 = 1000;

/// What the visits to addresses of one shape gave.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct ShapeRecord {
    pub visits: usize,
    pub novel: usize,
    /// Visits to pages that have not changed, which are neither new nor old.
    pub unchanged: usize,
}

impl ShapeRecord {
    /// What is added to the depth of further addresses of this shape.
    pub(super) fn cost(self) -> u32 {
        if self.is_stale() {
            return STALE_COST;
        }
        (self.visits / SHAPE_VISITS).checked_ilog2().map_or(0, |log| log + 1)
    }

    fn is_stale(self) -> bool {
        let read = self.visits.saturating_sub(self.unchanged);
        read >= STALE_VISITS && self.novel * 100 < read * NOVEL_PERCENT
    }
}
