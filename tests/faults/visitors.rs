//! Visitors who ask, at whichever node is there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use crate::nodes::Node;

/// Time that a visitor waits for a response.
const PATIENCE: Duration = Duration::from_secs(15);

/// A question that was answered, and is therefore stored.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    pub conversation: String,
    /// Number of the node that answered.
    pub node: usize,
    /// When the answer was there.
    pub at: Instant,
}

/// What all visitors share.
#[derive(Default)]
pub struct Visits {
    pub is_over: AtomicBool,
    acknowledged: Mutex<Vec<Acknowledged>>,
    /// Conversations whose vote was acknowledged.
    voted: Mutex<Vec<String>>,
}

impl Visits {
    pub fn acknowledged(&self) -> Vec<Acknowledged> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn voted(&self) -> Vec<String> {
        self.voted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One visitor: asks at a random node, votes on every fourth answer, and waits for `pace`.
    pub async fn visit(&self, nodes: &[Node], key: &str, visitor: usize, pace: Duration) {
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let node = fastrand::usize(..nodes.len());
            let question = format!("Where does visitor {visitor} keep umbrella {number}?");
            if let Some(conversation) = nodes[node].ask(key, &question, PATIENCE).await {
                let at = Instant::now();
                let vote = json!({ "conversationId": conversation, "helpful": "no" });
                let done = Acknowledged { conversation: conversation.clone(), node, at };
                self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push(done);
                if number % 4 == 3
                    && let Some((200, _)) = nodes[node].post(key, "/api/v1/feedback", &vote, PATIENCE).await
                {
                    self.voted.lock().unwrap_or_else(PoisonError::into_inner).push(conversation);
                }
            }
            sleep(pace).await;
        }
    }
}
