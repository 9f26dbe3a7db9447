//! The loader of the sites that objects belong to.

use std::collections::HashMap;
use std::sync::Arc;

use ::dataloader::BatchFn;
use helpbot_domain::global_id::GlobalId;
use helpbot_domain::ids::SiteId;
use helpbot_services::Error;
use helpbot_services::runtime::global_ids;

use super::{Loaded, Reads};

pub(super) struct SitesOf(pub(super) Reads);

impl BatchFn<GlobalId, Loaded<SiteId>> for SitesOf {
    async fn load(&mut self, keys: &[GlobalId]) -> HashMap<GlobalId, Loaded<SiteId>> {
        let found = global_ids::sites_of(&self.0.services, &self.0.viewer, keys).await.map_err(Arc::new);
        let missing = match &found {
            Ok(_) => Arc::new(Error::NotFound("Site")),
            Err(error) => error.clone(),
        };
        let mut values: HashMap<_, _> = keys.iter().map(|key| (*key, Err(missing.clone()))).collect();
        values.extend(found.into_iter().flatten().map(|(key, site)| (key, Ok(site))));
        values
    }
}
