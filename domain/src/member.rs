//! A member of a site's team, who answers visitors.

use crate::Timestamp;
use crate::ids::{MemberId, SiteId};
use crate::key::Role;

/// A member of a site's team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Site that the member belongs to.
    pub site_id: SiteId,
    /// ID of the member.
    pub id: MemberId,
    /// Name that visitors see.
    pub name: String,
    /// E-mail address, unique within the site.
    pub email: String,
    /// Role of the member.
    pub role: Role,
    /// Time at which the member was added.
    pub created_at: Timestamp,
    /// Time at which the member's invitation expires. `None` when the member has accepted it, or was added with a key.
    pub invitation_expires_at: Option<Timestamp>,
}
