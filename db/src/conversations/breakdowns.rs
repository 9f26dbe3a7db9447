//! The questions of a range of time in groups: by local day, language, source and reason of an unhelpful vote.
//!
//! The index `conversations_statistics` contains every column that these statements read, so that they read no conversations.

use std::collections::BTreeMap;

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::local_days::ClockSpan;
use helpbot_domain::satisfaction::FeedbackReason;
use helpbot_domain::time::Day;

use crate::columns;
use crate::connection::conn::{Conn, on};
use crate::connection::grouped::Grouped;
use crate::connection::run::RunQueryDsl;
use crate::conversations::stats::DailyCounts;
use crate::error::Result;
use crate::schema::conversations as conv;

/// Milliseconds of a day, by which SQL divides.
const DAY_MS: i64 = 86_400_000;

/// The numbers of a group: of all questions, of those without an answer, of helpful votes, of all votes and of handoffs.
type GroupNumbers = (i64, i64, i64, i64, i64);

fn counts((questions, unanswered, helpful, votes, handoffs): GroupNumbers) -> DailyCounts {
    DailyCounts { questions, unanswered, helpful, unhelpful: votes - helpful, handoffs }
}

/// Selects a group with its [`GroupNumbers`]. Grouping by the other columns too and adding the counts here took twice as long.
macro_rules! with_numbers {
    ($rows:expr, $group:expr) => {{
        let numbers = (
            sql::<BigInt>("COUNT(*)"),
            sql::<BigInt>("COUNT(CASE WHEN conversations.is_unanswered THEN 1 END)"),
            sql::<BigInt>("COUNT(CASE WHEN conversations.is_helpful THEN 1 END)"),
            sql::<BigInt>("COUNT(conversations.is_helpful)"),
            sql::<BigInt>("COUNT(conversations.handoff_status)"),
        );
        Grouped { rows: $rows.select(($group, numbers)), columns: "1" }
    }};
}

/// The conversations of a site from `$from` to before `$until`.
macro_rules! asked_between {
    ($site:expr, $from:expr, $until:expr) => {
        conv::table
            .filter(conv::site_id.eq($site))
            .filter(conv::created_at_ms.ge($from.as_ms()))
            .filter(conv::created_at_ms.lt($until.as_ms()))
    };
}

/// Returns the counts of each local day with questions. The spans follow one another.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_day(c: &mut Conn, site: SiteId, spans: &[ClockSpan]) -> Result<BTreeMap<Day, DailyCounts>> {
    let site = site.to_string();
    let mut days: BTreeMap<Day, DailyCounts> = BTreeMap::new();
    for span in spans {
        let rows: Vec<(i64, GroupNumbers)> = on!(c, |c| {
            // Whole numbers are divided, and times are not negative, so the result is the number of the day.
            let day = sql::<BigInt>("(conversations.created_at_ms + ").bind::<BigInt, _>(span.ahead_ms);
            let day = day.sql(") / ").bind::<BigInt, _>(DAY_MS);
            with_numbers!(asked_between!(&site, span.from, span.until), day).load(c).await
        })?;
        for (number, numbers) in rows {
            // The clock can change in the middle of a day.
            let (of_day, more) = (Day::from_number(i32::try_from(number).unwrap_or(i32::MAX)), counts(numbers));
            let sum = days.entry(of_day).or_default();
            *sum = sum.and(more);
        }
    }
    Ok(days)
}

/// Returns the counts of each language. `None` is an unknown language.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_language(
    c: &mut Conn,
    site: SiteId,
    from: Timestamp,
    until: Timestamp,
) -> Result<BTreeMap<Option<String>, DailyCounts>> {
    let site = site.to_string();
    let rows: Vec<(Option<String>, GroupNumbers)> =
        on!(c, |c| with_numbers!(asked_between!(&site, from, until), conv::language).load(c).await)?;
    Ok(rows.into_iter().map(|(language, numbers)| (language, counts(numbers))).collect())
}

/// Returns the counts of each source, by the first citation of the answers. Questions without one are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_source(
    c: &mut Conn,
    site: SiteId,
    from: Timestamp,
    until: Timestamp,
) -> Result<BTreeMap<SourceId, DailyCounts>> {
    let site = site.to_string();
    let rows: Vec<(String, GroupNumbers)> = on!(c, |c| {
        let cited = asked_between!(&site, from, until).filter(conv::source_id.is_not_null());
        with_numbers!(cited, conv::source_id.assume_not_null()).load(c).await
    })?;
    rows.into_iter().map(|(source, numbers)| Ok((columns::parse(&source)?, counts(numbers)))).collect()
}

/// Returns how often each reason was given for an unhelpful vote.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_reason(
    c: &mut Conn,
    site: SiteId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<(FeedbackReason, i64)>> {
    let site = site.to_string();
    let rows: Vec<(Option<String>, i64)> = on!(c, |c| {
        asked_between!(&site, from, until)
            .filter(conv::feedback_reason.is_not_null())
            .group_by(conv::feedback_reason)
            .select((conv::feedback_reason, count_star()))
            .load(c)
            .await
    })?;
    let row = |(reason, count): (Option<String>, i64)| Ok((columns::named(&reason.unwrap_or_default())?, count));
    rows.into_iter().map(row).collect()
}

/// Returns the time of the first question of a site. `None` when it has none.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn first_question(c: &mut Conn, site: SiteId) -> Result<Option<Timestamp>> {
    let site = site.to_string();
    let first: Option<i64> = on!(c, |c| {
        conv::table
            .filter(conv::site_id.eq(&site))
            .order(conv::created_at_ms)
            .select(conv::created_at_ms)
            .first(c)
            .await
            .optional()
    })?;
    Ok(first.map(Timestamp::from_ms))
}
