//! The long-lived connections of a server, as the server sees them: it tells them to end, and waits
//! until they have ended, so that every client still receives the reason.

use std::sync::Arc;

use helpbot_domain::measurement::{Counted, Gauge};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// The sockets and streams of a server.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    shutdown: CancellationToken,
    open: TaskTracker,
    sockets: Arc<Gauge>,
    streams: Arc<Gauge>,
}

/// One connection, open until it is dropped.
pub(super) struct OpenConnection {
    _task: TaskTrackerToken,
    _counted: Counted,
}

impl Connections {
    /// Creates an empty set of connections that end when `shutdown` is canceled.
    pub fn ending_with(shutdown: CancellationToken) -> Self {
        Self { shutdown, ..Self::default() }
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

    /// Counts one WebSocket as open.
    pub(super) fn open_socket(&self) -> OpenConnection {
        OpenConnection { _task: self.open.token(), _counted: self.sockets.count() }
    }

    /// Counts one stream of server-sent events or parts as open.
    pub(super) fn open_stream(&self) -> OpenConnection {
        OpenConnection { _task: self.open.token(), _counted: self.streams.count() }
    }

    /// Number of open WebSockets.
    pub fn sockets(&self) -> i64 {
        self.sockets.get()
    }

    /// Number of open streams of server-sent events or parts.
    pub fn streams(&self) -> i64 {
        self.streams.get()
    }
}
