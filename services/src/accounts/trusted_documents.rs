//! Trusted documents of a site: GraphQL documents that its team registers, so that requests can name them by
//! their ID, also when the server executes nothing else.
//!
//! An ID never changes its document, because programs that were published with it still send it. A request
//! reads its document from the database, so a change takes effect on all nodes at once.

use helpbot_db as db;
use helpbot_domain::ids::SiteId;
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;
use helpbot_domain::trusted_document::{TrustedDocument, normal_id};
use helpbot_domain::{Invalid, Timestamp, text};

use crate::{Error, Result, Services, Viewer, boxed};

/// Maximum number of documents of a site: ten versions of a program with a hundred operations.
pub const DOCUMENTS_MAX: i64 = 1_000;
/// Maximum number of documents that are added or removed at once, so that the transaction is short.
pub const CHANGED_MAX: usize = 100;
/// Maximum number of characters of an ID. A SHA-512 hash in hexadecimal digits has 128.
const ID_MAX_CHARS: usize = 160;
/// Maximum number of characters of a document. 1,000 of them take 32 MiB in the database.
const BODY_MAX_CHARS: usize = 32 * 1024;

/// Returns what is wrong with the text of a document, or `None`. The caller knows the schema.
pub type FindProblem = fn(&str) -> Option<String>;

/// A document to be registered.
#[derive(Debug, Clone)]
pub struct NewTrustedDocument {
    /// Its ID.
    pub id: String,
    /// Its text.
    pub body: String,
}

/// Registers documents, all or none. One that is registered already changes nothing. `problem` returns what is
/// wrong with the text of a document. Returns the number of new documents.
///
/// # Errors
/// `Forbidden`; `Invalid` for each wrong document; `Conflict` when an ID belongs to another document;
/// `LimitReached`.
#[boxed]
pub async fn add(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    new: Vec<NewTrustedDocument>,
    problem: FindProblem,
) -> Result<usize> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(named)?;
    let rows = checked(site, services.now(), new, problem)?;
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                // The lock makes concurrent calls count each other's documents.
                db::sites::by_id_locked(c, site).await?.ok_or(Error::NotFound("Site"))?;
                let mut added = 0;
                for row in &rows {
                    match db::trusted_documents::by_id(c, site, &row.id).await? {
                        Some(known) if known.body == row.body => {}
                        Some(_) => {
                            let id = &row.id;
                            return Err(Error::Conflict(format!("The ID \"{id}\" belongs to another document.")));
                        }
                        None => added += usize::from(db::trusted_documents::insert(c, row).await?),
                    }
                }
                if db::trusted_documents::count(c, site).await? > DOCUMENTS_MAX {
                    return Err(Error::LimitReached(format!(
                        "A site can have at most {DOCUMENTS_MAX} trusted documents. Remove some first."
                    )));
                }
                Ok(added)
            })
        })
        .await
}

fn checked(
    site: SiteId,
    now: Timestamp,
    new: Vec<NewTrustedDocument>,
    problem: FindProblem,
) -> Result<Vec<TrustedDocument>, Invalid> {
    let (mut rows, mut rejected) = (Vec::with_capacity(new.len()), None);
    if !(1..=CHANGED_MAX).contains(&new.len()) {
        return Err(Invalid::new("documents", format!("documents must contain 1 to {CHANGED_MAX} documents.")));
    }
    for NewTrustedDocument { id, body } in new {
        match document_problem(&id, &body, problem) {
            Some(message) => Invalid::add(&mut rejected, Invalid::new("documents", message)),
            None => rows.push(TrustedDocument { site_id: site, id: normal_id(&id), body, created_at: now }),
        }
    }
    rejected.map_or(Ok(rows), Err)
}

/// What is wrong with a document, with its ID.
fn document_problem(id: &str, body: &str, problem: FindProblem) -> Option<String> {
    if !(1..=ID_MAX_CHARS).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(format!("An ID must have 1 to {ID_MAX_CHARS} visible ASCII characters."));
    }
    // The text is stored exactly as it was sent, because the ID can be its hash.
    let is_too_long = text::bounded("body", body, BODY_MAX_CHARS).err().map(|invalid| invalid.message);
    is_too_long.or_else(|| problem(body)).map(|reason| format!("The document \"{id}\": {reason}"))
}

/// Removes documents. Requests that name them fail from then on. Returns how many the site had.
///
/// # Errors
/// `Forbidden`; `Invalid` for no ID or too many.
#[boxed]
pub async fn remove(services: &Services, viewer: &Viewer, named: Option<SiteId>, ids: &[String]) -> Result<usize> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(named)?;
    if !(1..=CHANGED_MAX).contains(&ids.len()) {
        return Err(Invalid::new("documentIds", format!("documentIds must contain 1 to {CHANGED_MAX} IDs.")).into());
    }
    let ids: Vec<String> = ids.iter().map(|id| normal_id(id)).collect();
    services
        .db
        .write(move |c| Box::pin(async move { Ok::<_, Error>(db::trusted_documents::delete(c, site, &ids).await?) }))
        .await
}

/// Returns one page of the site's documents, sorted by ID.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    page: PageRequest<String>,
) -> Result<Vec<TrustedDocument>> {
    viewer.require(Scope::Admin)?;
    Ok(db::trusted_documents::list(&mut services.db.reader().await?, site.id, page).await?)
}

/// Returns the number of the site's documents.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, site: &Site) -> Result<i64> {
    viewer.require(Scope::Admin)?;
    Ok(db::trusted_documents::count(&mut services.db.reader().await?, site.id).await?)
}

/// Returns the text of a document of the viewer's site. Every key of the site may execute it; what the
/// key may read is decided for each field.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn body(services: &Services, viewer: &Viewer, id: &str) -> Result<Option<String>> {
    let Some(site) = viewer.site_id else { return Ok(None) };
    let found = db::trusted_documents::by_id(&mut services.db.reader().await?, site, &normal_id(id)).await?;
    Ok(found.map(|document| document.body))
}
