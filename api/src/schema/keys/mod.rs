//! API keys: made, shown once, listed, revoked.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use helpbot_services::accounts::keys::{self, NewKey};
use helpbot_services::{self as services};

use crate::error::{UserError, expected};
use crate::schema::access::Access;
use crate::schema::enums::{KeyKind, Scope};
use crate::schema::ids;
use crate::schema::scalars::DateTime;

/// An API key without its secret.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct ApiKey {
    /// Who it speaks for.
    kind: KeyKind,
    /// As its maker calls it.
    name: String,
    /// Its last four characters, to tell keys apart.
    last4: String,
    /// What it may do; empty means all that its kind may.
    scopes: Vec<Scope>,
    /// Web origins that it is bound to; empty means any.
    origins: Vec<String>,
    /// When it ends by itself.
    expires_at: Option<DateTime>,
    /// When it was revoked.
    revoked_at: Option<DateTime>,
    /// When it was last used, to the minute.
    last_used_at: Option<DateTime>,
    /// When it was made.
    created_at: DateTime,
    #[graphql(skip)]
    id: ID,
}

#[async_graphql::ComplexObject]
impl ApiKey {
    /// Its id.
    pub async fn id(&self) -> ID {
        self.id.clone()
    }
}

impl From<services::Key> for ApiKey {
    fn from(row: services::Key) -> Self {
        Self {
            kind: row.kind.into(),
            name: row.name,
            last4: row.last4,
            scopes: row.scopes.into_iter().map(Scope::from).collect(),
            origins: row.origins,
            expires_at: row.expires_at.map(DateTime),
            revoked_at: row.revoked_at.map(DateTime),
            last_used_at: row.last_used_at.map(DateTime),
            created_at: row.created_at.into(),
            id: ids::id(row.id),
        }
    }
}

/// Managing keys.
#[derive(Default)]
pub struct KeyMutation;

/// A new key.
#[derive(InputObject)]
pub struct CreateApiKeyInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// `WIDGET` or `SECRET`.
    kind: KeyKind,
    /// As its maker calls it, at most 80 characters.
    #[graphql(default)]
    name: String,
    /// What it may do; all that its kind may if empty.
    #[graphql(default)]
    scopes: Vec<Scope>,
    /// Web origins that it is bound to, for example `https://shop.example`; any if empty.
    #[graphql(default)]
    origins: Vec<String>,
    /// When it ends by itself.
    expires_at: Option<DateTime>,
}

/// The new key, or why there is none.
#[derive(Default, SimpleObject)]
pub struct CreateApiKeyPayload {
    /// Its record.
    api_key: Option<ApiKey>,
    /// The key itself. It is shown this once; only its hash is stored.
    secret: Option<String>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The key to revoke.
#[derive(InputObject)]
pub struct RevokeApiKeyInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
}

/// The revoked key, or why it was not revoked.
#[derive(Default, SimpleObject)]
pub struct RevokeApiKeyPayload {
    /// Its record.
    api_key: Option<ApiKey>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

#[Object]
impl KeyMutation {
    /// Makes a key; its secret is shown this once.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to make.")] input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload> {
        let access = Access::of(ctx);
        let new = NewKey {
            kind: input.kind.into(),
            name: input.name,
            scopes: input.scopes.into_iter().map(Into::into).collect(),
            origins: input.origins,
            expires_at: input.expires_at.map(|at| at.0),
        };
        let site = ids::site(input.site_id.as_ref());
        Ok(match keys::create(&access.services, &access.viewer, site, new).await {
            Ok((key, secret)) => {
                CreateApiKeyPayload { api_key: Some(key.into()), secret: Some(secret), ..Default::default() }
            }
            Err(error) => CreateApiKeyPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Revokes a key; requests and open connections with it end within a second.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeApiKeyInput,
    ) -> Result<RevokeApiKeyPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        Ok(match keys::revoke(&access.services, &access.viewer, site, id).await {
            Ok(key) => RevokeApiKeyPayload { api_key: Some(key.into()), ..Default::default() },
            Err(error) => RevokeApiKeyPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }
}
