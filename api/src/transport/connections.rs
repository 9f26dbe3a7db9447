//! The long-lived connections of a server, as the server sees them: it tells them to end, and waits
//! until they have ended, so that every client still receives the reason.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// The sockets and streams of a server.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    shutdown: CancellationToken,
    open: TaskTracker,
}

impl Connections {
    /// Creates an empty set of connections that end when `shutdown` is canceled.
    pub fn ending_with(shutdown: CancellationToken) -> Self {
        Self { shutdown, open: TaskTracker::new() }
    }

    /// Waits until every connection has said goodbye. Call it after `shutdown` was canceled.
    pub async fn ended(&self) {
        self.open.close();
        self.open.wait().await;
    }

    /// Announces the shutdown to one connection.
    pub(super) fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Counts one connection as open until the token is dropped.
    pub(super) fn open(&self) -> TaskTrackerToken {
        self.open.token()
    }
}
