//! Daily counts, updated as things happen, so that analytics over a year read only 365 rows.

use diesel::prelude::*;
use diesel::upsert::excluded;
use helpbot_domain::ids::SiteId;
use helpbot_domain::time::Day;

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::prepared::Fixed;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::daily_stats as days;

/// The counts of one day, or the amounts to add to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DailyCounts {
    /// Number of questions.
    pub questions: i64,
    /// Number of questions without an answer.
    pub unanswered: i64,
    /// Number of handoffs.
    pub handoffs: i64,
    /// Number of positive votes.
    pub helpful: i64,
    /// Number of negative votes.
    pub unhelpful: i64,
}

impl DailyCounts {
    /// Returns the sum of both.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self {
            questions: self.questions + more.questions,
            unanswered: self.unanswered + more.unanswered,
            handoffs: self.handoffs + more.handoffs,
            helpful: self.helpful + more.helpful,
            unhelpful: self.unhelpful + more.unhelpful,
        }
    }
}

/// Adds to the counts of `day`, which is the day of the conversation and not of the vote.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn add(c: &mut Conn, site: SiteId, day: Day, more: DailyCounts) -> Result<()> {
    let site = site.to_string();
    on!(c, |c| {
        let upsert = diesel::insert_into(days::table)
            .values((
                days::site_id.eq(&site),
                days::day.eq(day.number()),
                days::questions.eq(more.questions),
                days::unanswered.eq(more.unanswered),
                days::handoffs.eq(more.handoffs),
                days::helpful.eq(more.helpful),
                days::unhelpful.eq(more.unhelpful),
            ))
            .on_conflict((days::site_id, days::day))
            .do_update()
            .set((
                days::questions.eq(days::questions + excluded(days::questions)),
                days::unanswered.eq(days::unanswered + excluded(days::unanswered)),
                days::handoffs.eq(days::handoffs + excluded(days::handoffs)),
                days::helpful.eq(days::helpful + excluded(days::helpful)),
                days::unhelpful.eq(days::unhelpful + excluded(days::unhelpful)),
            ));
        Fixed(upsert).execute(c).await
    })?;
    Ok(())
}

/// Records that the conversations behind a part of the counts of `day` were deleted because of their age. The counts stay.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn expire(c: &mut Conn, site: SiteId, day: Day, expired: DailyCounts) -> Result<()> {
    let site = site.to_string();
    on!(c, |c| {
        let row = days::table.filter(days::site_id.eq(&site)).filter(days::day.eq(day.number()));
        let update = diesel::update(row).set((
            days::expired_questions.eq(days::expired_questions + expired.questions),
            days::expired_unanswered.eq(days::expired_unanswered + expired.unanswered),
            days::expired_handoffs.eq(days::expired_handoffs + expired.handoffs),
            days::expired_helpful.eq(days::expired_helpful + expired.helpful),
            days::expired_unhelpful.eq(days::expired_unhelpful + expired.unhelpful),
        ));
        Fixed(update).execute(c).await
    })?;
    Ok(())
}

/// Loads these columns of the days from `$from` to `$to`.
macro_rules! load_between {
    ($c:ident, $site:expr, $from:expr, $to:expr, $columns:expr) => {{
        let site = $site.to_string();
        let rows: Vec<(i32, i64, i64, i64, i64, i64)> = on!($c, |c| {
            days::table
                .filter(days::site_id.eq(&site))
                .filter(days::day.between($from.number(), $to.number()))
                .order(days::day)
                .select($columns)
                .load(c)
                .await
        })?;
        let counts = |(day, questions, unanswered, handoffs, helpful, unhelpful)| {
            (Day::from_number(day), DailyCounts { questions, unanswered, handoffs, helpful, unhelpful })
        };
        Ok(rows.into_iter().map(counts).collect())
    }};
}

/// Returns the counts of the days from `from` to `to`, both included, in ascending order. Days
/// without counts are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn between(c: &mut Conn, site: SiteId, from: Day, to: Day) -> Result<Vec<(Day, DailyCounts)>> {
    let columns = (days::day, days::questions, days::unanswered, days::handoffs, days::helpful, days::unhelpful);
    load_between!(c, site, from, to, columns)
}

/// Same as [`between`], for the conversations that are still stored.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn stored_between(c: &mut Conn, site: SiteId, from: Day, to: Day) -> Result<Vec<(Day, DailyCounts)>> {
    let columns = (
        days::day,
        days::questions - days::expired_questions,
        days::unanswered - days::expired_unanswered,
        days::handoffs - days::expired_handoffs,
        days::helpful - days::expired_helpful,
        days::unhelpful - days::expired_unhelpful,
    );
    load_between!(c, site, from, to, columns)
}
