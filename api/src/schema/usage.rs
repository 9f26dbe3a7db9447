//! The credits of a site: how many questions it may ask in a month.
//!
//! A file of its own, because sites and answers both return credits.

use async_graphql::SimpleObject;
use helpbot_services::accounts::usage;

use crate::schema::scalars::{DateTime, int};

/// Questions that a site may ask in the current calendar month (UTC). Each question uses one credit.
#[derive(SimpleObject)]
pub struct Credits {
    /// Number of questions asked in this month.
    used: i32,
    /// Number of questions that the site may ask in a month. The value 2147483647 means that there
    /// is no limit.
    limit: i32,
    /// Number of questions that can still be asked in this month.
    remaining: i32,
    /// Start of the next month (UTC), when `used` returns to 0.
    reset_at: DateTime,
}

impl From<usage::MonthlyCredits> for Credits {
    fn from(credits: usage::MonthlyCredits) -> Self {
        Self {
            used: int(credits.used),
            limit: int(credits.limit),
            remaining: int(credits.remaining()),
            reset_at: credits.reset_at.into(),
        }
    }
}
