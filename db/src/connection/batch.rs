//! Writes of one site that are carried out together: one transaction and a few statements for all
//! that wait, instead of one transaction each.
//!
//! A use case describes such a write as data and implements [`Batched`]. PostgreSQL collects the
//! waiting ones of a site ([`super::postgres`]). SQLite runs each alone, because its writer commits
//! many transactions at once anyway.

use std::any::{Any, TypeId};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::conn::Conn;
use super::work::Reply;
use crate::error::{Error, Result};
use crate::runtime::idempotency::RequestAttempt;

/// How a batch ended.
pub enum BatchEnd<T, E> {
    /// Each write has its result, in the order of the batch. A failed one has changed nothing, or is
    /// the only one.
    Done(Vec<Result<T, E>>),
    /// The batch cannot be carried out as a whole. It is undone, and each write runs alone.
    Alone,
}

/// A write that can be carried out together with others of its kind and site.
pub trait Batched: Clone + Send + Sync + 'static {
    /// The result of one write.
    type Output: Send + 'static;
    /// The error of one write.
    type Error: From<Error> + Send + 'static;

    /// Carries out at least one write inside a transaction. Locks that every write of the site needs
    /// are taken last.
    ///
    /// # Errors
    /// Errors of the database, after which everything is undone.
    fn run(c: &mut Conn, batch: Vec<Self>) -> BoxFuture<'_, Result<BatchEnd<Self::Output, Self::Error>>>;
}

/// Receives the result of a write.
type PendingOutput<W> = oneshot::Receiver<Result<<W as Batched>::Output, <W as Batched>::Error>>;

/// A waiting write, without the type of its data.
pub(super) struct BatchEntry {
    /// Writes of the same kind can share a batch.
    pub kind: TypeId,
    waiting: Box<dyn Any + Send>,
    run: for<'c> fn(&'c mut Conn, Vec<BatchEntry>) -> BoxFuture<'c, GroupEnd>,
}

/// How the transaction of a batch must end.
pub(super) enum GroupEnd {
    /// Commit, then tell the callers.
    Commit(Vec<Reply>),
    /// Roll back, then tell the callers.
    RollBack(Vec<Reply>),
    /// Roll back, then run each entry alone.
    Alone(Vec<BatchEntry>),
}

struct WaitingWrite<W: Batched> {
    write: W,
    attempt: Option<RequestAttempt>,
    reply: oneshot::Sender<Result<W::Output, W::Error>>,
}

impl BatchEntry {
    /// Describes a write, which may be part of an attempt at an idempotent request, and returns the receiver
    /// of its result.
    pub(super) fn new<W: Batched>(write: W, attempt: Option<RequestAttempt>) -> (Self, PendingOutput<W>) {
        let (reply, answer) = oneshot::channel();
        (Self::of(WaitingWrite { write, attempt, reply }), answer)
    }

    fn of<W: Batched>(waiting: WaitingWrite<W>) -> Self {
        Self { kind: TypeId::of::<W>(), waiting: Box::new(waiting), run: run_batch::<W> }
    }

    /// Carries out entries of one kind in the transaction of `conn`.
    pub(super) fn run_all(conn: &mut Conn, batch: Vec<BatchEntry>) -> BoxFuture<'_, GroupEnd> {
        match batch.first().map(|entry| entry.run) {
            Some(run) => run(conn, batch),
            None => std::future::ready(GroupEnd::Commit(Vec::new())).boxed(),
        }
    }
}

fn run_batch<W: Batched>(conn: &mut Conn, batch: Vec<BatchEntry>) -> BoxFuture<'_, GroupEnd> {
    let batch: Vec<WaitingWrite<W>> =
        batch.into_iter().filter_map(|entry| entry.waiting.downcast().ok().map(|waiting| *waiting)).collect();
    async move {
        let is_many = batch.len() > 1;
        match record_and_run(conn, &batch).await {
            Ok(BatchEnd::Done(results)) => {
                let keeps = results.iter().any(Result::is_ok);
                let replies = batch.into_iter().zip(results).map(|(waiting, result)| reply(waiting, result)).collect();
                if keeps { GroupEnd::Commit(replies) } else { GroupEnd::RollBack(replies) }
            }
            // The database is gone or busy, so each write alone would fail as well, one after the other.
            Err(Error::Unavailable(reason)) => {
                let failed = |waiting| reply(waiting, Err(Error::Unavailable(reason.clone()).into()));
                GroupEnd::RollBack(batch.into_iter().map(failed).collect())
            }
            Ok(BatchEnd::Alone) | Err(_) if is_many => GroupEnd::Alone(batch.into_iter().map(BatchEntry::of).collect()),
            Ok(BatchEnd::Alone) => GroupEnd::RollBack(Vec::new()),
            Err(error) => {
                let last = batch.into_iter().next_back();
                GroupEnd::RollBack(last.map(|waiting| reply(waiting, Err(error.into()))).into_iter().collect())
            }
        }
    }
    .boxed()
}

/// Records which idempotent requests are executed, and carries out the writes.
async fn record_and_run<W: Batched>(
    conn: &mut Conn,
    batch: &[WaitingWrite<W>],
) -> Result<BatchEnd<W::Output, W::Error>> {
    for attempt in batch.iter().filter_map(|waiting| waiting.attempt.as_ref()) {
        attempt.carry_out(conn).await?;
    }
    W::run(conn, batch.iter().map(|waiting| waiting.write.clone()).collect()).await
}

/// Returns the message to the caller, whose argument is the reason when the commit failed.
fn reply<W: Batched>(waiting: WaitingWrite<W>, result: Result<W::Output, W::Error>) -> Reply {
    Box::new(move |committed| {
        let result = result.and_then(|value| committed.map(|()| value).map_err(W::Error::from));
        let _ = waiting.reply.send(result);
    })
}

/// Carries out one write in the transaction of `c`.
pub(super) async fn run_alone<W: Batched>(c: &mut Conn, write: W) -> Result<W::Output, W::Error> {
    match W::run(c, vec![write]).await? {
        BatchEnd::Done(mut results) => results.pop().unwrap_or_else(|| Err(Error::Overloaded.into())),
        BatchEnd::Alone => Err(Error::Overloaded.into()),
    }
}
