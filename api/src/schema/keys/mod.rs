//! API keys of a site, and the mutations that create, change and revoke them.
//!
//! The text of a key is returned once, by the mutation that creates it. Nothing here can read it
//! again.

use async_graphql::{Context, ID, MaybeUndefined, Object, Result};
use helpbot_api_macros::OutputObject;
use helpbot_domain as domain;
use helpbot_domain::ids::{MemberId, SiteId};
use helpbot_services::accounts::keys::{self, KeyPatch, NewKey};

use crate::error::Nullable;
use crate::schema::access::Access;
use crate::schema::enums::{KeyKind, Scope};
use crate::schema::ids;
use crate::schema::loaders;
use crate::schema::members::Member;
use crate::schema::mutation::{changed, finish, input, payload};
use crate::schema::page::{self, KeyOrder, PageArgs, connection};
use crate::schema::scalars::DateTime;

/// An API key without its text, of which the server stores only a hash.
#[derive(Clone, OutputObject)]
#[graphql(complex)]
pub struct ApiKey {
    /// Kind of the API key, which decides whose requests it authenticates.
    kind: KeyKind,
    /// Name that was given to the API key when it was created. It may be empty.
    name: String,
    /// Last four characters of the API key, which help to identify it.
    last4: String,
    /// Scopes of the API key. Null means all scopes that keys of this kind can have.
    scopes: Option<Vec<Scope>>,
    /// Web origins on which a browser may use the API key. An empty list means any origin for a widget key,
    /// and the server's own origin for other keys over GraphQL.
    origins: Vec<String>,
    /// Time at which the API key expires. It is null when the key does not expire.
    expires_at: Option<DateTime>,
    /// Time at which the API key was revoked. It is null when the key was not revoked.
    revoked_at: Option<DateTime>,
    /// Time at which the API key was last used, with a precision of one minute. It is null when the
    /// key has never been used.
    last_used_at: Option<DateTime>,
    /// Time at which the API key was created.
    created_at: DateTime,
    #[graphql(skip)]
    id: ID,
    #[graphql(skip)]
    member: Option<(SiteId, MemberId)>,
}

connection! {
    /// A list of API keys, which is sorted by the time of creation, oldest first.
    ApiKeyConnection,
    /// An edge that connects the list to an API key.
    ApiKeyEdge, ApiKey
}

#[async_graphql::ComplexObject]
impl ApiKey {
    /// Global ID of the API key, which `node` accepts.
    pub async fn id(&self) -> ID {
        self.id.clone()
    }

    /// Member that the API key acts for: the owner of a member key, or who signed in. It is null for other kinds of keys,
    /// and when the member was removed.
    async fn member(&self, ctx: &Context<'_>) -> Nullable<Member> {
        let (site, member) = self.member?;
        let found = Access::of(ctx).loaders.member(site, member).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(Member::from))
    }
}

impl From<domain::key::Key> for ApiKey {
    fn from(row: domain::key::Key) -> Self {
        Self {
            kind: row.kind.into(),
            name: row.name,
            last4: row.last4,
            scopes: Some(row.scopes.into_iter().map(Scope::from).collect())
                .filter(|scopes: &Vec<_>| !scopes.is_empty()),
            origins: row.origins,
            expires_at: row.expires_at.map(DateTime),
            revoked_at: row.revoked_at.map(DateTime),
            last_used_at: row.last_used_at.map(DateTime),
            created_at: row.created_at.into(),
            id: ids::id(row.id),
            member: row.site_id.zip(row.member_id),
        }
    }
}

/// A page of the API keys of a site.
pub(crate) async fn list(access: &Access, site: &domain::site::Site, args: &PageArgs) -> Result<ApiKeyConnection> {
    let found = keys::list(&access.services, &access.viewer, Some(site.id)).await?;
    let (page, total) = page::of_all(args, found, KeyOrder::Ascending, |key| key.id)?;
    let position = |_, key: &ApiKey| key.id.to_string();
    Ok(ApiKeyConnection::with_positions(page.map(ApiKey::from), total, Box::new(position)))
}

/// The mutations that manage API keys.
#[derive(Default)]
pub struct KeyMutation;

