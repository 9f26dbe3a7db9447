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
        }
    }
}
