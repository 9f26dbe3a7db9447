//! What this process has done since it began, for `/metrics`: questions by outcome, attempts at
//! deliveries and mails by what came of them. Counted once the record of it is committed.

use std::sync::atomic::{AtomicU64, Ordering};

use helpbot_domain::conversation::Outcome;

use crate::webhooks::outbox::Next;

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// One more.
    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counts of a process.
#[derive(Debug, Default)]
pub struct Figures {
    /// Questions answered from the site's pages.
    pub answered: Count,
    /// Questions to which near ones were offered.
    pub suggested: Count,
    /// Questions that got an honest "I don't know".
    pub declined: Count,
    /// Greetings and thanks.
    pub small_talk: Count,
    /// Attempts that delivered a webhook.
    pub delivered: Count,
    /// Attempts that failed and are made again.
    pub retried: Count,
    /// Attempts that failed and were the last of their delivery.
    pub given_up: Count,
    /// Mails that the mail server took.
    pub mails_sent: Count,
    /// Mails that it did not take and that are sent again.
    pub mails_retried: Count,
    /// Mails that it refused for good.
    pub mails_given_up: Count,
}

impl Figures {
    pub(crate) fn asked(&self, outcome: Outcome) {
        match outcome {
            Outcome::Answered => self.answered.add_one(),
            Outcome::Suggested => self.suggested.add_one(),
            Outcome::Declined => self.declined.add_one(),
            Outcome::SmallTalk => self.small_talk.add_one(),
        }
    }

    pub(crate) fn attempted(&self, next: Next) {
        match next {
            Next::Delivered => self.delivered.add_one(),
            Next::Retry(_) => self.retried.add_one(),
            Next::Failed => self.given_up.add_one(),
        }
    }
}
