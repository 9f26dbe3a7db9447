//! Reading sites, and who is asking.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use helpbot_services::accounts::sites;

use super::{Site, SiteConnection, int};
use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::enums::{KeyKind, Scope};
use crate::schema::ids;
use crate::schema::page::{self, PageArgs};

/// Reading sites.
#[derive(Default)]
pub struct SiteQuery;

#[Object]
impl SiteQuery {
    /// Who is asking: what the key is and what it may do.
    async fn viewer(&self, ctx: &Context<'_>) -> Viewer {
        Viewer { access: Access::of(ctx).clone() }
    }

    /// The own site of the key; an operator names one. Null when there is none such.
    async fn site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The own one of the key if not said.")] id: Option<ID>,
    ) -> Result<Option<Site>> {
        match Site::of(ctx, id.as_ref()).await {
            Ok(site) => Ok(Some(site)),
            Err(helpbot_services::Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All sites of the installation, in the order in which they were made; for its operator.
    #[graphql(complexity = "page::cost(first, last, child_complexity)")]
    async fn sites(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many from the start: 20 if not said, never over 100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<SiteConnection> {
        nullable(list(Access::of(ctx), &PageArgs { first, after, last, before })).await
    }
}

/// A page of all sites.
async fn list(access: &Access, args: &PageArgs) -> Result<SiteConnection> {
    let walk = args.walk()?;
    let found = sites::list(&access.services, &access.viewer, walk.part()?).await?;
    let (rows, has_previous, has_next) = page::trim(&walk, found);
    let nodes = rows.into_iter().map(|row| (row.id.to_string(), row));
    let nodes = nodes.map(|(place, row)| (Site { row, access: access.clone() }, place)).collect();
    let total = access.clone();
    let total = page::total(move || {
        let access = total.clone();
        async move { sites::count(&access.services, &access.viewer).await.map(int) }
    });
    Ok(SiteConnection::new(nodes, has_previous, has_next, total))
}

/// The holder of a key.
pub struct Viewer {
    access: Access,
}

/// The holder of a key.
#[Object]
impl Viewer {
    /// Who the key speaks for.
    async fn kind(&self) -> KeyKind {
        self.access.viewer.kind.into()
    }

    /// What it may do.
    async fn scopes(&self) -> Vec<Scope> {
        self.access.viewer.scopes.iter().map(|scope| Scope::from(*scope)).collect()
    }

    /// The site that it opens; null for the operator, who may name any.
    async fn site(&self) -> Result<Option<Site>> {
        match self.access.viewer.site_id {
            Some(_) => Ok(Some(Site::load(&self.access, None).await?)),
            None => Ok(None),
        }
    }

    /// The member of the team whose key it is; null for other kinds of keys.
    async fn member(&self) -> Option<MemberIdentity> {
        let member = self.access.viewer.member.as_ref()?;
        Some(MemberIdentity { id: ids::id(member.id), name: member.name.clone() })
    }

    /// The id of the session that the session token proves.
    async fn session_id(&self) -> Option<&str> {
        self.access.viewer.session.as_deref()
    }
}

/// Who a member's key speaks for.
#[derive(SimpleObject)]
pub struct MemberIdentity {
    /// The id of the member.
    id: ID,
    /// The name that visitors see.
    name: String,
}
