//! The credits of a site: how many questions it may ask in a month.
//!
//! A file of its own, because sites and answers both return credits.

use helpbot_api_macros::OutputObject;
use helpbot_domain::plan::UNLIMITED_CREDITS;
use helpbot_services::accounts::usage;

use crate::schema::scalars::{DateTime, int};

/// Questions that a site may ask in the current calendar month (UTC). Each question uses one credit.
#[derive(OutputObject)]
pub struct Credits {
    /// Number of questions asked in this month.
    used: i32,
    /// Number of questions that the site may ask in a month. It is null when there is no limit.
    limit: Option<i32>,
    /// Number of questions that can still be asked in this month. It is null when there is no limit.
    remaining: Option<i32>,
    /// Start of the next month (UTC), when `used` returns to 0.
    reset_at: DateTime,
}

impl From<usage::MonthlyCredits> for Credits {
    fn from(credits: usage::MonthlyCredits) -> Self {
        let is_limited = credits.limit != UNLIMITED_CREDITS;
        Self {
            used: int(credits.used),
            limit: is_limited.then(|| int(credits.limit)),
            remaining: is_limited.then(|| int(credits.remaining())),
            reset_at: credits.reset_at.into(),
        }
    }
}
