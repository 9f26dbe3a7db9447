//! Measures whether a misbehaving fifth endpoint affects four healthy ones.
//!
//! The first rounds run without a fifth endpoint and with a healthy one, which shows the cost of one more endpoint. Then
//! rounds with a healthy and a misbehaving fifth endpoint alternate, and so does the order within a pair, so that other
//! load on the machine affects both. Each round uses a new fifth webhook, because a webhook that has timed out is paused
//! for a minute and would not affect the next round.

use std::sync::Arc;

use helpbot_benches::receiver::{Manner, Receiver};
use serde_json::json;
use tempfile::TempDir;

use crate::product::{Product, until};
use crate::votes::{Load, Times, Votes, cast};
use crate::{AnyError, Options, backlog, verdict};

/// Number of healthy endpoints. With the misbehaving one, a site has the maximum.
const HEALTHY: usize = 4;
/// Target for the ratio of the healthy endpoints' p99.
const RATIO_MAX: f64 = 1.1;
const HEALTHY_FIFTH: &str = "one more, healthy";
const MANNERS: [(Manner, &str); 3] =
    [(Manner::Silent, "never answers"), (Manner::Dripping, "drips a byte a second"), (Manner::Endless, "endless body")];
const DELETE: &str = "mutation ($id: ID!) { deleteWebhook(input: { id: $id }) { userErrors { message } } }";

/// Measures the healthy endpoints beside each kind of fifth endpoint, with one database.
pub(crate) async fn measure(name: &str, database: Option<&str>, options: &Options) -> Result<(), AnyError> {
    let home = TempDir::new()?;
    let product = Arc::new(Product::start(&home, database)?);
    let conversations = product.ask(options.backlog / HEALTHY).await?;
    println!("\n{name}, {HEALTHY} healthy endpoints and a misbehaving one: {} chats before", conversations.len());
    let mut receivers = Vec::new();
    for _ in 0..HEALTHY {
        receivers.push(Receiver::start(Manner::Prompt).await?);
    }
    let rate = backlog(&product, &receivers, conversations.len()).await? * options.share;
    let mut application =
        Application { product, receivers, votes: Votes::new(conversations), rate, seconds: options.seconds };
    let warm = application.round().await?;
    println!(
        "  {} of it: {rate:.0} deliveries/s to the healthy, {} a round of {} s",
        options.share,
        warm.count(),
        options.seconds
    );
    let wanted = |what: &str| options.beside.as_deref().is_none_or(|word| what.contains(word));
    if wanted(HEALTHY_FIFTH) {
        application.compare(None, Manner::Prompt, HEALTHY_FIFTH, options.rounds).await?;
    }
    for (manner, what) in MANNERS.into_iter().filter(|(_, what)| wanted(what)) {
        application.compare(Some(Manner::Prompt), manner, what, options.rounds).await?;
    }
    Ok(())
}

/// State that all rounds share.
struct Application {
    product: Arc<Product>,
    receivers: Vec<Receiver>,
    votes: Votes,
    rate: f64,
    seconds: u64,
}

impl Application {
    /// Runs pairs of rounds: with the first kind of fifth endpoint or none, and with the second kind.
    async fn compare(&mut self, one: Option<Manner>, other: Manner, what: &str, rounds: usize) -> Result<(), AnyError> {
        let before = self.product.server.resident_mib()?;
        let (mut highest, mut attempts) = (before, 0);
        let mut pairs = Vec::new();
        for round in 0..rounds.max(1) {
            let (first, second) = if round % 2 == 0 {
                let first = self.beside(one, &mut 0, &mut highest).await?;
                (first, self.beside(Some(other), &mut attempts, &mut highest).await?)
            } else {
                let second = self.beside(Some(other), &mut attempts, &mut highest).await?;
                (self.beside(one, &mut 0, &mut highest).await?, second)
            };
            println!(
                "    round {}   p50 {:>6.1} p99 {:>6.1} ms   then p50 {:>6.1} p99 {:>6.1} ms",
                round + 1,
                first.ms(0.5),
                first.ms(0.99),
                second.ms(0.5),
                second.ms(0.99)
            );
            pairs.push((first, second));
        }
        let after = self.product.server.resident_mib()?;
        let of = |share: f64| median(pairs.iter().map(|(first, second)| second.ms(share) / first.ms(share)));
        let ratio = of(0.99);
        let verdict = match one {
            None => "no target; this is the cost of a fifth endpoint".to_owned(),
            Some(_) => format!("target < {RATIO_MAX}: {}", verdict(ratio < RATIO_MAX)),
        };
        println!(
            "  {what:<22} {attempts} attempts at it   p50 {:.2} and p99 {ratio:.2} of those {} \
             (medians; {verdict})   resident {before:.0} MiB before, {highest:.0} at most, {after:.0} after",
            of(0.5),
            if one.is_some() { "beside a healthy fifth" } else { "without it" }
        );
        Ok(())
    }

    /// The load of a round.
    async fn round(&mut self) -> Result<Times, AnyError> {
        let load = Load::steady(self.rate, self.receivers.len(), self.seconds);
        cast(&self.product, &self.receivers, &mut self.votes, load).await
    }

    /// Runs a round, with a new fifth webhook if one is requested. Afterwards the webhook and its deliveries are deleted.
    async fn beside(
        &mut self,
        manner: Option<Manner>,
        attempts: &mut usize,
        highest: &mut f64,
    ) -> Result<Times, AnyError> {
        let Some(manner) = manner else { return self.round().await };
        let fifth = Receiver::start(manner).await?;
        let id = self.product.webhook(fifth.addr, &["conversation.feedback"]).await?;
        let times = self.round().await?;
        *attempts += fifth.count();
        *highest = highest.max(self.product.server.resident_mib()?);
        if fifth.count() == 0 {
            return Err("nothing was sent to the fifth endpoint".into());
        }
        self.product.execute(DELETE, json!({ "id": id })).await?;
        fifth.close();
        until("the end of the last attempt at it", async || Ok(fifth.open() == 0)).await?;
        Ok(times)
    }
}

/// The median of a non-empty list.
fn median(ratios: impl Iterator<Item = f64>) -> f64 {
    let mut ratios: Vec<f64> = ratios.collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}
