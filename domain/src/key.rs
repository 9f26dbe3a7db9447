//! API keys: their kinds, what each kind may do, and their format.
//!
//! A key is a prefix, 32 random base62 characters and 6 characters of CRC-32. A typo is therefore
//! distinguished from a revoked key without a database lookup, and secret scanners can find leaked
//! keys. Only a hash is stored; keys are generated and hashed in `services`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::cases::named_enum;
use crate::ids::{KeyId, MemberId, SiteId};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Number of random characters in a key. They have 190 bits.
pub const RANDOM_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 6;

/// The stored record of an API key. The key itself is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// ID of the key.
    pub id: KeyId,
    /// Site that the key gives access to. `None` for operator keys.
    pub site_id: Option<SiteId>,
    /// Kind of the key.
    pub kind: KeyKind,
    /// Name that the creator chose.
    pub name: String,
    /// SHA-256 of the key, in lower-case hex.
    pub hash: String,
    /// Last four characters of the key, to tell keys apart.
    pub last4: String,
    /// Scopes of the key. Empty means all scopes of its kind.
    pub scopes: Vec<Scope>,
    /// Web origins that a widget key is restricted to. Empty means any origin.
    pub origins: Vec<String>,
    /// Member that the key acts for.
    pub member_id: Option<MemberId>,
    /// Time at which the key expires. `None` means that it does not expire.
    pub expires_at: Option<Timestamp>,
    /// Time at which the key was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Time of the last use, accurate to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Time of creation.
    pub created_at: Timestamp,
}

/// Passes the cases of [`KeyKind`], with their stored names, to a macro that declares an enum.
#[macro_export]
macro_rules! key_kind_cases {
    ($macro:ident $enum:tt) => {
        $macro! { $enum
            /// A public key for visitors, which web pages contain (`wk_live_`).
            Widget = "widget",
            /// A key for the servers of the site (`sk_live_`). It must never be sent to a browser.
            Secret = "secret",
            /// A key that belongs to one member of the site (`pat_`).
            Member = "member",
            /// A key of the operator of the installation (`adm_`), which has access to all sites.
            Operator = "operator",
            /// A key that a member received by signing in with a mailed link (`sgn_`). It expires after some days.
            SignIn = "sign_in",
            /// A key that was imported from an earlier account. It grants the same rights as a secret key.
            Legacy = "legacy",
        }
    };
}

key_kind_cases!(named_enum {
    /// The kind of a key, which determines who it acts for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum KeyKind
});

impl KeyKind {
    /// Returns the prefix of keys of this kind.
    pub const fn prefix(self) -> &'static str {
        match self {
            KeyKind::Widget => "wk_live_",
            KeyKind::Secret => "sk_live_",
            KeyKind::Member => "pat_",
            KeyKind::Operator => "adm_",
            KeyKind::SignIn => "sgn_",
            KeyKind::Legacy => "",
        }
    }
}

/// Returns whether a text begins like a key that must stay secret: every kind but the widget key. Imported
/// keys have no prefix of their own.
pub fn is_like_secret(text: &str) -> bool {
    [KeyKind::Secret, KeyKind::Member, KeyKind::Operator, KeyKind::SignIn]
        .iter()
        .any(|kind| text.starts_with(kind.prefix()))
}

/// Passes the cases of [`Role`], with their stored names, to a macro that declares an enum.
#[macro_export]
macro_rules! role_cases {
    ($macro:ident $enum:tt) => {
        $macro! { $enum
            /// The member may do everything on the site, and is the only one who may add, change and remove owners.
            Owner = "owner",
            /// The member may do everything on the site except add, change and remove owners.
            Admin = "admin",
            /// The member may reply to visitors, and read conversations, analytics and sources.
            Agent = "agent",
            /// The member may read conversations, analytics, sources and the configuration, and change nothing.
            Reader = "reader",
        }
    };
}

role_cases!(named_enum {
    /// The role of a member, which decides the scopes of the member's keys. This is the only place that maps roles to
    /// scopes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Role
});

impl Role {
    /// Returns the scopes of the member's keys.
    pub const fn scopes(self) -> &'static [Scope] {
        match self {
            Role::Owner | Role::Admin => &Scope::ALL,
            Role::Agent => &Scope::AGENT,
            Role::Reader => &Scope::READER,
        }
    }
}