input! {
    /// Arguments that `createApiKey` accepts.
    CreateApiKeyInput {
        /// Kind of the API key, which must be `WIDGET` or `SECRET`.
        kind: KeyKind,
        /// Name that helps to identify the API key. It can have at most 80 characters and defaults to
        /// an empty name.
        #[graphql(default)]
        name: String,
        /// Scopes of the API key, at least one. By default, and when it is null, the key has all scopes that keys
        /// of this kind can have.
        scopes: Option<Vec<Scope>>,
        /// Web origins on which a browser may use the API key, for example `https://shop.example`. At most 20.
        /// An empty list, which is the default, allows any origin for a widget key. A secret key with an empty
        /// list is refused over GraphQL on pages of other origins.
        #[graphql(default)]
        origins: Vec<String>,
        /// Time at which the API key expires, which must be in the future. By default the key does not
        /// expire.
        expires_at: Option<DateTime>,
    }
}

payload! {
    /// Result that `createApiKey` returns.
    CreateApiKeyPayload {
        /// The API key that was created. It is null when the mutation failed.
        api_key: Option<ApiKey>,
        /// Text of the API key, which requests send. It is returned only once, because the server
        /// stores only its hash. It is null when the mutation failed.
        secret: Option<String>,
    }
}

input! {
    /// Arguments that `updateApiKey` accepts. Fields that are absent stay unchanged.
    UpdateApiKeyInput {
        /// ID of the API key that is changed.
        id: ID,
        /// New name, which can have at most 80 characters. It stays unchanged when it is absent or null.
        name: Option<String>,
        /// New web origins on which a browser may use the API key, at most 20, as in `createApiKey`. They stay
        /// unchanged when the field is absent or null.
        origins: Option<Vec<String>>,
        /// New time at which the API key expires, which must be in the future. Null means never. It stays unchanged
        /// when it is absent.
        expires_at: MaybeUndefined<DateTime>,
    }
}

payload! {
    /// Result that `updateApiKey` returns.
    UpdateApiKeyPayload {
        /// The API key after the change. It is null when the mutation failed.
        api_key: Option<ApiKey>,
    }
}

input! {
    /// Arguments that `revokeApiKey` accepts.
    RevokeApiKeyInput {
        /// ID of the API key that is revoked.
        id: ID,
    }
}

payload! {
    /// Result that `revokeApiKey` returns.
    RevokeApiKeyPayload {
        /// The API key that was revoked. It is null when the mutation failed.
        api_key: Option<ApiKey>,
    }
}

#[Object]
impl KeyMutation {
    /// Creates an API key for a site and returns its text, which cannot be read again later. Requires
    /// the `ADMIN` scope and every scope that the new key gets.
    ///
    /// Fails with `BAD_USER_INPUT` for an invalid field and with `LIMIT_REACHED` when the site already
    /// has 50 keys that are not revoked.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let site = input.site();
        let new = NewKey {
            kind: input.kind.into(),
            name: input.name,
            scopes: input.scopes.map(|scopes| scopes.into_iter().map(Into::into).collect()),
            origins: input.origins,
            expires_at: input.expires_at.map(|at| at.0),
        };
        finish(keys::create(services, viewer, site, new).await, |(key, secret)| CreateApiKeyPayload {
            api_key: Some(key.into()),
            secret: Some(secret),
            ..Default::default()
        })
    }

    /// Changes the name, the origins or the expiry of an API key. Open connections of the key end. Requires the
    /// `ADMIN` scope.
    ///
    /// Fails with `NOT_FOUND` when the key does not exist, with `CONFLICT` when it is revoked or that of a sign-in, and with
    /// `BAD_USER_INPUT` for an invalid field.
    async fn update_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateApiKeyInput,
    ) -> Result<UpdateApiKeyPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.id));
        let expires_at = changed(input.expires_at).map(|at| at.map(|at| at.0));
        let patch = KeyPatch { name: input.name, origins: input.origins, expires_at };
        let changed = keys::update(services, viewer, site, id, patch).await;
        finish(changed, |key| UpdateApiKeyPayload { api_key: Some(key.into()), ..Default::default() })
    }

    /// Revokes an API key. Requests with the key fail from now on, and its open connections are closed
    /// within a second. Requires the `ADMIN` scope. Fails with `NOT_FOUND` when the key does not exist.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: RevokeApiKeyInput,
    ) -> Result<RevokeApiKeyPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let revoked = keys::revoke(services, viewer, input.site(), ids::read(&input.id)).await;
        finish(revoked, |key| RevokeApiKeyPayload { api_key: Some(key.into()), ..Default::default() })
    }
}
