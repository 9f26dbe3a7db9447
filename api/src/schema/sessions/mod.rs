//! Sessions: the visits of a site, with their questions and what is known of the visitor.

pub mod mutation;

use async_graphql::{Context, Description, Enum, ID, InputObject, Object};
use helpbot_api_macros::paged;
use helpbot_domain as domain;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation_order::ConversationOrder;
use helpbot_domain::conversation_query::ConversationQuery;
use helpbot_domain::ids::SessionId;
use helpbot_domain::page::PageRequest;
use helpbot_domain::visit::{self, PRESENT_FOR, SessionQuery, VisitorSession};
use helpbot_services as services;
use helpbot_services::accounts::sites;
use helpbot_services::conversations::{ListQuery, visits};

use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::contacts::Contact;
use crate::schema::conversations::{self, ConversationConnection, selection};
use crate::schema::ids::{self, id};
use crate::schema::loaders;
use crate::schema::page::{self, PageArgs, TimePosition, connection};
use crate::schema::scalars::DateTime;

/// The visit of one visitor in one browser: all questions in order, and what is known of the visitor. It begins with the
/// first question and lasts until the visitor begins again or stays away for 30 days.
#[derive(Clone, Description)]
pub struct Session {
    pub(crate) row: VisitorSession,
    pub(crate) access: Access,
}

connection! {
    /// A list of sessions, which is sorted by the argument `orderBy`.
    SessionConnection,
    /// An edge that connects the list to a session.
    SessionEdge, Session
}

/// Order in which a list of sessions is sorted.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "visit::SessionOrder")]
pub enum SessionOrder {
    /// Sorts by the time at which the visitor was last there, latest first.
    LastSeenDesc,
    /// Sorts by the time at which the visitor was last there, earliest first.
    LastSeenAsc,
    /// Sorts by the time of the first question, newest first.
    CreatedDesc,
    /// Sorts by the time of the first question, oldest first.
    CreatedAsc,
}

/// Conditions that select sessions. A session must meet all of them.
#[derive(Default, InputObject)]
pub struct SessionFilter {
    /// Selects only the sessions of the contact with this ID. Defaults to all contacts and to sessions without one.
    contact_id: Option<ID>,
    /// Selects only sessions that belong to a contact when it is true, and only those that do not when it is false.
    /// Defaults to both.
    has_contact: Option<bool>,
    /// Selects only sessions whose visitor is there now when it is true, and only the others when it is false. Defaults
    /// to both.
    is_visitor_here: Option<bool>,
    /// Selects only sessions whose visitor was there at this time or later. Defaults to all times.
    seen_since: Option<DateTime>,
    /// Selects only sessions whose browser has one of these languages, given as in `Session.language`. An empty list
    /// selects none. Defaults to all sessions, including those whose language is not known.
    languages: Option<Vec<String>>,
}

impl SessionFilter {
    fn query(self, now: Timestamp) -> SessionQuery {
        let present_since = now.minus(PRESENT_FOR);
        let since = self.seen_since.map(|since| since.0);
        SessionQuery {
            contact: self.contact_id.as_ref().map(ids::read),
            has_contact: self.has_contact,
            seen_since: since.max((self.is_visitor_here == Some(true)).then_some(present_since)),
            seen_before: (self.is_visitor_here == Some(false)).then_some(present_since),
            languages: self.languages,
        }
    }
}

#[paged]
#[Object(use_type_description)]
impl Session {
    /// Global ID of the session, which `node` accepts.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// ID of the session that `Conversation.sessionId` and `eraseSession` use. The client may have chosen it.
    async fn session_id(&self) -> &str {
        &self.row.session_id
    }

    /// Address of the page that the visitor was last on, without query and fragment. It is null when the client has not
    /// reported it.
    async fn page_url(&self) -> Option<&str> {
        self.row.page_url.as_deref()
    }

    /// Address of the page that led the visitor to the site, without query and fragment. It is null when the visitor came
    /// without one or the client has not reported it.
    async fn referrer(&self) -> Option<&str> {
        self.row.referrer.as_deref()
    }

    /// Language of the visitor's browser as a BCP 47 primary subtag, for example `de`. It is null when the client has not
    /// reported it.
    async fn language(&self) -> Option<&str> {
        self.row.language.as_deref()
    }

    /// Name of the visitor's browser and system, for example `Firefox 132 on Windows`. It is null when the client has not
    /// reported it and for unknown browsers.
    async fn browser(&self) -> Option<&str> {
        self.row.browser.as_deref()
    }

    /// Whether the visitor was there within the last 40 seconds: asked, wrote, read messages or had a conversation open.
    async fn is_visitor_here(&self) -> bool {
        self.row.is_present(self.access.services.now())
    }

    /// Time at which the first question was asked.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// Time at which the visitor was last there. It can lag 20 seconds behind while the visitor stays.
    async fn last_seen_at(&self) -> DateTime {
        self.row.last_seen_at.into()
    }

    /// Person whom an identity token of the site's own server named. It is null when the visitor was not identified.
    async fn contact(&self) -> Nullable<Contact> {
        let found = self.access.loaders.contact(self.row.site_id, self.row.contact_id?).await;
        let found = found.map_err(loaders::failed).transpose();
        found.map(|found| found.map(|row| Contact { row, access: self.access.clone() }))
    }

    /// Questions that the visitor asked in the visit, oldest first.
    async fn conversations(&self, ctx: &Context<'_>, args: PageArgs) -> Nullable<ConversationConnection> {
        nullable(async {
            let Access { services, viewer, .. } = &self.access;
            let site = sites::get(services, viewer, Some(self.row.site_id)).await?;
            let order = ConversationOrder::CreatedAsc;
            let session_id = Some(self.row.session_id.clone());
            let query =
                ListQuery { conditions: ConversationQuery { session_id, ..ConversationQuery::default() }, order };
            let parts = selection::parts(ctx, order);
            Ok(conversations::list(&self.access, &site, query, &args, None, parts).await?)
        })
        .await
    }
}

/// The position of a session in a list.
type Position = TimePosition<SessionId>;

/// A page of the sessions of a site.
pub(crate) async fn list(
    access: &Access,
    site: &domain::site::Site,
    filter: Option<SessionFilter>,
    order: Option<SessionOrder>,
    args: &PageArgs,
) -> services::Result<SessionConnection> {
    let query = filter.unwrap_or_default().query(access.services.now());
    page_of(access, site, query, order.map(Into::into).unwrap_or_default(), args).await
}

/// A page of the sessions that meet the conditions.
pub(crate) async fn page_of(
    access: &Access,
    site: &domain::site::Site,
    query: SessionQuery,
    order: visit::SessionOrder,
    args: &PageArgs,
) -> services::Result<SessionConnection> {
    let (counted, of, conditions) = (access.clone(), site.clone(), query.clone());
    let count = async move { visits::total(&counted.services, &counted.viewer, &of, &conditions).await };
    let rows = |part: PageRequest<Position>| {
        let from = part.from.map(|TimePosition(at, id)| (at, id));
        let part = PageRequest { from, is_backward: part.is_backward, limit: part.limit };
        visits::list(&access.services, &access.viewer, site, &query, order, part)
    };
    let (page, total) = page::read(args, rows, count).await?;
    let page = page.map(|row| Session { row, access: access.clone() });
    let position = move |_, node: &Session| TimePosition(order.key(&node.row), node.row.id).to_string();
    Ok(SessionConnection::with_positions(page, total, Box::new(position)))
}
