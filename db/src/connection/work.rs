//! What a caller hands over to be done in a transaction, without the types of its result.
//!
//! Every use case writes with a closure of its own type. Here that type ends: the writer thread
//! and the transactions on PostgreSQL see one kind of [`Work`], and are compiled once instead of
//! once for each of some hundred use cases (docs/decisions/0018).

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::conn::Conn;
use crate::error::{Error, Result};
use crate::runtime::idempotency::Turn;

/// Runs on a connection inside a transaction of its own, and gives what is to be done once it is
/// known whether that stands.
pub(crate) type Work = Box<dyn for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Settle> + Send>;
/// Tells the caller; gets the reason when the commit failed.
pub(crate) type Tell = Box<dyn FnOnce(Result<()>) + Send>;

/// How a caller's work ended inside its transaction.
pub(crate) enum Settle {
    /// Keep it, and tell after the commit.
    Keep(Tell),
    /// Undo it, and tell; its failure does not depend on the commit.
    Undo(Tell),
}

/// `work` without its types, and where its result will come. With a turn, the work begins by
/// noting that the turn's request is carried out. The sender of the result is dropped unused only
/// when the work panicked or was refused.
pub(crate) fn erased<T, E, F>(turn: Option<Turn>, work: F) -> (Work, oneshot::Receiver<Result<T, E>>)
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let work: Work = Box::new(move |conn| {
        async move {
            let result = match note(turn, conn).await {
                Ok(()) => work(conn).await,
                Err(error) => Err(error.into()),
            };
            match result {
                Ok(value) => Settle::Keep(Box::new(move |committed| {
                    let _ = reply.send(committed.map(|()| value).map_err(E::from));
                })),
                Err(error) => Settle::Undo(Box::new(move |_| {
                    let _ = reply.send(Err(error));
                })),
            }
        }
        .boxed()
    });
    (work, answer)
}

fn note(turn: Option<Turn>, conn: &mut Conn) -> BoxFuture<'_, Result<()>> {
    match turn {
        None => std::future::ready(Ok(())).boxed(),
        Some(turn) => async move { turn.carry_out(conn).await }.boxed(),
    }
}
