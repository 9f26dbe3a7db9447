//! The loader of the sessions that conversations name.

use std::collections::HashMap;

use ::dataloader::BatchFn;
use helpbot_domain::ids::SiteId;
use helpbot_domain::visit::VisitorSession;
use helpbot_services::conversations::visits;

use super::{Loaded, Reads, by_site, each_failed};

pub(super) struct NamedSessions(pub(super) Reads);

impl BatchFn<(SiteId, String), Loaded<Option<VisitorSession>>> for NamedSessions {
    async fn load(&mut self, keys: &[(SiteId, String)]) -> HashMap<(SiteId, String), Loaded<Option<VisitorSession>>> {
        let mut values = HashMap::new();
        for (site, names) in by_site(keys) {
            match visits::by_session_ids(&self.0.services, &self.0.viewer, Some(site), &names).await {
                Ok(found) => {
                    values.extend(names.into_iter().map(|name| ((site, name), Ok(None))));
                    values.extend(found.into_iter().map(|row| ((site, row.session_id.clone()), Ok(Some(row)))));
                }
                Err(error) => values.extend(each_failed(site, &names, error)),
            }
        }
        values
    }
}
