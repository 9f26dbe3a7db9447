//! The mutations with which a client says where its visitor is and who the visitor is.

use async_graphql::{Context, Object, Result};
use helpbot_services::conversations::contacts;
use helpbot_services::conversations::visits::{self, NewVisit};

use crate::schema::access::Access;
use crate::schema::mutation::{finish, input, payload};

/// The mutations of sessions.
#[derive(Default)]
pub struct SessionMutation;

input! {
    /// Arguments that `reportVisit` accepts. Fields that are absent leave what is known of the session unchanged.
    ReportVisitInput {
        /// Address of the page that the visitor is on, at most 2,000 characters. Query and fragment are not stored.
        /// The stored page stays unchanged when it is absent.
        page_url: Option<String>,
        /// Address of the page that led the visitor to the site (`document.referrer`), at most 2,000 characters. Query
        /// and fragment are not stored, and the first referrer of a session is kept. By default there is none.
        referrer: Option<String>,
        /// Language of the visitor's browser as a BCP 47 tag (`navigator.language`). An invalid tag is ignored. The stored
        /// language stays unchanged when it is absent.
        language: Option<String>,
        /// The header `User-Agent` of the visitor's browser (`navigator.userAgent`), of which only the names of browser and
        /// system are stored. The stored browser stays unchanged when it is absent or unknown.
        user_agent: Option<String>,
    }
}

payload! {
    /// Result that `reportVisit` returns.
    ReportVisitPayload {
        /// ID of the session that was changed, as in `Conversation.sessionId`. It is null when the mutation failed.
        session_id: Option<String>,
    }
}

input! {
    /// Arguments that `identifyVisitor` accepts.
    IdentifyVisitorInput {
        /// Identity token: a JSON Web Token that the site's own server signs with HS256 and an identity secret of the site.
        /// It has at most 8 KiB. Required claims are `sub` (the person), `aud` (the ID of the site) and `exp` (within one
        /// day); `name`, `email` and `attributes` are optional.
        token: String,
    }
}

payload! {
    /// Result that `identifyVisitor` returns.
    IdentifyVisitorPayload {
        /// ID of the session that belongs to the contact now, as in `Conversation.sessionId`. It is null when the mutation
        /// failed.
        session_id: Option<String>,
    }
}

#[Object]
impl SessionMutation {
    /// Stores the page, the referrer, the language and the browser of the visitor. Only the team sees them. Requires the
    /// `CHAT` scope and the session token of the visitor.
    ///
    /// Fails with `NOT_FOUND` without a session token, and with `BAD_USER_INPUT` for an address that is not one of a web
    /// page.
    async fn report_visit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: ReportVisitInput,
    ) -> Result<ReportVisitPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let site = input.site();
        let ReportVisitInput { page_url, referrer, language, user_agent, .. } = input;
        let visit = NewVisit { page_url, referrer, language, user_agent };
        let reported = visits::report(services, viewer, site, visit).await;
        finish(reported, |session| ReportVisitPayload { session_id: Some(session.id), ..Default::default() })
    }

    /// Makes the session of the visitor one of the contact that an identity token names. The contact is added, or changed to
    /// what the token says; claims that are absent change nothing, and null removes a value. Requires the `CHAT` scope and
    /// the session token of the visitor.
    ///
    /// Fails with `NOT_FOUND` without a session token, with `BAD_USER_INPUT` when the identity token proves nothing, and with
    /// `CONFLICT` when the session belongs to another contact: a new session must begin then.
    async fn identify_visitor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: IdentifyVisitorInput,
    ) -> Result<IdentifyVisitorPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let identified = contacts::identify(services, viewer, input.site(), &input.token).await;
        finish(identified, |session| IdentifyVisitorPayload { session_id: Some(session.id), ..Default::default() })
    }
}
