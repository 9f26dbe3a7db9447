//! Links that are mailed to members: to sign in to the dashboard, or to accept an invitation.

use uuid::Uuid;

use crate::Timestamp;
use crate::ids::{MemberId, SiteId};

/// The record of a mailed link. The link itself is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInLink {
    /// Site of the member.
    pub site_id: SiteId,
    /// ID of the link.
    pub id: Uuid,
    /// Member that the link signs in.
    pub member_id: MemberId,
    /// Keyed hash of the mailbox that the link was mailed to.
    pub mailbox_key: String,
    /// SHA-256 of the secret of the browser that asked for the link, in lower-case hex. `None` for an invitation, which
    /// no browser asked for.
    pub browser_hash: Option<String>,
    /// Time at which the link was created.
    pub created_at: Timestamp,
    /// Time at which the link was used. A link can be used once.
    pub used_at: Option<Timestamp>,
}

/// The record of a request for a link, whether or not a member has the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInRequest {
    /// ID of the request.
    pub id: Uuid,
    /// Keyed hash of the mailbox that was named.
    pub mailbox_key: String,
    /// Keyed hash of the client address. `None` when it is not known.
    pub address_key: Option<String>,
    /// Time of the request.
    pub created_at: Timestamp,
}
