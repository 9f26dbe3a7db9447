//! What a site does against visitors who abuse it: blocked visitors, and the caps of daily credits. What it does for all of them:
//! how long their data is kept ([`retention`]), and the export of it ([`records`]).

pub mod mutation;
pub mod records;
pub mod retention;

use async_graphql::{ComplexObject, Enum, ID, Result};
use helpbot_api_macros::OutputObject;
use helpbot_domain as domain;
use helpbot_domain::blocked_visitor::BlockKind;
use helpbot_services as services;
use helpbot_services::accounts::{blocked_visitors, credit_caps};

use crate::error::Nullable;
use crate::schema::access::Access;
use crate::schema::conversations::Conversation;
use crate::schema::ids;
use crate::schema::loaders;
use crate::schema::page::{self, KeyOrder, PageArgs, connection};
use crate::schema::scalars::{DateTime, int};

/// Property by which a blocked visitor is recognized.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "BlockKind")]
pub enum BlockedBy {
    /// The session of the visitor. A visitor who begins a new session is not recognized.
    Session,
    /// The network address of the visitor's question: an IPv4 address or an IPv6 /64. Other people who share
    /// the address are blocked too.
    Address,
    /// The e-mail address that the visitor left with a request for a human, in all its spellings. Requests for a
    /// human and transcripts that name it are refused from every session. Questions are still answered.
    Email,
}

/// A visitor whose questions, votes, requests for a human, messages and subscriptions are refused with
/// `VISITOR_BLOCKED`.
#[derive(Clone, OutputObject)]
#[graphql(complex)]
pub struct BlockedVisitor {
    /// Property by which the visitor is recognized.
    by: BlockedBy,
    /// Reason that the team wrote down. It is null when there is none.
    note: Option<String>,
    /// Time at which the visitor was blocked.
    created_at: DateTime,
    #[graphql(skip)]
    row: domain::blocked_visitor::BlockedVisitor,
    #[graphql(skip)]
    access: Access,
}

connection! {
    /// A list of blocked visitors, which is sorted by the time of the block, newest first.
    BlockedVisitorConnection,
    /// An edge that connects the list to a blocked visitor.
    BlockedVisitorEdge, BlockedVisitor
}

#[ComplexObject]
impl BlockedVisitor {
    /// Global ID of the block, which `node` and `unblockVisitor` accept.
    pub async fn id(&self) -> ID {
        ids::id(self.row.id)
    }

    /// Conversation from which the visitor was blocked. It is null when the conversation was erased.
    async fn conversation(&self) -> Nullable<Conversation> {
        let (site, id) = (self.row.site_id, self.row.conversation_id);
        let found = self.access.loaders.conversation(site, id).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(|row| Conversation { row, access: self.access.clone() }))
    }
}

impl BlockedVisitor {
    pub(crate) fn new(row: domain::blocked_visitor::BlockedVisitor, access: Access) -> Self {
        Self { by: row.kind.into(), note: row.note.clone(), created_at: row.created_at.into(), row, access }
    }
}

/// A page of the blocked visitors of a site.
pub(crate) async fn list(
    access: &Access,
    site: &domain::site::Site,
    args: &PageArgs,
) -> Result<BlockedVisitorConnection> {
    let found = blocked_visitors::list(&access.services, &access.viewer, Some(site.id)).await?;
    let (page, total) = page::of_all(args, found, KeyOrder::Descending, |block| block.id)?;
    let page = page.map(|row| BlockedVisitor::new(row, access.clone()));
    let position = |_, block: &BlockedVisitor| block.row.id.to_string();
    Ok(BlockedVisitorConnection::with_positions(page, total, Box::new(position)))
}

/// Limits that the owner of a site sets on the credits of one day (UTC). Questions beyond them are refused
/// with `CREDIT_CAP_REACHED`, and the owner receives one mail a day about it.
#[derive(OutputObject)]
pub struct CreditCaps {
    /// Number of questions that the site may ask in a day. It is null when there is no limit.
    per_day: Option<i32>,
    /// Number of questions that visitors of one client address may ask in a day. It is null when there is no
    /// limit. Requests with secret keys are not limited.
    per_address_per_day: Option<i32>,
    /// Number of questions of today that count against `perDay`: those since the limit was set. It is null
    /// when there is no limit.
    used_today: Option<i32>,
}

impl CreditCaps {
    /// The caps of a site.
    pub(super) async fn of(access: &Access, site: &domain::site::Site) -> services::Result<Self> {
        access.viewer.require(domain::key::Scope::Admin)?;
        Ok(Self {
            per_day: site.daily_credit_limit.map(int),
            per_address_per_day: site.address_credit_limit.map(int),
            used_today: credit_caps::used_today(&access.services, site).await?.map(int),
        })
    }
}
