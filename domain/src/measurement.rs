//! Numbers that a process counts about itself: counters, gauges and durations. Every crate that does
//! something worth measuring keeps its own, and `server` shows them at `/metrics`.
//!
//! They are atomic numbers without locks, because every request changes several of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets of a [`Histogram`] in seconds: from an answer from memory to an answer that a model
/// writes.
pub const BUCKET_SECONDS: [f64; BUCKETS] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// [`BUCKET_SECONDS`] in microseconds.
const BUCKET_MICROS: [u64; BUCKETS] =
    [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000, 30_000_000];

const BUCKETS: usize = 11;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn add_one(&self) {
        self.add(1);
    }

    /// Adds a number.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    /// Returns the current value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number of things that exist now.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Counts one thing until the returned value is dropped.
    pub fn count(self: &Arc<Self>) -> Counted {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(self))
    }

    /// Returns the current value.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One thing that a [`Gauge`] counts until this value is dropped.
#[derive(Debug)]
pub struct Counted(Arc<Gauge>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long something took, by [`BUCKET_SECONDS`].
#[derive(Debug, Default)]
pub struct Histogram {
    /// The last bucket counts what took longer than all bounds.
    buckets: [AtomicU64; BUCKETS + 1],
    sum_us: AtomicU64,
}

/// The state of a [`Histogram`] at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistogramState {
    /// For each bound, how many durations were at most as long.
    pub at_most: [u64; BUCKETS],
    /// Number of all durations.
    pub count: u64,
    /// Sum of all durations.
    pub sum: Duration,
}

impl Histogram {
    /// Adds one duration.
    pub fn record(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKET_MICROS.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Returns the durations that were recorded until now.
    pub fn state(&self) -> HistogramState {
        let mut at_most = [0; BUCKETS];
        let mut count = 0;
        for (bound, bucket) in at_most.iter_mut().zip(&self.buckets) {
            count += bucket.load(Ordering::Relaxed);
            *bound = count;
        }
        count += self.buckets[BUCKETS].load(Ordering::Relaxed);
        HistogramState { at_most, count, sum: Duration::from_micros(self.sum_us.load(Ordering::Relaxed)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_in_all_buckets_that_are_at_least_as_long() {
        let histogram = Histogram::default();

        for ms in [1, 2, 90_000] {
            histogram.record(Duration::from_millis(ms));
        }
        let state = histogram.state();

        assert_eq!((state.at_most[0], state.at_most[1], state.at_most[10]), (1, 2, 2));
        assert_eq!((state.count, state.sum), (3, Duration::from_millis(90_003)));
    }

    #[test]
    fn the_bounds_are_the_same_in_seconds_and_in_microseconds() {
        for (seconds, us) in BUCKET_SECONDS.into_iter().zip(BUCKET_MICROS) {
            assert_eq!(Duration::from_secs_f64(seconds), Duration::from_micros(us));
        }
    }

    #[test]
    fn a_gauge_counts_what_exists() {
        let gauge = Arc::new(Gauge::default());

        let counted = gauge.count();
        let while_it_exists = gauge.get();
        drop(counted);

        assert_eq!((while_it_exists, gauge.get()), (1, 0));
    }
}
