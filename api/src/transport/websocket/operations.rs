//! The operations of one socket: a task each, and a bounded queue to the socket.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::frames;
use crate::error::{ErrorCode, Failure};
use crate::gateway::{Gateway, Outcome, Prepared, Session, payload};

/// A message on its way to the client.
pub(super) struct Outgoing {
    id: Arc<str>,
    // Tells an operation from a later one under the same id.
    number: u64,
    text: String,
    is_last: bool,
}

/// How the task of an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// All was queued, or the socket is gone.
    Done,
    /// The reader took nothing in time.
    Stalled,
}

/// The operations that are running.
pub(super) struct Operations {
    running: HashMap<Arc<str>, (u64, AbortHandle)>,
    tasks: JoinSet<Ended>,
    numbers: u64,
    queue: mpsc::Sender<Box<Outgoing>>,
    stall: Duration,
}

impl Operations {
    /// None yet; what they say goes into the queue, whose other end is returned. (Boxed: a queue has
    /// room for 32 of its items from the start, and an idle socket has none.)
    pub(super) fn new(queue: usize, stall: Duration) -> (Self, mpsc::Receiver<Box<Outgoing>>) {
        let (sender, receiver) = mpsc::channel(queue);
        (Self { running: HashMap::new(), tasks: JoinSet::new(), numbers: 0, queue: sender, stall }, receiver)
    }

    /// How many are running.
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether one is running under `id`.
    pub(super) fn contains(&self, id: &str) -> bool {
        self.running.contains_key(id)
    }

    /// Starts one.
    pub(super) fn start(&mut self, id: String, prepared: Prepared, gateway: Gateway, session: Session) {
        let id: Arc<str> = id.into();
        self.numbers += 1;
        let operation = Running { id: id.clone(), number: self.numbers, queue: self.queue.clone(), stall: self.stall };
        let task = self.tasks.spawn(operation.drive(prepared, gateway, session));
        self.running.insert(id, (self.numbers, task));
    }

    /// Ends one that the client does not want any more. What it queued is dropped.
    pub(super) fn stop(&mut self, id: &str) {
        if let Some((_, task)) = self.running.remove(id) {
            task.abort();
        }
    }

    /// Ends all.
    pub(super) fn stop_all(&mut self) {
        self.running.clear();
        self.tasks.abort_all();
    }

    /// The text to send for a queued message; none when its operation was ended meanwhile. After
    /// the last message the id is free.
    pub(super) fn release(&mut self, message: Outgoing) -> Option<String> {
        let is_current = self.running.get(&message.id).is_some_and(|(number, _)| *number == message.number);
        if is_current && message.is_last {
            self.running.remove(&message.id);
        }
        is_current.then_some(message.text)
    }

    /// Waits for the end of a task that nobody stopped; forever while there is none.
    pub(super) async fn ended(&mut self) -> Ended {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(ended)) => return ended,
                // Stopped, or lost to a panic that the gateway did not catch and tokio reported.
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }
}

struct Running {
    id: Arc<str>,
    number: u64,
    queue: mpsc::Sender<Box<Outgoing>>,
    stall: Duration,
}

impl Running {
    async fn drive(self, prepared: Prepared, gateway: Gateway, session: Session) -> Ended {
        let told = match prepared.kind() {
            OperationType::Subscription => self.tell_events(prepared, gateway, session).await,
            OperationType::Query | OperationType::Mutation => {
                let outcome = gateway.execute(prepared, &session).await;
                self.tell(outcome).await
            }
        };
        match told {
            Ok(IsRefused(true)) => Ended::Done,
            Ok(IsRefused(false)) => self.send(frames::complete(&self.id), true).await.err().unwrap_or(Ended::Done),
            Err(ended) => ended,
        }
    }

    async fn tell_events(&self, prepared: Prepared, gateway: Gateway, session: Session) -> Result<IsRefused, Ended> {
        let mut outcomes = gateway.subscribe(prepared, &session);
        while let Some(outcome) = outcomes.next().await {
            if let IsRefused(true) = self.tell(outcome).await? {
                return Ok(IsRefused(true));
            }
        }
        Ok(IsRefused(false))
    }

    async fn tell(&self, outcome: Outcome) -> Result<IsRefused, Ended> {
        if outcome.is_executed {
            let text = frames::with_payload(&self.id, "next", &payload::json(&outcome));
            self.send(text, false).await?;
            return Ok(IsRefused(false));
        }
        self.send(error_frame(&self.id, &outcome.response.errors), true).await?;
        Ok(IsRefused(true))
    }

    async fn send(&self, text: String, is_last: bool) -> Result<(), Ended> {
        let message = Box::new(Outgoing { id: self.id.clone(), number: self.number, text, is_last });
        match self.queue.send_timeout(message, self.stall).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(Ended::Stalled),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(Ended::Done),
        }
    }
}

/// Whether an operation was answered with `error`, after which nothing may follow.
struct IsRefused(bool);

/// The `error` message of an operation that was not executed.
pub(super) fn error_frame(id: &str, errors: &[async_graphql::ServerError]) -> String {
    let payload = serde_json::to_string(errors).expect("GraphQL errors are JSON");
    frames::with_payload(id, "error", &payload)
}

/// The `error` message of an operation that a socket may not start.
pub(super) fn refusal_frame(id: &str, failure: Failure) -> String {
    error_frame(id, &[failure.into_server_error()])
}

/// What is said to the operation that is one too many.
pub(super) fn too_many(limit: usize) -> Failure {
    Failure::new(ErrorCode::LimitReached, format!("A socket runs at most {limit} operations at a time"))
}
