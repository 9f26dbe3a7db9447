//! The audit log: its entries, their filter and their list.

use async_graphql::{Description, ID, InputObject, Object, Result};
use helpbot_domain as domain;
use helpbot_domain::audit::AuditFilter;
use helpbot_services::accounts::audit_log;

use crate::error::Nullable;
use crate::schema::access::Access;
use crate::schema::enums::KeyKind;
use crate::schema::ids;
use crate::schema::keys::ApiKey;
use crate::schema::loaders;
use crate::schema::members::Member;
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::DateTime;

/// One change of a site: who made it, what it was, when and from where. It contains no secret, no changed value and no text
/// of a visitor.
#[derive(Clone, Description)]
pub struct AuditEntry {
    site: domain::ids::SiteId,
    row: domain::audit::AuditEntry,
    access: Access,
}

connection! {
    /// A list of the changes of a site, which is sorted by time, newest first.
    AuditEntryConnection,
    /// An edge that connects the list to a change.
    AuditEntryEdge, AuditEntry
}

#[Object(use_type_description)]
impl AuditEntry {
    /// Name of the mutation that made the change, for example `removeMember`. A sign-in by mail is `signIn`, and the first one
    /// of an invited member is `acceptInvitation`.
    async fn action(&self) -> &str {
        &self.row.action
    }

    /// Kind of the API key that made the change.
    async fn key_kind(&self) -> KeyKind {
        self.row.key_kind.into()
    }

    /// API key that made the change. It is null for an operator key, and for a sign-in that expired more than 30 days
    /// ago.
    async fn api_key(&self) -> Nullable<ApiKey> {
        let found = self.access.loaders.key(self.site, self.row.key_id).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(ApiKey::from))
    }

    /// Member who made the change. It is null for keys of no member, and when the member was removed.
    async fn member(&self) -> Nullable<Member> {
        let found = self.access.loaders.member(self.site, self.row.member_id?).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(Member::from))
    }

    /// Name of the member at the time of the change, which stays when the member is removed. It is null for keys of no
    /// member.
    async fn member_name(&self) -> Option<&str> {
        self.row.member_name.as_deref()
    }

    /// Global ID of the object that was changed, which may have been deleted since. It is null for settings of the site
    /// and for objects without a global ID.
    async fn object_id(&self) -> Option<ID> {
        self.row.object_id.as_deref().map(ID::from)
    }

    /// Network address of the client. It is null when it is not known.
    async fn address(&self) -> Option<&str> {
        self.row.address.as_deref()
    }

    /// Header `User-Agent` of the client, at most 256 characters. It is null when the client sent none.
    async fn user_agent(&self) -> Option<&str> {
        self.row.user_agent.as_deref()
    }

    /// Time at which the change was made.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// Conditions that select entries of an audit log. An entry must meet all of them.
#[derive(InputObject)]
pub struct AuditLogFilter {
    /// Name of the mutation that made the change, for example `removeMember`. By default every action is selected.
    action: Option<String>,
    /// ID of the member who made the change. By default the changes of everybody are selected.
    member_id: Option<ID>,
    /// ID of the API key that made the change. By default the changes of all keys are selected.
    api_key_id: Option<ID>,
    /// Time from which on changes are selected. By default there is no earliest time.
    from: Option<DateTime>,
    /// Time before which changes are selected. By default there is no latest time.
    before: Option<DateTime>,
}

impl From<AuditLogFilter> for AuditFilter {
    fn from(filter: AuditLogFilter) -> Self {
        Self {
            action: filter.action,
            member_id: filter.member_id.as_ref().map(ids::read),
            key_id: filter.api_key_id.as_ref().map(ids::read),
            from: filter.from.map(|at| at.0),
            before: filter.before.map(|at| at.0),
        }
    }
}

/// A page of the audit log of a site.
pub(crate) async fn list(
    access: &Access,
    of: &domain::site::Site,
    filter: Option<AuditLogFilter>,
    args: &PageArgs,
) -> Result<AuditEntryConnection> {
    let filter = filter.map(AuditFilter::from).unwrap_or_default();
    let site = Some(of.id);
    let (counted, of_count) = (access.clone(), filter.clone());
    let count = async move { audit_log::total(&counted.services, &counted.viewer, site, &of_count).await };
    let rows = |part| audit_log::list(&access.services, &access.viewer, site, &filter, part);
    let (page, total) = page::read(args, rows, count).await?;
    Ok(AuditEntryConnection::new(page, total, |row| {
        let position = row.id.to_string();
        (AuditEntry { site: of.id, row, access: access.clone() }, position)
    }))
}
