//! The keys that were looked up recently, and the revocations that open connections must hear of.
//! Only [`access`](super::access) uses it.

use helpbot_domain::ids::KeyId;
use helpbot_domain::key::Key;
use tokio::sync::broadcast;

use crate::accounts::viewer::ViewerMember;
use crate::runtime::cache::TtlCache;
use crate::runtime::hints::{Hint, Hints};

/// Number of revocations that an open connection may be behind. A connection that is further behind
/// looks up its own key.
const REVOCATION_BACKLOG: usize = 256;

/// Recently looked-up keys, by hash, each with the member that it belongs to.
pub struct KeyCache {
    hints: Hints,
    pub(super) known: TtlCache<String, (Key, Option<ViewerMember>)>,
    pub(super) revoked: broadcast::Sender<KeyId>,
}

impl KeyCache {
    /// An empty cache that notifies the other nodes of changes.
    pub(crate) fn new(hints: Hints) -> Self {
        Self { hints, known: TtlCache::default(), revoked: broadcast::Sender::new(REVOCATION_BACKLOG) }
    }

    /// Forgets a key that was changed or revoked, on all nodes.
    pub(crate) fn forget(&self, key: &Key) {
        self.forget_known(&key.hash, key.id);
        self.hints.tell(Hint::Key(key.hash.clone(), key.id));
    }

    /// Forgets a key that was changed or revoked, on this node.
    pub(crate) fn forget_known(&self, hash: &String, id: KeyId) {
        self.known.forget(hash);
        // An error means that no connection is open, which is fine.
        let _ = self.revoked.send(id);
    }
}
