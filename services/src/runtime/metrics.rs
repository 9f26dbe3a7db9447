//! Counts and durations of what this process has done since it started, for `/metrics`. A counter grows after
//! the record of the event is committed.

use helpbot_domain::conversation::Outcome;
use helpbot_domain::measurement::{Counter, Histogram};

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
    /// How long it took to build an index.
    pub index_builds: Histogram,
    /// Index builds that failed.
    pub index_build_failures: Counter,
    /// Hints that this node sent to the others.
    pub hints_sent: Counter,
    /// Hints that this node received from the others.
    pub hints_received: Counter,
    /// How long a hint takes through the database, measured with the hints of this node.
    pub hint_delay: Histogram,
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
