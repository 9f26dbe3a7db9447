//! The mutations of contacts and of the secrets that sign identity tokens.

use async_graphql::{Context, ID, Object, Result};
use helpbot_services::accounts::identity_secrets;
use helpbot_services::conversations::contacts;

use super::IdentitySecret;
use crate::schema::access::Access;
use crate::schema::ids;
use crate::schema::mutation::{finish, input, payload};

/// The mutations of contacts.
#[derive(Default)]
pub struct ContactMutation;

input! {
    /// Arguments that `eraseContact` accepts.
    EraseContactInput {
        /// ID of the contact that is erased.
        contact_id: ID,
    }
}

payload! {
    /// Result that `eraseContact` returns.
    EraseContactPayload {
        /// ID of the contact that was erased. It is null when the mutation failed.
        erased_id: Option<ID>,
        /// Number of conversations that were erased. It is null when the mutation failed.
        erased_count: Option<i32>,
    }
}

input! {
    /// Arguments that `createIdentitySecret` accepts.
    CreateIdentitySecretInput {}
}

payload! {
    /// Result that `createIdentitySecret` returns.
    CreateIdentitySecretPayload {
        /// The secret that was created. It is null when the mutation failed.
        identity_secret: Option<IdentitySecret>,
        /// Text of the secret, all of which is the key of the signature. It is shown only once, and it is null when the
        /// mutation failed.
        secret: Option<String>,
    }
}

input! {
    /// Arguments that `deleteIdentitySecret` accepts.
    DeleteIdentitySecretInput {
        /// ID of the secret that is deleted.
        id: ID,
    }
}

payload! {
    /// Result that `deleteIdentitySecret` returns.
    DeleteIdentitySecretPayload {
        /// ID of the secret that was deleted. It is null when the mutation failed.
        deleted_id: Option<ID>,
    }
}

#[Object]
impl ContactMutation {
    /// Erases a contact with all of its sessions, as `eraseSession` does. The action cannot be undone. When the request is
    /// interrupted, repeating it continues. Requires the `ADMIN` scope. Fails with `NOT_FOUND` when the contact does not
    /// exist.
    async fn erase_contact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: EraseContactInput,
    ) -> Result<EraseContactPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let erased = contacts::erase(services, viewer, input.site(), ids::read(&input.contact_id)).await;
        finish(erased, |count| EraseContactPayload {
            erased_id: Some(input.contact_id),
            erased_count: Some(i32::try_from(count).unwrap_or(i32::MAX)),
            ..Default::default()
        })
    }

    /// Creates a secret with which the site's own server signs identity tokens. To replace a secret, create the next one,
    /// sign with it, and then delete the previous one: both are accepted meanwhile. Requires the `ADMIN` scope. Fails with
    /// `LIMIT_REACHED` when the site has two secrets.
    async fn create_identity_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: CreateIdentitySecretInput,
    ) -> Result<CreateIdentitySecretPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let created = identity_secrets::create(services, viewer, input.site()).await;
        finish(created, |(row, secret)| CreateIdentitySecretPayload {
            identity_secret: Some(row.into()),
            secret: Some(secret),
            ..Default::default()
        })
    }

    /// Deletes an identity secret. Identity tokens that it signed are refused from now on; contacts that they named stay.
    /// Requires the `ADMIN` scope. Fails with `NOT_FOUND` when the secret does not exist.
    async fn delete_identity_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: DeleteIdentitySecretInput,
    ) -> Result<DeleteIdentitySecretPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let deleted = identity_secrets::delete(services, viewer, input.site(), ids::read(&input.id)).await;
        finish(deleted, |()| DeleteIdentitySecretPayload { deleted_id: Some(input.id), ..Default::default() })
    }
}
