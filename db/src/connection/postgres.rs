//! PostgreSQL: a pool of connections, and one task and transaction per write.

use std::sync::Arc;

use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::conn::{Backend, Conn};
use super::migrate::{self, Step};
use super::store::{Driver, Shared, Store, abandoned, checkout, pool};
use super::work::{TransactionWork, WorkEnd};
use crate::error::Result;

/// Connections of one process. PostgreSQL accepts 100 by default, over all processes.
const CONNECTIONS: usize = 16;

/// The URL of a PostgreSQL database.
pub(super) struct PostgresServer(pub(super) String);

impl Driver for PostgresServer {
    fn public_name(&self) -> String {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        format!("postgres://{}", host.split('?').next().unwrap_or_default())
    }

    fn migrate(&self, step: Step) -> Result<usize> {
        migrate::postgres(&self.0, step)
    }

    fn open(&self, shared: Shared) -> BoxFuture<'_, Result<Arc<dyn Store>>> {
        let mut config = ManagerConfig::default();
        // Checks only the connection's own state: a ping would cost every request a round trip.
        config.recycling_method = RecyclingMethod::Fast;
        let manager = AsyncDieselConnectionManager::new_with_config(self.0.clone(), config);
        let store =
            pool(manager, CONNECTIONS).map(|pool| -> Arc<dyn Store> { Arc::new(PostgresStore { pool, shared }) });
        std::future::ready(store).boxed()
    }
}

#[derive(Clone)]
struct PostgresStore {
    pool: Pool<AsyncPgConnection>,
    shared: Shared,
}

impl Store for PostgresStore {
    fn checkout(&self) -> BoxFuture<'_, Result<Backend>> {
        async move { Ok(Backend::Pg(Box::new(checkout(&self.pool).await?))) }.boxed()
    }

    fn submit(&self, work: TransactionWork) -> BoxFuture<'_, Result<()>> {
        let store = self.clone();
        // A separate task, so that the write finishes even when its caller is dropped.
        let task = self.shared.uses.spawn(async move { store.transaction(work).await });
        async move { task.await.map_err(|_| abandoned())? }.boxed()
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }

    fn close(&self) {
        self.pool.close();
    }

    /// The disk belongs to the PostgreSQL server, which reports when it is full.
    fn check_space(&self) -> BoxFuture<'_, Result<()>> {
        std::future::ready(Ok(())).boxed()
    }

    /// PostgreSQL verifies its pages whenever it reads them, so there is nothing to check here.
    fn damage<'a>(&'a self, _: &'a mut Conn) -> BoxFuture<'a, Result<Vec<String>>> {
        std::future::ready(Ok(Vec::new())).boxed()
    }
}

impl PostgresStore {
    /// Runs the work in one transaction and notifies its caller.
    ///
    /// # Errors
    /// Returns an error when no transaction could begin. The work did not run then, and its caller
    /// was not notified.
    async fn transaction(&self, work: TransactionWork) -> Result<()> {
        let backend = self.checkout().await?;
        let statements = self.shared.statements.clone();
        let mut conn = Conn { backend, statements, _in_use: Some(self.shared.uses.token()) };
        conn.run("BEGIN").await?;
        // A panic in `work` drops `conn` inside its transaction. The guard then removes the
        // connection from the pool, so that nobody else continues that transaction.
        let mut open = OpenTransaction(Some(conn));
        let conn = open.0.as_mut().expect("taken only below");
        // A failed statement whose error `work` ignored has aborted the transaction; COMMIT would
        // then roll back and still report success. SELECT fails in that case, in the same round
        // trip.
        let (ended, is_kept, tell) = match work(conn).await {
            WorkEnd::Commit(tell) => (conn.run("SELECT 1; COMMIT").await, true, tell),
            WorkEnd::RollBack(tell) => (conn.run("ROLLBACK").await, false, tell),
        };
        if ended.is_ok() {
            if is_kept {
                self.shared.statements.add_commit();
            }
            drop(open.0.take());
        }
        tell(ended);
        Ok(())
    }
}

/// Closes the connection, instead of returning it to the pool, while a transaction is open on it.
struct OpenTransaction(Option<Conn>);

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        if let Some(Conn { backend: Backend::Pg(object), .. }) = self.0.take() {
            drop(Object::take(*object));
        }
    }
}
