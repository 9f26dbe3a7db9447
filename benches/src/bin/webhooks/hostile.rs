//! Four healthy endpoints beside a fifth that does them no good: whether their times move.
//!
//! Rounds without and with the fifth alternate, and the order within a pair alternates too, so that
//! what else the machine does falls on both. The first neighbour is healthy too: what it costs is
//! the load of one more, and not ill will. Each round with it has a webhook of its own, since one
//! that has timed out rests for a minute and would harm nobody in the next round.

use std::sync::Arc;

use helpbot_benches::receiver::{Manner, Receiver};
use serde_json::json;
use tempfile::TempDir;

use crate::product::{Product, until};
use crate::votes::{Times, Votes, cast};
use crate::{AnyError, Options, backlog, verdict};

/// Healthy endpoints; with the hostile one as many as a site may have.
const HEALTHY: usize = 4;
/// How far the p99 of the healthy may move.
const RATIO_MAX: f64 = 1.1;
const MANNERS: [(Manner, &str); 4] = [
    (Manner::Prompt, "healthy as well"),
    (Manner::Silent, "never answers"),
    (Manner::Dripping, "drips a byte a second"),
    (Manner::Endless, "endless body"),
];
const DELETE: &str = "mutation ($id: ID!) { deleteWebhook(input: { id: $id }) { userErrors { message } } }";

/// Measures the healthy beside each kind of neighbour, over one database.
pub(crate) async fn measure(name: &str, database: Option<&str>, options: &Options) -> Result<(), AnyError> {
    let home = TempDir::new()?;
    let product = Arc::new(Product::start(&home, database)?);
    let conversations = product.ask(options.backlog / HEALTHY).await?;
    println!("\n{name}, {HEALTHY} healthy endpoints and a hostile one: {} chats before", conversations.len());
    let mut receivers = Vec::new();
    for _ in 0..HEALTHY {
        receivers.push(Receiver::start(Manner::Prompt).await?);
    }
    let rate = backlog(&product, &receivers, conversations.len()).await? * options.share;
    let mut house = House { product, receivers, votes: Votes::new(conversations), rate, seconds: options.seconds };
    let warm = house.round().await?;
    println!(
        "  {} of it: {rate:.0} deliveries/s to the healthy, {} a round of {} s",
        options.share,
        warm.count(),
        options.seconds
    );
    for (manner, what) in MANNERS {
        house.beside(manner, what, options.rounds).await?;
    }
    Ok(())
}

/// What all rounds share.
struct House {
    product: Arc<Product>,
    receivers: Vec<Receiver>,
    votes: Votes,
    rate: f64,
    seconds: u64,
}

impl House {
    /// All rounds beside one kind of neighbour.
    async fn beside(&mut self, manner: Manner, what: &str, rounds: usize) -> Result<(), AnyError> {
        let before = self.product.server.resident_mib()?;
        let (mut highest, mut attempts) = (before, 0);
        let mut pairs = Vec::new();
        for round in 0..rounds.max(1) {
            let (with, without) = if round % 2 == 0 {
                let without = self.round().await?;
                (self.with(manner, &mut attempts, &mut highest).await?, without)
            } else {
                let with = self.with(manner, &mut attempts, &mut highest).await?;
                (with, self.round().await?)
            };
            println!(
                "    round {}   without p50 {:>6.1} p99 {:>6.1} ms   with p50 {:>6.1} p99 {:>6.1} ms",
                round + 1,
                without.ms(0.5),
                without.ms(0.99),
                with.ms(0.5),
                with.ms(0.99)
            );
            pairs.push((without, with));
        }
        let after = self.product.server.resident_mib()?;
        let of = |share: f64| median(pairs.iter().map(|(without, with)| with.ms(share) / without.ms(share)));
        let ratio = of(0.99);
        let verdict = match manner {
            Manner::Prompt => "no target: the cost of one more".to_owned(),
            _ => format!("target < {RATIO_MAX}: {}", verdict(ratio < RATIO_MAX)),
        };
        println!(
            "  {what:<22} {attempts} attempts at it   p50 {:.2} and p99 {ratio:.2} of those without it \
             (medians; {verdict})   resident {before:.0} MiB before, {highest:.0} at most, {after:.0} after",
            of(0.5)
        );
        Ok(())
    }

    /// The load, for a round.
    async fn round(&mut self) -> Result<Times, AnyError> {
        cast(&self.product, &self.receivers, &mut self.votes, self.rate, self.seconds).await
    }

    /// A round with a new fifth webhook, which is gone afterwards, with what was on its way to it.
    async fn with(&mut self, manner: Manner, attempts: &mut usize, highest: &mut f64) -> Result<Times, AnyError> {
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

/// The middle one; there is one.
fn median(ratios: impl Iterator<Item = f64>) -> f64 {
    let mut ratios: Vec<f64> = ratios.collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}
