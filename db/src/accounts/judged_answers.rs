//! Counts of a site's answers that somebody judged, and of those that were wrong.

use diesel::prelude::*;
use helpbot_domain::ids::SiteId;
use helpbot_domain::promise::Judged;

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::site_counters as counters;

/// The counts of a site, by what judged the answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JudgedAnswers {
    /// By votes of visitors and members who took over.
    pub by_people: Judged,
    /// By the last run of the saved test questions.
    pub by_cases: Judged,
}

/// Returns the counts of a site. `None` when it does not exist.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of(c: &mut Conn, site: SiteId) -> Result<Option<JudgedAnswers>> {
    let site = site.to_string();
    let row: Option<(i64, i64, i64, i64)> = on!(c, |c| {
        counters::table
            .filter(counters::site_id.eq(&site))
            .select((
                counters::judged_answers,
                counters::wrong_answers,
                counters::case_answers,
                counters::case_wrong_answers,
            ))
            .get_result(c)
            .await
            .optional()
    })?;
    Ok(row.map(|(answers, wrong, case_answers, case_wrong)| JudgedAnswers {
        by_people: Judged { answers, wrong },
        by_cases: Judged { answers: case_answers, wrong: case_wrong },
    }))
}

/// Adds to the counts by people. Both numbers can be negative, when a assessment is taken back.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn add(c: &mut Conn, site: SiteId, more: Judged) -> Result<()> {
    let site = site.to_string();
    on!(c, |c| {
        diesel::update(counters::table.filter(counters::site_id.eq(&site)))
            .set((
                counters::judged_answers.eq(counters::judged_answers + more.answers),
                counters::wrong_answers.eq(counters::wrong_answers + more.wrong),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Replaces the counts by saved test questions.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn set_by_cases(c: &mut Conn, site: SiteId, judged: Judged) -> Result<()> {
    let site = site.to_string();
    on!(c, |c| {
        diesel::update(counters::table.filter(counters::site_id.eq(&site)))
            .set((counters::case_answers.eq(judged.answers), counters::case_wrong_answers.eq(judged.wrong)))
            .execute(c)
            .await
    })?;
    Ok(())
}
