//! Erasing what is kept of a visitor.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use helpbot_services::conversations::erasure;

use crate::error::{UserError, expected};
use crate::schema::access::Access;
use crate::schema::ids;

/// Erasing visitors.
#[derive(Default)]
pub struct ErasureMutation;

/// Whose conversations to erase.
#[derive(InputObject)]
pub struct EraseSessionInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// The session, as its conversations show it.
    session_id: String,
}

/// What was erased, or why nothing was.
#[derive(Default, SimpleObject)]
pub struct EraseSessionPayload {
    /// How many conversations are gone; 0 for a session that has none (any more).
    erased_count: i32,
    /// What was refused.
    user_errors: Vec<UserError>,
}

#[Object]
impl ErasureMutation {
    /// Erases everything that a site keeps of a session, for ever: its conversations with their
    /// messages, citations and mails that wait, what webhooks were and are to be sent of them, and
    /// kept answers to named requests. Its events stay in the log without payload and session, and
    /// their `conversation` is null. For keys that may administer the site.
    async fn erase_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: EraseSessionInput,
    ) -> Result<EraseSessionPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let site = ids::site(input.site_id.as_ref());
        Ok(match erasure::erase_session(services, viewer, site, &input.session_id).await {
            Ok(count) => {
                EraseSessionPayload { erased_count: i32::try_from(count).unwrap_or(i32::MAX), ..Default::default() }
            }
            Err(error) => EraseSessionPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }
}
