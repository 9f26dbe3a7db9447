//! How busy the connections to the database are, for `/metrics`.

use std::sync::Arc;

use deadpool::managed::{Manager, Pool};
use helpbot_domain::measurement::{Histogram, HistogramState};

/// The state of the connections at one moment.
#[derive(Debug, Clone)]
pub struct DatabaseLoad {
    /// `sqlite` or `postgres`.
    pub kind: &'static str,
    /// The pools of connections.
    pub pools: Vec<PoolLoad>,
    /// Number of writes that wait: on SQLite for the writer, on PostgreSQL for the next group of their site.
    pub waiting_writes: usize,
    /// Time from handing over a write until it was durable or had failed.
    pub writes: HistogramState,
}

/// The state of one pool of connections.
#[derive(Debug, Clone)]
pub struct PoolLoad {
    /// `read` or `write`.
    pub name: &'static str,
    /// Maximum number of connections.
    pub limit: usize,
    /// Number of connections that are in use.
    pub in_use: usize,
    /// Number of open connections that are not in use.
    pub idle: usize,
    /// Number of callers that wait for a connection.
    pub waiting: usize,
    /// Time for which callers waited for a connection.
    pub wait: HistogramState,
}

/// How long callers of one pool waited. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub(super) struct PoolWait(pub(super) Arc<Histogram>);

impl PoolWait {
    /// Returns the state of `pool`, whose callers this value measures.
    pub(super) fn load<M: Manager>(&self, name: &'static str, pool: &Pool<M>) -> PoolLoad {
        let status = pool.status();
        PoolLoad {
            name,
            limit: status.max_size,
            in_use: status.size.saturating_sub(status.available),
            idle: status.available,
            waiting: status.waiting,
            wait: self.0.state(),
        }
    }
}
