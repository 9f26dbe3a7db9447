//! Answer rules: the owner pins an entry to a question, or forbids it for one.
//!
//! The engine applies the rules before it decides, to the question in every notation and to
//! near-identical ones. Rules belong to the index of the site: a change builds the index again, so
//! that no node answers by old rules.

use helpbot_db as db;
use helpbot_domain::conversation::question;
use helpbot_domain::ids::{ChunkId, RuleId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;
use helpbot_engine::Index;

use crate::accounts::{audit_log, sites};
use crate::runtime::lookups::find_by_ids;
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, boxed};

pub use helpbot_domain::answer_rule::{AnswerRule, RuleKind};
pub use helpbot_engine::retrieval::AppliedRule;

/// Maximum number of rules of a site. Each of them is compared with every question.
const RULES_MAX: i64 = 500;

/// Adds a rule. It applies to the next question.
///
/// # Errors
/// `Forbidden`; `LimitReached`; `Invalid` names the field; `NotFound` for an entry that the site does
/// not have.
#[boxed]
pub async fn add(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    kind: RuleKind,
    asked: &str,
    entry: ChunkId,
) -> Result<AnswerRule> {
    viewer.require(Scope::WriteSources)?;
    let (site, now) = (sites::get(services, viewer, named).await?.id, services.now());
    let asked = question(asked)?;
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                let found = db::chunks::by_ids(c, site, &[entry]).await?.pop();
                let missing = Error::NoSuch { noun: "Entry", field: "entryId" };
                let Some(found) = found else { return Err(missing) };
                let Some(entry_question) = found.chunk.question else { return Err(missing) };
                // The version comes first because it is the lock of the count.
                db::sites::retire_older_indexes(c, site).await?;
                if db::answer_rules::count(c, site).await? >= RULES_MAX {
                    return Err(Error::LimitReached(format!(
                        "A site can have at most {RULES_MAX} answer rules. Delete one first."
                    )));
                }
                let rule = AnswerRule {
                    site_id: site,
                    id: RuleId::from_uuid(randomness::uuid(now)),
                    kind,
                    question: asked,
                    entry_id: entry,
                    source_id: found.chunk.source_id,
                    entry_question,
                    created_at: now,
                };
                audit_log::created(&rule.id);
                db::answer_rules::insert(c, &rule).await?;
                Ok(rule)
            })
        })
        .await
}

/// Deletes a rule.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn delete(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: RuleId) -> Result<()> {
    viewer.require(Scope::WriteSources)?;
    let site = viewer.site(named)?;
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                if !db::answer_rules::delete(c, site, id).await? {
                    return Err(Error::NotFound("Answer rule"));
                }
                Ok(db::sites::retire_older_indexes(c, site).await?)
            })
        })
        .await
}

find_by_ids! {
    /// Returns the rules of the site with these IDs. Unknown IDs are left out.
    by_ids, ReadSources, RuleId => AnswerRule, db::answer_rules::by_ids
}

/// Returns one page of the site's rules, oldest first.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    page: PageRequest<RuleId>,
) -> Result<Vec<AnswerRule>> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(site.id))?;
    Ok(db::answer_rules::list(&mut services.db.reader().await?, site, page).await?)
}

/// Returns the number of the site's rules.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, site: &Site) -> Result<i64> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(site.id))?;
    Ok(db::answer_rules::count(&mut services.db.reader().await?, site).await?)
}

/// Adds the rules of a site to an index.
pub(crate) async fn with_rules(services: &Services, site: SiteId, index: Index) -> Result<Index> {
    let rules = all(services, site).await?;
    Ok(if rules.is_empty() { index } else { index.with_rules(rules) })
}

/// Returns all rules of a site, oldest first.
pub(crate) async fn all(services: &Services, site: SiteId) -> Result<Vec<AnswerRule>> {
    Ok(db::answer_rules::list(&mut services.db.reader().await?, site, PageRequest::first(RULES_MAX)).await?)
}
