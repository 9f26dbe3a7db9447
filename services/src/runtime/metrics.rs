//! Counters of what this process has done since it started, for `/metrics`. A counter grows after
//! the record of the event is committed.

use std::sync::atomic::{AtomicU64, Ordering};

use helpbot_domain::conversation::Outcome;

/// A counter that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the current value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of a process.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Questions answered from the site's content.
    pub answered: Counter,
    /// Questions that got suggestions instead of an answer.
    pub suggested: Counter,
    /// Questions that were declined because no answer was found.
    pub declined: Counter,
    /// Greetings and thanks.
    pub small_talk: Counter,
    /// Delivery attempts that succeeded.
    pub delivered: Counter,
    /// Delivery attempts that failed and are repeated.
    pub retried: Counter,
    /// Delivery attempts that failed and were the last of their delivery.
    pub given_up: Counter,
    /// Mails that the mail server accepted.
    pub mails_sent: Counter,
    /// Mails that the mail server did not accept and that are sent again.
    pub mails_retried: Counter,
    /// Mails that were abandoned.
    pub mails_given_up: Counter,
}

impl Metrics {
    pub(crate) fn asked(&self, outcome: Outcome) {
        match outcome {
            Outcome::Answered => self.answered.add_one(),
            Outcome::Suggested => self.suggested.add_one(),
            Outcome::Declined => self.declined.add_one(),
            Outcome::SmallTalk => self.small_talk.add_one(),
        }
    }
}
