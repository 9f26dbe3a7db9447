//! The limits of a site that its owner is notified of when visitors reach them.

use serde::{Deserialize, Serialize};

/// A limit that visitors can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// The credits of the month.
    MonthlyCredits,
    /// The credits of a day, which the owner has limited.
    DailyCredits,
    /// The credits of one client address in a day, which the owner has limited.
    AddressCredits,
    /// Questions per minute of one session or one client address.
    QuestionRate,
    /// Mails about handoffs of one visitor.
    HandoffMails,
    /// Codes and transcripts that are sent by mail.
    TranscriptMails,
    /// Mails with messages of the team to visitors who are not there.
    ReplyMails,
}

impl LimitKind {
    /// Returns the name as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            LimitKind::MonthlyCredits => "monthly_credits",
            LimitKind::DailyCredits => "daily_credits",
            LimitKind::AddressCredits => "address_credits",
            LimitKind::QuestionRate => "question_rate",
            LimitKind::HandoffMails => "handoff_mails",
            LimitKind::TranscriptMails => "transcript_mails",
            LimitKind::ReplyMails => "reply_mails",
        }
    }
}

/// The visitor for whom a mail is sent, by all that limits on mails are counted by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailRequester {
    /// Session of the visitor. `None` when the team sends the mail.
    pub session_id: Option<String>,
    /// Mailbox of the address, see [`crate::mailbox`]. `None` when the visitor left no address.
    pub mailbox: Option<String>,
    /// Keyed hash of the network address of the client. `None` when it is not known.
    pub address_key: Option<String>,
}

/// Numbers of earlier mails. What is not known about a requester counts as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailCounts {
    /// Mails for the same session.
    pub session: usize,
    /// Mails for the same mailbox.
    pub mailbox: usize,
    /// Mails for the same network address.
    pub address: usize,
}

impl MailRequester {
    /// Counts the mails among `earlier` that have something in common with this requester.
    pub fn counts(&self, earlier: &[MailRequester]) -> MailCounts {
        let count = |of: fn(&MailRequester) -> Option<&String>| {
            let own = of(self);
            earlier.iter().filter(|requester| own.is_some() && of(requester) == own).count()
        };
        MailCounts {
            session: count(|requester| requester.session_id.as_ref()),
            mailbox: count(|requester| requester.mailbox.as_ref()),
            address: count(|requester| requester.address_key.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_of_both_requesters_is_counted() {
        let requester = |session: Option<&str>, mailbox: Option<&str>, address: Option<&str>| MailRequester {
            session_id: session.map(str::to_owned),
            mailbox: mailbox.map(str::to_owned),
            address_key: address.map(str::to_owned),
        };
        let earlier = [
            requester(Some("s"), None, None),
            requester(Some("s"), Some("ann@example.com"), None),
            requester(Some("t"), Some("bob@example.com"), Some("key")),
        ];

        let visitor = requester(Some("s"), Some("bob@example.com"), None).counts(&earlier);
        let nobody = MailRequester::default().counts(&earlier);

        assert_eq!(visitor, MailCounts { session: 2, mailbox: 1, address: 0 });
        assert_eq!(nobody, MailCounts { session: 0, mailbox: 0, address: 0 });
    }
}
