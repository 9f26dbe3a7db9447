//! The index of the search in conversations, kept up behind the backs of those who chat: to take a
//! conversation in costs more than to store it, so the server does it in small groups, with rests
//! between them. A search is right at every moment: it also looks at what the index has not yet
//! taken in. Where the database keeps its own index (PostgreSQL) there is nothing to do.

use std::time::{Duration, Instant};

use helpbot_db as db;

use crate::{Result, Services, boxed};

/// Conversations in one write: what chats then wait for is some 5 to 10 ms.
const GROUP: i64 = 64;
/// After each group the server rests so many times as long as that took. So the index takes at most a
/// quarter of the writer's time, and less when others wait for it too.
const REST: u32 = 3;
/// How often the server looks for new conversations.
const EVERY: Duration = Duration::from_secs(1);

impl Services {
    /// Keeps the index of the search up, for ever. A failed group is tried again; it goes on where it
    /// was also after a crash.
    #[boxed]
    pub async fn keep_search_index(&self) {
        loop {
            let began = Instant::now();
            let rest = match self.index_group().await {
                Ok(0) => EVERY,
                Ok(_) => began.elapsed() * REST,
                Err(error) => {
                    tracing::warn!(%error, "could not take conversations into the index of the search");
                    EVERY
                }
            };
            tokio::time::sleep(rest).await;
        }
    }

    /// Takes all conversations into the index of the search that it does not know yet, and lets it
    /// forget those that are gone; gives how many there were.
    ///
    /// # Errors
    /// Only the database's own.
    #[boxed]
    pub async fn index_conversations(&self) -> Result<usize> {
        let mut all = 0;
        loop {
            match self.index_group().await? {
                0 => return Ok(all),
                some => all += some,
            }
        }
    }

    async fn index_group(&self) -> Result<usize> {
        // A look costs the writer nothing, and most of the time nothing is new.
        if !db::search::is_behind(&mut self.db.reader().await?).await? {
            return Ok(0);
        }
        self.db.write(|c| Box::pin(async move { Ok(db::search::take_in(c, GROUP).await?) })).await
    }
}
