//! The work of a transaction, without the type of its result.
//!
//! Every use case writes with a closure of its own type. That type is erased here: the writer
//! thread and the transactions on PostgreSQL see one type, [`TransactionWork`], and are compiled
//! once instead of once per use case (docs/decisions/0018).

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::conn::Conn;
use crate::accounts::audit_log::PendingEntry;
use crate::error::{Error, Result};
use crate::runtime::idempotency::RequestAttempt;

/// Runs on a connection inside a transaction, and returns how that transaction must end.
pub(crate) type TransactionWork = Box<dyn for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, WorkEnd> + Send>;
/// Sends the result to the caller. Its argument is the reason when the commit failed.
pub(crate) type Reply = Box<dyn FnOnce(Result<()>) + Send>;

/// How the transaction of a caller's work must end.
pub(crate) enum WorkEnd {
    /// Commit, and reply after the commit.
    Commit(Reply),
    /// Roll back, and reply. The failure does not depend on the commit.
    RollBack(Reply),
}

/// Erases the types of `work`, and returns it with the receiver of its result.
///
/// Within an attempt at an idempotent request, the work first records that the request is executed. Within a change that
/// is recorded in the audit log, it stores the entry last, so that the entry names an object that the work has created.
/// The sender of the result is dropped without a result only when the work panicked or was
/// rejected.
pub(crate) fn erased<T, E, F>(
    attempt: Option<RequestAttempt>,
    entry: Option<PendingEntry>,
    work: F,
) -> (TransactionWork, oneshot::Receiver<Result<T, E>>)
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let work: TransactionWork = Box::new(move |conn| {
        async move {
            let result = match record(attempt, conn).await {
                Ok(()) => match entry {
                    None => work(conn).await,
                    Some(entry) => match entry.during(work(conn)).await {
                        Ok(value) => entry.store(conn).await.map(|()| value).map_err(E::from),
                        Err(error) => Err(error),
                    },
                },
                Err(error) => Err(error.into()),
            };
            match result {
                Ok(value) => WorkEnd::Commit(Box::new(move |committed| {
                    let _ = reply.send(committed.map(|()| value).map_err(E::from));
                })),
                Err(error) => WorkEnd::RollBack(Box::new(move |_| {
                    let _ = reply.send(Err(error));
                })),
            }
        }
        .boxed()
    });
    (work, answer)
}

fn record(attempt: Option<RequestAttempt>, conn: &mut Conn) -> BoxFuture<'_, Result<()>> {
    match attempt {
        None => std::future::ready(Ok(())).boxed(),
        Some(attempt) => async move { attempt.carry_out(conn).await }.boxed(),
    }
}
