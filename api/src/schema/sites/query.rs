//! The query fields that read sites, and the field `viewer`.

use async_graphql::{Context, Description, ID, Object, Result};
use helpbot_api_macros::paged;
use helpbot_services as services;
use helpbot_services::accounts::sites;

use super::{Site, SiteConnection};
use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::enums::{KeyKind, MemberRole, Scope};
use crate::schema::loaders;
use crate::schema::members::Member;
use crate::schema::page::{self, PageArgs};

/// The query fields that read sites.
#[derive(Default)]
pub struct SiteQuery;

#[paged]
#[Object]
impl SiteQuery {
    /// Describes the API key of the request: its kind, its scopes and the site that it belongs to.
    async fn viewer(&self, ctx: &Context<'_>) -> Viewer {
        Viewer { access: Access::of(ctx).clone() }
    }

    /// Returns the site that the API key belongs to. An operator key has access to all sites and must
    /// set `id`. The result is null when the site does not exist or the key belongs to another site.
    async fn site(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "ID of the site. Defaults to the site that the API key belongs to. An operator key requires it."
        )]
        id: Option<ID>,
    ) -> Result<Option<Site>> {
        match Site::of(ctx, id.as_ref()).await {
            Ok(site) => Ok(Some(site)),
            // `Invalid` means that an operator key names no site.
            Err(helpbot_services::Error::NotFound(_) | helpbot_services::Error::Invalid(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns all sites of the installation, oldest first. Requires an operator key.
    async fn sites(&self, ctx: &Context<'_>, args: PageArgs) -> Nullable<SiteConnection> {
        nullable(list(Access::of(ctx), &args)).await
    }
}

impl Site {
    /// The site of the viewer, or the site that an operator named.
    pub(crate) async fn load(access: &Access, named: Option<&ID>) -> services::Result<Self> {
        let named = crate::schema::ids::site(named);
        let row = sites::get(&access.services, &access.viewer, named).await?;
        Ok(Self { row, access: access.clone() })
    }

    /// The site of the request that is being resolved.
    pub(crate) async fn of(ctx: &Context<'_>, named: Option<&ID>) -> services::Result<Self> {
        Self::load(Access::of(ctx), named).await
    }
}

/// A page of all sites.
async fn list(access: &Access, args: &PageArgs) -> Result<SiteConnection> {
    let counted = access.clone();
    let count = async move { sites::count(&counted.services, &counted.viewer).await };
    let rows = |part| sites::list(&access.services, &access.viewer, part);
    let (page, total) = page::read(args, rows, count).await?;
    Ok(SiteConnection::new(page, total, |row| {
        let position = row.id.to_string();
        (Site { row, access: access.clone() }, position)
    }))
}

/// Identity that the request acts as, which its API key and its session token determine.
#[derive(Description)]
pub struct Viewer {
    access: Access,
}

#[Object(use_type_description)]
impl Viewer {
    /// Kind of the API key that the request uses.
    async fn kind(&self) -> KeyKind {
        self.access.viewer.kind.into()
    }

    /// Scopes that the API key has. A page hides what they do not allow.
    async fn scopes(&self) -> Vec<Scope> {
        self.access.viewer.scopes.iter().map(|scope| Scope::from(*scope)).collect()
    }

    /// Site that the API key belongs to. It is null for an operator key, which has access to all sites.
    async fn site(&self) -> Result<Option<Site>> {
        match self.access.viewer.site_id {
            Some(_) => Ok(Some(Site::load(&self.access, None).await?)),
            None => Ok(None),
        }
    }

    /// Member that the API key belongs to. It is null for other kinds of keys.
    async fn member(&self) -> Nullable<Member> {
        let viewer = &self.access.viewer;
        let (site, member) = (viewer.site_id?, viewer.member.as_ref()?);
        let found = self.access.loaders.member(site, member.id).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(Member::from))
    }

    /// Role of the member that the API key belongs to, which decides the scopes of the member's keys. It is null for
    /// other kinds of keys.
    async fn role(&self) -> Option<MemberRole> {
        self.access.viewer.member.as_ref().map(|member| member.role.into())
    }

    /// ID of the session that the session token proves. It is null when the request has no session token.
    async fn session_id(&self) -> Option<&str> {
        self.access.viewer.session_id()
    }
}