/// Passes the cases of [`Scope`], with their stored names, to a macro that declares an enum.
#[macro_export]
macro_rules! scope_cases {
    ($macro:ident $enum:tt) => {
        $macro! { $enum
            /// Allows a visitor to ask questions, vote, request a handoff and take part in their own session.
            Chat = "chat",
            /// Allows reading the configuration of the widget, the answer settings and the progress of embeddings.
            ReadConfig = "read_config",
            /// Allows changing the configuration of the widget and the answer settings.
            WriteConfig = "write_config",
            /// Allows reading conversations and receiving their events.
            ReadConversations = "read_conversations",
            /// Allows replying to visitors, assigning, resolving and reopening conversations, sending transcripts
            /// and blocking visitors.
            WriteConversations = "write_conversations",
            /// Allows reading the analytics of the site.
            ReadAnalytics = "read_analytics",
            /// Allows reading sources, FAQ entries and test questions.
            ReadSources = "read_sources",
            /// Allows adding, changing and deleting sources, FAQ entries and test questions.
            WriteSources = "write_sources",
            /// Allows managing webhooks and reading their deliveries.
            Webhooks = "webhooks",
            /// Allows managing API keys, members and credit caps, reading the owner's address and waiting mails,
            /// and erasing sessions.
            Admin = "admin",
        }
    };
}

scope_cases!(named_enum {
    /// A permission of a key. The list of scopes is closed. The command line accepts the stored names, for
    /// example `read_sources`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Scope
});

impl Scope {
    /// Scopes of a widget key.
    pub const WIDGET: [Scope; 2] = [Scope::Chat, Scope::ReadConfig];

    /// Scopes of a member who only reads. Without [`Scope::Chat`], the member uses no credits.
    pub const READER: [Scope; 4] =
        [Scope::ReadConfig, Scope::ReadConversations, Scope::ReadAnalytics, Scope::ReadSources];

    /// Scopes of an agent.
    pub const AGENT: [Scope; 6] = [
        Scope::Chat,
        Scope::ReadConfig,
        Scope::ReadConversations,
        Scope::WriteConversations,
        Scope::ReadAnalytics,
        Scope::ReadSources,
    ];
}

/// The text is not the name of a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope; the scopes are {}", Scope::ALL.map(Scope::as_str).join(", "))]
pub struct ScopeError;

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or(ScopeError)
    }
}

/// Builds a key of `kind` from 32 random bytes.
///
/// The bytes must come from the random number generator of the system. The slight bias of `% 62`
/// costs less than one of the 190 bits.
pub fn from_random(kind: KeyKind, random: &[u8; RANDOM_CHARS]) -> String {
    let body: String = random.iter().map(|b| char::from(BASE62[usize::from(*b) % BASE62.len()])).collect();
    let checksum = checksum(&body);
    format!("{}{body}{checksum}", kind.prefix())
}

/// Returns whether `text` can be a key: one of ours with a valid checksum, or an opaque key of an
/// imported account. False means that no lookup is needed to reject it.
pub fn is_well_formed(text: &str) -> bool {
    const MAX_OPAQUE: usize = 256;
    let ours = [KeyKind::Widget, KeyKind::Secret, KeyKind::Member, KeyKind::Operator, KeyKind::SignIn];
    let body = ours.iter().find_map(|kind| text.strip_prefix(kind.prefix()));
    match body {
        Some(body) if body.len() == RANDOM_CHARS + CHECKSUM_CHARS && body.is_ascii() => {
            let (random, sum) = body.split_at(RANDOM_CHARS);
            checksum(random) == sum
        }
        _ => (8..=MAX_OPAQUE).contains(&text.len()) && !text.chars().any(|c| c.is_control() || c.is_whitespace()),
    }
}

fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|b| char::from(*b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_a_typo_is_rejected_without_a_lookup() {
        let key = from_random(KeyKind::Widget, &[7; RANDOM_CHARS]);

        assert!(key.starts_with("wk_live_") && key.len() == 8 + 38);
        assert!(is_well_formed(&key));
        assert!(!is_well_formed(&key.replacen('7', "8", 1)));
    }

    #[test]
    fn an_imported_key_may_be_any_opaque_text() {
        assert!(is_well_formed("wk_live_abc123"));
        assert!(!is_well_formed("wk\n_abc123"));
        assert!(!is_well_formed("short"));
    }
}
