//! Settings for connections and uploads, with the defaults that common clients and proxies expect.
//! Tests shorten the times.

use std::time::Duration;

use axum::http::HeaderName;

/// Settings for connections.
#[derive(Debug, Clone)]
pub struct TransportSettings {
    /// Maximum size of a request body, and of one message on a socket.
    pub body_bytes: usize,
    /// Time that a socket may take to send `connection_init`.
    pub init_timeout: Duration,
    /// Interval between pings on a socket and between keep-alive comments on a stream. Shorter than
    /// the 60 s after which common proxies drop silent connections.
    pub keep_alive: Duration,
    /// Time after which a client that reads nothing of what is queued for it is disconnected.
    pub stall: Duration,
    /// Maximum number of concurrent operations on one socket.
    pub operations_per_socket: usize,
    /// Maximum number of messages queued for one socket.
    pub queue: usize,
    /// Maximum number of sockets and streams with one key. The widget key of a site serves all its
    /// visitors.
    pub connections_per_key: usize,
    /// Maximum number of sockets and streams from one address.
    pub connections_per_address: usize,
    /// Interval in which the keys of open connections are looked up, for revocations on other nodes.
    /// Looked-up keys are cached for 0.9 s, so a revocation takes effect within one second.
    pub recheck: Duration,
    /// Settings for uploads.
    pub uploads: UploadSettings,
    /// Origin of the URL of the installation, for example `https://help.example`, if the operator set one. Its
    /// pages may use secret keys.
    pub own_origin: Option<String>,
    /// Request headers that pages of other origins may send in addition to those that common clients use.
    pub cors_headers: Vec<HeaderName>,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            init_timeout: Duration::from_secs(3),
            keep_alive: Duration::from_secs(12),
            stall: Duration::from_secs(10),
            operations_per_socket: 50,
            queue: 256,
            connections_per_key: 20_000,
            connections_per_address: 2_000,
            recheck: Duration::from_millis(90),
            uploads: UploadSettings::default(),
            own_origin: None,
            cors_headers: Vec::new(),
        }
    }
}

/// Settings for uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadSettings {
    /// Maximum size of a file. Equals the maximum size of a source file.
    pub file_bytes: u64,
    /// Maximum number of uploads that are received at the same time. Each of them takes disk space.
    pub receiving: usize,
    /// Maximum number of uploads that are received at the same time for one site.
    pub receiving_per_site: usize,
    /// Maximum number of uploads that are received at the same time with one key.
    pub receiving_per_key: usize,
    /// Maximum number of uploads that are processed at the same time. Each of them takes the size of
    /// its file in memory.
    pub working: usize,
    /// Time that an upload may take to arrive: the largest file at 1.4 Mbit/s.
    pub receive_timeout: Duration,
}

impl Default for UploadSettings {
    fn default() -> Self {
        let file_bytes = helpbot_services::sources::FILE_MAX_BYTES as u64;
        Self {
            file_bytes,
            receiving: 32,
            receiving_per_site: 8,
            receiving_per_key: 4,
            working: 2,
            receive_timeout: Duration::from_secs(120),
        }
    }
}
