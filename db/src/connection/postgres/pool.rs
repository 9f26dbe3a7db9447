//! A pool of PostgreSQL connections. A connection is checked before it is used again, so that a
//! server that was replaced behind our back costs one request seconds and the others nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::ConnectionError;
use diesel_async::pooled_connection::deadpool::{Hook, HookError, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;

use super::address::Pooler;
use super::connect::{self, SessionLimits};
use super::handle::PgHandle;
use super::parameters::{Parameters, Target};
use crate::connection::load::{PoolLoad, PoolWait};
use crate::connection::store::{POOL_WAIT, checkout, unavailable};
use crate::error::Result;

/// A connection that was used within this time is not checked, because a check costs a round trip.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// Time that a connection has to respond to its check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// A pool of connections. Cloning is cheap.
#[derive(Clone)]
pub(super) struct PostgresPool {
    pool: Pool<AsyncPgConnection>,
    wait: PoolWait,
    pooler: Pooler,
}

impl PostgresPool {
    /// Creates a pool of at most `size` connections, which are opened when they are needed.
    pub(super) fn new(
        parameters: &Arc<Parameters>,
        limits: SessionLimits,
        pooler: Pooler,
        size: usize,
    ) -> Result<Self> {
        let mut config = ManagerConfig::default();
        config.recycling_method = RecyclingMethod::Fast;
        let to = Arc::clone(parameters);
        config.custom_setup = Box::new(move |_| {
            let to = Arc::clone(&to);
            async move {
                let connected = connect::connect(&to, limits, pooler).await;
                let failed = |error: connect::ConnectError| ConnectionError::BadConnection(error.to_string());
                connected.map(|connected| connected.conn).map_err(failed)
            }
            .boxed()
        });
        let pool = Pool::builder(AsyncDieselConnectionManager::new_with_config(String::new(), config))
            .max_size(size)
            .wait_timeout(Some(POOL_WAIT))
            .create_timeout(Some(POOL_WAIT))
            .pre_recycle(check_before_use(parameters.target))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(unavailable)?;
        Ok(Self { pool, wait: PoolWait::default(), pooler })
    }

    /// Takes a connection for reading.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(super) async fn reader(&self) -> Result<PgHandle> {
        let mut object = checkout(&self.pool, &self.wait).await?;
        let has_transaction = self.pooler == Pooler::Transaction;
        if has_transaction {
            object.batch_execute("BEGIN READ ONLY").await?;
        }
        Ok(PgHandle { object: Some(object), has_transaction })
    }

    /// Takes a connection for a transaction that the caller begins and ends.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(super) async fn writer(&self) -> Result<PgHandle> {
        Ok(PgHandle { object: Some(checkout(&self.pool, &self.wait).await?), has_transaction: false })
    }

    /// Returns how busy the pool is.
    pub(super) fn load(&self, name: &'static str) -> PoolLoad {
        self.wait.load(name, &self.pool)
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }
}

/// Checks a connection that was idle. When one does not respond, all connections from before that
/// time are closed without a check: their server is gone as well, and each check would cost the next
/// caller [`CHECK_TIMEOUT`].
fn check_before_use(target: Target) -> Hook<AsyncPgConnection> {
    let suspect_before: Arc<Mutex<Option<Instant>>> = Arc::default();
    Hook::async_fn(move |conn: &mut AsyncPgConnection, metrics| {
        let suspect_before = Arc::clone(&suspect_before);
        async move {
            let suspect = *suspect_before.lock().unwrap_or_else(PoisonError::into_inner);
            if suspect.is_some_and(|since| metrics.created < since) {
                return Err(HookError::message("the server of this connection does not respond"));
            }
            if metrics.last_used() < TRUSTED_FOR {
                return Ok(());
            }
            // After a fail-over, the old server may be a read-only standby.
            let question = match target {
                Target::ReadWrite => "DO $$ BEGIN ASSERT NOT current_setting('transaction_read_only')::bool; END $$",
                Target::Any | Target::ReadOnly => "SELECT 1",
            };
            match tokio::time::timeout(CHECK_TIMEOUT, conn.batch_execute(question)).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(HookError::message(error.to_string())),
                Err(_) => {
                    tracing::warn!("a connection to the database does not respond; connections are opened again");
                    *suspect_before.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                    Err(HookError::message("the server of this connection does not respond"))
                }
            }
        }
        .boxed()
    })
}
