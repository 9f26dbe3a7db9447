//! The mutations that block visitors and set the caps of daily credits.

use async_graphql::{Context, ID, MaybeUndefined, Object, Result};
use helpbot_services::accounts::blocked_visitors;
use helpbot_services::accounts::credit_caps::{self, CapsPatch};

use super::{BlockedBy, BlockedVisitor, CreditCaps};
use crate::schema::access::Access;
use crate::schema::ids;
use crate::schema::mutation::{changed_number, finish, input, payload};

/// The mutations that guard a site against visitors who abuse it.
#[derive(Default)]
pub struct VisitorMutation;

input! {
    /// Arguments that `blockVisitor` accepts.
    BlockVisitorInput {
        /// ID of a conversation that belongs to the visitor.
        conversation_id: ID,
        /// Property by which the visitor is recognized. Defaults to `SESSION`.
        by: Option<BlockedBy>,
        /// Reason for the team, at most 500 characters. By default there is none.
        note: Option<String>,
    }
}

payload! {
    /// Result that `blockVisitor` returns.
    BlockVisitorPayload {
        /// The blocked visitor. It is null when the mutation failed.
        blocked_visitor: Option<BlockedVisitor>,
    }
}

input! {
    /// Arguments that `unblockVisitor` accepts.
    UnblockVisitorInput {
        /// ID of the block that is removed, as returned by `BlockedVisitor.id`.
        id: ID,
    }
}

payload! {
    /// Result that `unblockVisitor` returns.
    UnblockVisitorPayload {
        /// ID of the block that was removed. It is null when the mutation failed.
        removed_id: Option<ID>,
    }
}

input! {
    /// Arguments that `updateCreditCaps` accepts. Fields that are absent stay unchanged, and null removes a
    /// limit.
    UpdateCreditCapsInput {
        /// Number of questions that the site may ask in a day (UTC), 0 to 2,147,483,647. Null removes the limit.
        /// It stays unchanged when it is absent.
        per_day: MaybeUndefined<i32>,
        /// Number of questions that visitors of one client address may ask in a day (UTC), 0 to 2,147,483,647.
        /// Null removes the limit. It stays unchanged when it is absent.
        per_address_per_day: MaybeUndefined<i32>,
    }
}

payload! {
    /// Result that `updateCreditCaps` returns.
    UpdateCreditCapsPayload {
        /// The limits after the change. They are null when the mutation failed.
        credit_caps: Option<CreditCaps>,
    }
}

#[Object]
impl VisitorMutation {
    /// Blocks the visitor of a conversation. Further questions, votes, requests for a human and messages of
    /// the visitor are refused with `VISITOR_BLOCKED`, and open subscriptions end. Blocking a visitor again
    /// changes nothing. Requires the `WRITE_CONVERSATIONS` scope.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist, with `BAD_USER_INPUT` when the note is too
    /// long or the network address of the visitor is not known, and with `LIMIT_REACHED` when the site has
    /// blocked 500 visitors.
    async fn block_visitor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: BlockVisitorInput,
    ) -> Result<BlockVisitorPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let by = input.by.unwrap_or(BlockedBy::Session).into();
        let note = input.note.as_deref();
        let blocked = blocked_visitors::block(&access.services, &access.viewer, site, id, by, note).await;
        finish(blocked, |row| BlockVisitorPayload {
            blocked_visitor: Some(BlockedVisitor::new(row, access.clone())),
            ..Default::default()
        })
    }

    /// Removes the block of a visitor, which takes effect within a second. Requires the `WRITE_CONVERSATIONS`
    /// scope. Fails with `NOT_FOUND` when the block does not exist.
    async fn unblock_visitor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UnblockVisitorInput,
    ) -> Result<UnblockVisitorPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let removed = blocked_visitors::unblock(services, viewer, input.site(), ids::read(&input.id)).await;
        finish(removed, |()| UnblockVisitorPayload { removed_id: Some(input.id), ..Default::default() })
    }

    /// Limits the credits that a site and each client address can use in a day (UTC). Questions are counted
    /// while a limit is set. Requires the `ADMIN` scope. Fails with `BAD_USER_INPUT` for a negative number.
    async fn update_credit_caps(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateCreditCapsInput,
    ) -> Result<UpdateCreditCapsPayload> {
        let access = Access::of(ctx);
        let patch = CapsPatch {
            per_day: changed_number(&input.per_day),
            per_address: changed_number(&input.per_address_per_day),
        };
        let updated = credit_caps::update(&access.services, &access.viewer, input.site(), patch).await;
        let caps = match updated {
            Ok(site) => CreditCaps::of(access, &site).await,
            Err(error) => Err(error),
        };
        finish(caps, |caps| UpdateCreditCapsPayload { credit_caps: Some(caps), ..Default::default() })
    }
}
