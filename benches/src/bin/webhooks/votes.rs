//! The steady load: votes at given times, and the time that each needs to reach the receivers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use helpbot_benches::receiver::Receiver;
use serde_json::{Value, json};

use crate::AnyError;
use crate::product::{CALLERS, Product, until};

/// A conversation and the vote on it.
type Vote = (String, &'static str);

/// An endless series of votes on some conversations. Each vote changes the previous one on the same conversation.
pub(crate) struct Votes {
    conversations: Vec<String>,
    next: usize,
}

impl Votes {
    pub(crate) fn new(conversations: Vec<String>) -> Self {
        Self { conversations, next: 0 }
    }

    /// The next `count` votes, or fewer when two of them would have the same value.
    fn take(&mut self, count: usize) -> Vec<Vote> {
        let (all, first) = (self.conversations.len(), self.next);
        self.next += count.min(all * 2);
        let vote = |number: usize| if (number / all).is_multiple_of(2) { "yes" } else { "no" };
        (first..self.next).map(|number| (self.conversations[number % all].clone(), vote(number))).collect()
    }
}

/// A number of votes with their times.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    votes: usize,
    per_second: f64,
}

impl Load {
    /// Votes that cause `rate` deliveries per second to the given number of receivers, for the given time.
    pub(crate) fn steady(rate: f64, receivers: usize, seconds: u64) -> Self {
        let per_second = rate / receivers as f64;
        Self { votes: (per_second * seconds as f64) as usize, per_second }
    }

    /// Votes as fast as they are accepted.
    pub(crate) fn at_once(votes: usize) -> Self {
        Self { votes, per_second: f64::INFINITY }
    }
}

/// The times from vote to receiver of a load's deliveries, sorted.
pub(crate) struct Times {
    all: Vec<Duration>,
    /// Time from the first vote to the last delivery.
    took: Duration,
}

impl Times {
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// Milliseconds within which this share of the deliveries arrived.
    pub(crate) fn ms(&self, share: f64) -> f64 {
        self.all[((self.all.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0
    }

    /// Deliveries per second.
    pub(crate) fn rate(&self) -> f64 {
        self.all.len() as f64 / self.took.as_secs_f64()
    }
}

/// Sends the votes and waits until each has reached all receivers.
pub(crate) async fn cast(
    product: &Arc<Product>,
    receivers: &[Receiver],
    votes: &mut Votes,
    load: Load,
) -> Result<Times, AnyError> {
    receivers.iter().for_each(|receiver| drop(receiver.take()));
    let votes = votes.take(load.votes);
    let begin = Instant::now() + Duration::from_millis(100);
    let due = |number: usize| begin + Duration::from_secs_f64(number as f64 / load.per_second);
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let own = (caller..votes.len()).step_by(CALLERS);
            let own: Vec<(Instant, Vote)> = own.map(|number| (due(number), votes[number].clone())).collect();
            let product = Arc::clone(product);
            tokio::spawn(async move { send(&product, own).await })
        })
        .collect();
    let mut sent = HashMap::new();
    for caller in callers {
        for (at, (conversation, vote)) in caller.await?? {
            sent.insert((conversation, vote.to_owned()), at);
        }
    }
    let all = votes.len() * receivers.len();
    until("the last delivery", async || Ok(receivers.iter().map(Receiver::count).sum::<usize>() >= all)).await?;
    let took = begin.elapsed();
    let mut times = Vec::with_capacity(all);
    for (at, body) in receivers.iter().flat_map(Receiver::take) {
        let told: Value = serde_json::from_slice(&body)?;
        let text = |name: &str| told["data"][name].as_str().unwrap_or_default().to_owned();
        let sent = sent.get(&(text("conversationId"), text("helpful")));
        times.push(at.duration_since(*sent.ok_or_else(|| format!("unexpected delivery {told}"))?));
    }
    times.sort_unstable();
    if times.is_empty() {
        Err("the duration was too short for a single vote".into())
    } else {
        Ok(Times { all: times, took })
    }
}

/// Sends votes at the given times and returns the planned time of each.
async fn send(product: &Product, votes: Vec<(Instant, Vote)>) -> Result<Vec<(Instant, Vote)>, AnyError> {
    for (at, (conversation, vote)) in &votes {
        tokio::time::sleep_until((*at).into()).await;
        let body = json!({ "conversationId": conversation, "helpful": vote });
        product.post("/api/v1/feedback", &product.widget_key, &body).await?;
    }
    Ok(votes)
}
