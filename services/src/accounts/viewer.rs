//! Who is asking, and what they may do. Every use case takes a viewer and asks it first.

use helpbot_domain::ids::{KeyId, MemberId, SiteId};
use helpbot_domain::key::{KeyKind, Scope};

use crate::{Error, Result};

/// The holder of a key, as established for one request or one live connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Viewer {
    /// The key.
    pub key_id: KeyId,
    /// Its kind.
    pub kind: KeyKind,
    /// The site that it opens; an operator's opens each.
    pub site_id: Option<SiteId>,
    /// The member that it speaks for.
    pub member: Option<MemberIdentity>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The visitor's own session, proved by a session token.
    pub session: Option<String>,
}

/// A member of the team, as messages show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberIdentity {
    /// Who.
    pub id: MemberId,
    /// The name that visitors see.
    pub name: String,
}

impl Viewer {
    /// The viewer that the command line acts as: whoever can read the database file or its
    /// password may do all that an operator may.
    pub fn operator(key_id: KeyId) -> Self {
        Self {
            key_id,
            kind: KeyKind::Operator,
            site_id: None,
            member: None,
            scopes: Scope::ALL.to_vec(),
            session: None,
        }
    }

    /// Whether the key was made with `scope`, or with all of its kind.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Lets pass who has `scope`.
    ///
    /// # Errors
    /// `Forbidden`, naming the scope.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.has(scope) { Ok(()) } else { Err(Error::Forbidden(format!("This key may not {}", deed(scope)))) }
    }

    /// The site that the viewer acts on: its key's own; an operator names one.
    ///
    /// # Errors
    /// `NotFound` when another site than the key's is named (whether it exists is not told) or
    /// an operator names none.
    pub fn site(&self, named: Option<SiteId>) -> Result<SiteId> {
        match (self.site_id, named) {
            (Some(own), None) => Ok(own),
            (Some(own), Some(named)) if own == named => Ok(own),
            (None, Some(named)) => Ok(named),
            _ => Err(Error::NotFound("Site")),
        }
    }

    /// Whether the viewer is the operator of the installation.
    pub fn is_operator(&self) -> bool {
        self.kind == KeyKind::Operator
    }

    /// Whether the viewer may see what happens in `session`: the team may see each, a visitor
    /// the own one.
    pub fn may_see_session(&self, session: &str) -> bool {
        self.has(Scope::ReadConversations) || self.session.as_deref() == Some(session)
    }
}

fn deed(scope: Scope) -> &'static str {
    match scope {
        Scope::Chat => "ask questions",
        Scope::ReadConfig => "read the configuration",
        Scope::WriteConfig => "change the configuration",
        Scope::ReadConversations => "read conversations",
        Scope::WriteConversations => "answer conversations",
        Scope::ReadAnalytics => "read analytics",
        Scope::ReadSources => "read sources",
        Scope::WriteSources => "change sources",
        Scope::Webhooks => "manage webhooks",
        Scope::Admin => "administer the site",
    }
}
