//! The loader of the last handoffs of conversations.

use std::collections::HashMap;

use ::dataloader::BatchFn;
use helpbot_domain::handoff::HandoffRecord;
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_services::conversations::handoff_records;

use super::{Loaded, Reads, by_site, each_failed};

pub(super) struct LastHandoffs(pub(super) Reads);

impl BatchFn<(SiteId, ConversationId), Loaded<Option<HandoffRecord>>> for LastHandoffs {
    async fn load(
        &mut self,
        keys: &[(SiteId, ConversationId)],
    ) -> HashMap<(SiteId, ConversationId), Loaded<Option<HandoffRecord>>> {
        let mut values = HashMap::new();
        for (site, ids) in by_site(keys) {
            match handoff_records::last_of(&self.0.services, &self.0.viewer, Some(site), &ids).await {
                Ok(mut found) => values.extend(ids.iter().map(|id| ((site, *id), Ok(found.remove(id))))),
                Err(error) => values.extend(each_failed(site, &ids, error)),
            }
        }
        values
    }
}
