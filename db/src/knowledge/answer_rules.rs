//! Answer rules: instructions of owners about the answer to one question.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{RuleId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::{load_by_ids, load_page};
use crate::schema::answer_rules as rules;
use helpbot_domain::answer_rule::AnswerRule;
use helpbot_domain::page::PageRequest;

#[derive(Queryable, Selectable)]
#[diesel(table_name = rules)]
struct Row {
    site_id: String,
    id: String,
    kind: String,
    question: String,
    entry_id: String,
    source_id: String,
    entry_question: String,
    created_at_ms: i64,
}

impl TryFrom<Row> for AnswerRule {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(AnswerRule {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            kind: columns::named(&row.kind)?,
            question: row.question,
            entry_id: columns::parse(&row.entry_id)?,
            source_id: columns::parse(&row.source_id)?,
            entry_question: row.entry_question,
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Stores a new rule.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, new: &AnswerRule) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(rules::table)
            .values((
                rules::site_id.eq(new.site_id.to_string()),
                rules::id.eq(new.id.to_string()),
                rules::kind.eq(new.kind.as_str()),
                rules::question.eq(&new.question),
                rules::entry_id.eq(new.entry_id.to_string()),
                rules::source_id.eq(new.source_id.to_string()),
                rules::entry_question.eq(&new.entry_question),
                rules::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns the rules of the site with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[RuleId]) -> Result<Vec<AnswerRule>> {
    load_by_ids!(c, AnswerRule, rules, site, ids)
}

/// Returns one page of the site's rules, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(c: &mut Conn, site: SiteId, page: PageRequest<RuleId>) -> Result<Vec<AnswerRule>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| load_page!(c, rules::table.filter(rules::site_id.eq(&site)), rules::id, page))?;
    rows.into_iter().map(AnswerRule::try_from).collect()
}

/// Returns the number of rules of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId) -> Result<i64> {
    let site = site.to_string();
    Ok(on!(c, |c| rules::table.filter(rules::site_id.eq(&site)).count().get_result(c).await)?)
}

/// Deletes a rule. Returns false when the site has no such rule.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, id: RuleId) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::delete(rules::table.filter(rules::site_id.eq(&site)).filter(rules::id.eq(&id))).execute(c).await
    })?;
    Ok(count == 1)
}
