//! The names of sources, for citations that have no address.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_domain::conversation::Citation;
use helpbot_domain::ids::{SiteId, SourceId};

use crate::{Result, Services};

/// Adds the name of the source to each citation that has no address.
///
/// # Errors
/// Only errors of the database.
pub(crate) async fn add_to(services: &Services, site: SiteId, citations: &mut [Citation]) -> Result<()> {
    let mut ids: Vec<SourceId> = citations.iter().filter(|one| one.url.is_none()).map(|one| one.source_id).collect();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    let (now, before) = (services.now(), services.source_names.before_lookup());
    let mut names: HashMap<SourceId, String> =
        ids.iter().filter_map(|id| Some((*id, services.source_names.get(id, now)?))).collect();
    ids.retain(|id| !names.contains_key(id));
    if !ids.is_empty() {
        for source in db::sources::by_ids(&mut services.db.reader().await?, site, &ids).await? {
            services.source_names.put(before, now, source.id, source.url.clone());
            names.insert(source.id, source.url);
        }
    }
    for citation in citations.iter_mut().filter(|one| one.url.is_none()) {
        citation.source_name = names.get(&citation.source_id).cloned();
    }
    Ok(())
}
