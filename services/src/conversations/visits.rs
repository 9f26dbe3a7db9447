//! Visits: the sessions of a site with what is known of them.
//!
//! A session begins with its first question ([`asking`](super::asking)). Its client reports the page, the referrer, the
//! language and the browser ([`report`]), and says who the visitor is ([`contacts`](super::contacts)). Only the team sees
//! any of it.

use helpbot_db as db;
use helpbot_domain::ids::{SessionId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;
use helpbot_domain::visit::{SessionOrder, SessionQuery, VisitReport, VisitorSession, browser_of, page_address};
use helpbot_domain::{Timestamp, Together as _, language, text};

use crate::accounts::viewer::ProvedSession;
use crate::accounts::{access, blocked_visitors};
use crate::conversations::listing::require_list;
use crate::runtime::lookups::find_by_ids;
use crate::{Error, Result, Services, Viewer, boxed};

/// What a client says about the visit of its visitor.
#[derive(Debug, Clone, Default)]
pub struct NewVisit {
    /// Address of the page that the visitor is on.
    pub page_url: Option<String>,
    /// Address of the page that led the visitor to the site. An empty text counts as none.
    pub referrer: Option<String>,
    /// Language of the visitor's browser as a BCP 47 tag. An unknown tag is ignored.
    pub language: Option<String>,
    /// The header `User-Agent` of the visitor's browser. An unknown browser is ignored.
    pub user_agent: Option<String>,
}

/// Stores what a client says about the session that its token proves. Returns the session.
///
/// # Errors
/// `Forbidden`; `VisitorBlocked`; `NotFound` without a session token; `Invalid` names the fields.
#[boxed]
pub async fn report(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    visit: NewVisit,
) -> Result<ProvedSession> {
    let (site, session) = own_session(services, viewer, named).await?;
    let address = |field, text: Option<&str>| {
        text.filter(|text| !text.trim().is_empty()).map(|text| page_address(field, text)).transpose()
    };
    let (page_url, referrer) =
        (address("pageUrl", visit.page_url.as_deref()), address("referrer", visit.referrer.as_deref())).together()?;
    let report = VisitReport {
        page_url,
        referrer,
        language: visit.language.as_deref().and_then(language::primary),
        browser: visit.user_agent.as_deref().and_then(browser_of),
    };
    let (now, proved) = (services.now(), session.clone());
    let is_stored = services.db.write(move |c| {
        Box::pin(async move {
            let ProvedSession { id, token_id } = &proved;
            Ok::<_, Error>(db::visits::report(c, site, id, *token_id, &report, now).await?)
        })
    });
    if is_stored.await? { Ok(session) } else { Err(access::INVALID_TOKEN) }
}

/// Returns the session that the viewer proves, and its site.
///
/// # Errors
/// `Forbidden`; `VisitorBlocked`; `NotFound` without a session token.
pub(super) async fn own_session(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
) -> Result<(SiteId, ProvedSession)> {
    viewer.require(Scope::Chat)?;
    let site = viewer.site(named)?;
    blocked_visitors::require_open(services, viewer, site, viewer.session_id()).await?;
    Ok((site, viewer.session.clone().ok_or(Error::NotFound("Session"))?))
}

find_by_ids! {
    /// Returns the sessions with these global IDs. Unknown IDs are left out.
    by_ids, ReadConversations, SessionId => VisitorSession, db::visits::by_ids
}

/// Returns the sessions that conversations name with these IDs. Unknown IDs are left out.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn by_session_ids(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[String],
) -> Result<Vec<VisitorSession>> {
    viewer.require(Scope::ReadConversations)?;
    Ok(db::visits::by_session_ids(&mut services.db.reader().await?, viewer.site(named)?, ids).await?)
}

/// Returns one page of the sessions of a site.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    query: &SessionQuery,
    order: SessionOrder,
    page: PageRequest<(Timestamp, SessionId)>,
) -> Result<Vec<VisitorSession>> {
    require_list(viewer, site)?;
    let order = if page.is_backward { order.reversed() } else { order };
    let mut c = services.db.reader_of(site.id).await?;
    Ok(db::visits::list(&mut c, site.id, &stored(query), order, page.from, page.limit).await?)
}

/// Returns the number of sessions in the list.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, site: &Site, query: &SessionQuery) -> Result<i64> {
    require_list(viewer, site)?;
    Ok(db::visits::count(&mut services.db.reader_of(site.id).await?, site.id, &stored(query)).await?)
}

/// Returns the conditions as the database can compare them.
fn stored(query: &SessionQuery) -> SessionQuery {
    let storable = |all: &Vec<String>| all.iter().map(|text| text::storable(text)).collect();
    SessionQuery { languages: query.languages.as_ref().map(storable), ..query.clone() }
}
