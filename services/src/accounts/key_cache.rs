//! The keys that were looked up recently, and the revocations that open connections must hear of.
//! Only [`access`](super::access) uses it.

use helpbot_domain::ids::KeyId;
use helpbot_domain::key::Key;
use tokio::sync::broadcast;

use crate::accounts::viewer::ViewerMember;
use crate::runtime::cache::TtlCache;

/// Number of revocations that an open connection may be behind. A connection that is further behind
/// looks up its own key.
const REVOCATION_BACKLOG: usize = 256;

/// Recently looked-up keys, by hash, each with the member that it belongs to.
pub struct KeyCache {
    pub(super) known: TtlCache<String, (Key, Option<ViewerMember>)>,
    pub(super) revoked: broadcast::Sender<KeyId>,
}

impl Default for KeyCache {
    fn default() -> Self {
        Self { known: TtlCache::default(), revoked: broadcast::Sender::new(REVOCATION_BACKLOG) }
    }
}

impl KeyCache {
    pub(crate) fn forget(&self, key: &Key) {
        self.known.forget(&key.hash);
        // An error means that no connection is open, which is fine.
        let _ = self.revoked.send(key.id);
    }
}
