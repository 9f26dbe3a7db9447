//! The search index of conversations, updated in the background. Indexing a conversation takes
//! longer than storing it, so the server indexes small groups with pauses between them. A search is
//! complete at all times, because it also reads the conversations that are not indexed yet.
//! PostgreSQL maintains its own index, so there is nothing to do.

use std::time::{Duration, Instant};

use helpbot_db as db;

use crate::{Result, Services, boxed};

/// Number of conversations per transaction, which blocks other writes for 5 to 10 ms.
const GROUP: i64 = 64;
/// After each group, the indexer pauses for this multiple of the time that the group took, so that
/// it uses at most a quarter of the writer's time.
const REST: u32 = 3;
/// Interval at which the server checks for new conversations.
const EVERY: Duration = Duration::from_secs(1);

/// Updates the index continuously. A failed group is repeated. After a crash, the indexer continues
/// where it stopped.
#[boxed]
pub async fn run_indexer(services: &Services) {
    loop {
        let began = Instant::now();
        let rest = match index_group(services).await {
            Ok(0) => EVERY,
            Ok(_) => began.elapsed() * REST,
            Err(error) => {
                tracing::warn!(error = error.detail(), "conversations could not be added to the search index");
                EVERY
            }
        };
        tokio::time::sleep(rest).await;
    }
}

/// Indexes all conversations that are not indexed yet, and removes deleted ones from the index.
/// Returns their number.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn index_all(services: &Services) -> Result<usize> {
    let mut all = 0;
    loop {
        match index_group(services).await? {
            0 => return Ok(all),
            some => all += some,
        }
    }
}

async fn index_group(services: &Services) -> Result<usize> {
    // This check does not use the writer, and most of the time nothing is new.
    if !db::search::is_behind(&mut services.db.reader().await?).await? {
        return Ok(0);
    }
    services.db.write(|c| Box::pin(async move { Ok(db::search::index_next(c, GROUP).await?) })).await
}
