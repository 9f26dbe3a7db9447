//! The operations of one socket: a task for each, and a bounded queue to the socket.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::ServerError;
use async_graphql::parser::types::OperationType;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::frames;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::caller::AdmittedCaller;
use crate::gateway::execution::Gateway;
use crate::gateway::request::PreparedOperation;
use crate::gateway::result::ExecutionResult;

/// A message on its way to the client.
pub(super) struct Outgoing {
    id: Arc<str>,
    // Distinguishes an operation from a later one with the same id.
    number: u64,
    text: String,
    is_last: bool,
}

/// How the task of an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaskEnd {
    /// Everything was queued, or the socket is closed.
    Done,
    /// The client did not read in time.
    Stalled,
}

/// The running operations of a socket.
pub(super) struct Operations {
    running: HashMap<Arc<str>, (u64, AbortHandle)>,
    tasks: JoinSet<TaskEnd>,
    last_number: u64,
    queue: mpsc::Sender<Box<Outgoing>>,
    stall: Duration,
}

impl Operations {
    /// Creates an empty set. Returns it with the receiving end of the queue of its messages.
    ///
    /// Messages are boxed because a queue allocates room for 32 of its items at once, and an idle
    /// socket has no messages.
    pub fn new(queue: usize, stall: Duration) -> (Self, mpsc::Receiver<Box<Outgoing>>) {
        let (sender, receiver) = mpsc::channel(queue);
        (Self { running: HashMap::new(), tasks: JoinSet::new(), last_number: 0, queue: sender, stall }, receiver)
    }

    /// Number of running operations.
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether an operation with this id is running.
    pub fn contains(&self, id: &str) -> bool {
        self.running.contains_key(id)
    }

    /// Starts an operation.
    pub fn start(&mut self, id: String, operation: PreparedOperation, gateway: Gateway, caller: AdmittedCaller) {
        let id: Arc<str> = id.into();
        self.last_number += 1;
        let number = self.last_number;
        let running = RunningOperation { id: id.clone(), number, queue: self.queue.clone(), stall: self.stall };
        let task = self.tasks.spawn(running.run(operation, gateway, caller));
        self.running.insert(id, (number, task));
    }

    /// Stops an operation that the client canceled. Its queued messages are dropped.
    pub fn stop(&mut self, id: &str) {
        if let Some((_, task)) = self.running.remove(id) {
            task.abort();
        }
    }

    /// Stops all operations.
    pub fn stop_all(&mut self) {
        self.running.clear();
        self.tasks.abort_all();
    }

    /// The text to send for a queued message, or `None` when its operation was stopped in the meantime.
    /// After the last message of an operation its id is free.
    pub fn release(&mut self, message: Outgoing) -> Option<String> {
        let is_current = self.running.get(&message.id).is_some_and(|(number, _)| *number == message.number);
        if is_current && message.is_last {
            self.running.remove(&message.id);
        }
        is_current.then_some(message.text)
    }

    /// Waits until a task ends that nobody stopped. Waits forever while there is none.
    pub async fn ended(&mut self) -> TaskEnd {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(end)) => return end,
                // Stopped, or lost to a panic outside the gateway, which tokio has reported.
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }
}

struct RunningOperation {
    id: Arc<str>,
    number: u64,
    queue: mpsc::Sender<Box<Outgoing>>,
    stall: Duration,
}

/// What the client still expects after a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Following {
    /// More results, or `complete`.
    Complete,
    /// Nothing: `error` was the last message.
    Nothing,
}

impl RunningOperation {
    async fn run(self, operation: PreparedOperation, gateway: Gateway, caller: AdmittedCaller) -> TaskEnd {
        let sent = match operation.operation_type() {
            OperationType::Subscription => self.send_all(gateway.subscribe(operation, &caller).await).await,
            OperationType::Query | OperationType::Mutation => match operation.live() {
                Some(live) => self.send_all(gateway.live(operation, live, &caller).await).await,
                None => self.send_result(gateway.execute(operation, &caller).await).await,
            },
        };
        match sent {
            Ok(Following::Nothing) => TaskEnd::Done,
            Ok(Following::Complete) => self.send_last(frames::complete(&self.id)).await.err().unwrap_or(TaskEnd::Done),
            Err(end) => end,
        }
    }

    async fn send_all(&self, mut results: BoxStream<'static, ExecutionResult>) -> Result<Following, TaskEnd> {
        while let Some(result) = results.next().await {
            if self.send_result(result).await? == Following::Nothing {
                return Ok(Following::Nothing);
            }
        }
        Ok(Following::Complete)
    }

    async fn send_result(&self, result: ExecutionResult) -> Result<Following, TaskEnd> {
        if result.is_executed {
            self.send(frames::with_payload(&self.id, "next", &result.json())).await?;
            return Ok(Following::Complete);
        }
        self.send_last(error_frame(&self.id, &result.response.errors)).await?;
        Ok(Following::Nothing)
    }

    async fn send(&self, text: String) -> Result<(), TaskEnd> {
        self.queue(Outgoing { id: self.id.clone(), number: self.number, text, is_last: false }).await
    }

    async fn send_last(&self, text: String) -> Result<(), TaskEnd> {
        self.queue(Outgoing { id: self.id.clone(), number: self.number, text, is_last: true }).await
    }

    async fn queue(&self, message: Outgoing) -> Result<(), TaskEnd> {
        match self.queue.send_timeout(Box::new(message), self.stall).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(TaskEnd::Stalled),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(TaskEnd::Done),
        }
    }
}

/// The message `error` for an operation that was not executed.
pub(super) fn error_frame(id: &str, errors: &[ServerError]) -> String {
    let payload = serde_json::to_string(errors).expect("GraphQL errors are JSON");
    frames::with_payload(id, "error", &payload)
}

/// The error for an operation that exceeds the maximum number of concurrent ones.
pub(super) fn too_many(limit: usize) -> ApiError {
    let message = format!(
        "A WebSocket can run at most {limit} operations at the same time. Complete one first, or open another connection."
    );
    ApiError::new(ErrorCode::LimitReached, message)
}
