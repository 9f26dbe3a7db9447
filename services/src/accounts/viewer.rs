//! The viewer: who makes a request, and what they may do. Every use case takes a viewer and checks
//! it first.

use std::net::IpAddr;
use std::sync::Arc;

use helpbot_domain::Invalid;
use helpbot_domain::conversation::Conversation;
use helpbot_domain::ids::{KeyId, MemberId, SiteId};
use helpbot_domain::key::{KeyKind, Role, Scope};
use uuid::Uuid;

use crate::accounts::client_key;
use crate::runtime::error::{Error, Result};

/// The authenticated caller of one request or one open connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Viewer {
    /// ID of the key.
    pub key_id: KeyId,
    /// Kind of the key.
    pub kind: KeyKind,
    /// Site of the key. `None` for an operator, who may act on every site.
    pub site_id: Option<SiteId>,
    /// Member that the key belongs to.
    pub member: Option<ViewerMember>,
    /// What the viewer may do.
    pub scopes: Vec<Scope>,
    /// The visitor's session, proved by a session token.
    pub session: Option<ProvedSession>,
    /// Network address of the client, when it is known.
    pub address: Option<IpAddr>,
    /// What the client calls itself, when it is known.
    pub user_agent: Option<Arc<str>>,
}

/// A session that a token proves to be the visitor's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedSession {
    /// ID of the session.
    pub id: String,
    /// ID of the token. It opens only the conversations whose questions it proved, so that others
    /// who know the session ID cannot add a conversation that the token opens.
    pub token_id: Uuid,
}

/// A member of the team, as messages show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewerMember {
    /// ID of the member.
    pub id: MemberId,
    /// Name that visitors see.
    pub name: String,
    /// Role of the member.
    pub role: Role,
}

impl Viewer {
    /// Returns the viewer of the command line. Anyone who can read the database may do everything that
    /// an operator may.
    pub fn operator(key_id: KeyId) -> Self {
        Self {
            key_id,
            kind: KeyKind::Operator,
            site_id: None,
            member: None,
            scopes: Scope::ALL.to_vec(),
            session: None,
            address: None,
            user_agent: None,
        }
    }

    /// Returns whether the viewer has `scope`.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Checks that the viewer has `scope`.
    ///
    /// # Errors
    /// `Forbidden`, which names the missing permission.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.has(scope) {
            Ok(())
        } else {
            Err(Error::Forbidden(format!("This API key is not allowed to {}.", deed(scope))))
        }
    }

    /// Returns the site to act on: the site of the key, or the named site for an operator.
    ///
    /// # Errors
    /// `NotFound` when the named site is not the key's (callers cannot tell whether it exists);
    /// `Invalid` when an operator names none.
    pub fn site(&self, named: Option<SiteId>) -> Result<SiteId> {
        match (self.site_id, named) {
            (Some(own), None) => Ok(own),
            (Some(own), Some(named)) if own == named => Ok(own),
            (None, Some(named)) => Ok(named),
            (None, None) => Err(Invalid::new("siteId", "An operator key must name the site. Set siteId.").into()),
            (Some(_), Some(_)) => Err(Error::NotFound("Site")),
        }
    }

    /// Returns whether the viewer is the operator of the installation.
    pub fn is_operator(&self) -> bool {
        self.kind == KeyKind::Operator
    }

    /// Returns the keyed hash of the visitor's network address. `None` when it is not known, or when the key
    /// is not one that web pages contain: the address is then that of a server.
    pub(crate) fn visitor_address_key(&self, secret_key: &[u8; 32], site: SiteId) -> Option<String> {
        let is_browser = matches!(self.kind, KeyKind::Widget | KeyKind::Legacy);
        self.address.filter(|_| is_browser).map(|address| client_key::of(secret_key, site, address))
    }

    /// Returns the ID of the session that the visitor has proved.
    pub fn session_id(&self) -> Option<&str> {
        self.session.as_ref().map(|session| session.id.as_str())
    }

    /// Returns whether the viewer may see a conversation. The team may see all of them, a visitor
    /// only those that their session token proved.
    pub fn may_see(&self, conversation: &Conversation) -> bool {
        self.has(Scope::ReadConversations) || self.has_proved(conversation)
    }

    /// Returns whether the viewer's session token proves that the conversation is theirs.
    pub fn has_proved(&self, conversation: &Conversation) -> bool {
        let of = |session: &ProvedSession| {
            session.id == conversation.session_id && conversation.token_id == Some(session.token_id)
        };
        self.session.as_ref().is_some_and(of)
    }
}

fn deed(scope: Scope) -> &'static str {
    match scope {
        Scope::Chat => "ask questions",
        Scope::ReadConfig => "read the configuration",
        Scope::WriteConfig => "change the configuration",
        Scope::ReadConversations => "read conversations",
        Scope::WriteConversations => "reply to visitors",
        Scope::ReadAnalytics => "read analytics",
        Scope::ReadSources => "read sources",
        Scope::WriteSources => "change sources",
        Scope::Webhooks => "manage webhooks",
        Scope::Admin => "administer the site",
    }
}
