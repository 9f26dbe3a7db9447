//! Reads what was asked into the groups of a site.
//!
//! A look reads what was asked since the last one, so that it takes milliseconds however long the range
//! is. The database decides: when the number of conversations differs from what was read, because a
//! session was erased or past conversations were imported, the groups are made again.

use std::time::Duration;

use helpbot_db as db;
use helpbot_db::topics::AskedAt;
use helpbot_domain::ids::SiteId;

use crate::knowledge::topic_cache::SiteTopics;
use crate::{Result, Services, blocking};

/// Maximum number of conversations of a site that are grouped, newest first.
const CONVERSATIONS_MAX: i64 = 100_000;
/// Number of conversations per query.
const PAGE: i64 = 5_000;
/// A conversation can be stored this long after its time, while its answer is written.
const LATE: Duration = Duration::from_secs(60);

/// Runs `look` on the groups of a site, with everything that was asked until now.
///
/// # Errors
/// Only errors of the database.
pub(super) async fn with_topics<T: Send + 'static>(
    services: &Services,
    site: SiteId,
    language: Option<&str>,
    look: impl FnOnce(&SiteTopics) -> T + Send + 'static,
) -> Result<T> {
    let cached = services.topics.of(site, services.now());
    let mut topics = cached.clone().lock_owned().await;
    if topics.language.as_deref() != language {
        *topics = SiteTopics::new(language);
    }
    topics = continued(services, site, topics).await?;
    if let Some(last) = topics.last {
        let stored = db::topics::count_up_to(&mut services.db.reader().await?, site, topics.start, last).await?;
        if stored != topics.conversations {
            *topics = SiteTopics::new(language);
            topics = continued(services, site, topics).await?;
        }
    }
    services.topics.keep(site, topics.questions.len());
    blocking(move || look(&topics)).await
}

type Held = tokio::sync::OwnedMutexGuard<SiteTopics>;

/// Adds what was asked since the last look.
async fn continued(services: &Services, site: SiteId, mut topics: Held) -> Result<Held> {
    let mut c = services.db.reader().await?;
    let mut from = match topics.last {
        Some(last) => Some(AskedAt { created_at: last.created_at.minus(LATE), ..last }),
        None => {
            topics.start = db::topics::nth_last(&mut c, site, CONVERSATIONS_MAX).await?;
            topics.start
        }
    };
    loop {
        let asked = db::topics::asked_from(&mut c, site, from, PAGE).await?;
        let is_last = asked.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        if let Some(last) = asked.last() {
            from = Some(last.at);
        }
        topics = blocking(move || {
            let mut topics = topics;
            for asked in &asked {
                if !topics.recent.contains(&asked.at.id) {
                    topics.add(asked);
                }
            }
            topics
        })
        .await?;
        if is_last {
            break;
        }
    }
    // Only these can be read again.
    if let Some(last) = topics.last {
        let from = last.created_at.minus(LATE);
        let asked =
            db::topics::asked_from(&mut c, site, Some(AskedAt { created_at: from, ..last }), CONVERSATIONS_MAX).await?;
        topics.recent = asked.into_iter().map(|asked| asked.at.id).collect();
    }
    Ok(topics)
}
