//! The loader of pages of the messages of conversations.

use std::collections::HashMap;

use ::dataloader::BatchFn;
use helpbot_domain::conversation::Message;
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::page::PageRequest;
use helpbot_services::conversations::messages;

use super::{Loaded, MessagePage, Reads, each_failed};

pub(super) struct Messages(pub(super) Reads);

impl BatchFn<(SiteId, MessagePage), Loaded<Vec<Message>>> for Messages {
    /// Reads the pages with one query for each different page request, since most requests ask for the
    /// same page of all conversations.
    async fn load(&mut self, keys: &[(SiteId, MessagePage)]) -> HashMap<(SiteId, MessagePage), Loaded<Vec<Message>>> {
        let mut pages: HashMap<(SiteId, PageRequest<i64>), Vec<ConversationId>> = HashMap::new();
        for (site, (id, page)) in keys {
            pages.entry((*site, *page)).or_default().push(*id);
        }
        let mut values = HashMap::new();
        for ((site, page), ids) in pages {
            match messages::page(&self.0.services, &self.0.viewer, Some(site), &ids, page).await {
                Ok(found) => {
                    values.extend(ids.iter().map(|id| ((site, (*id, page)), Ok(Vec::new()))));
                    for message in found {
                        if let Some(Ok(list)) = values.get_mut(&(site, (message.conversation_id, page))) {
                            list.push(message);
                        }
                    }
                }
                Err(error) => {
                    let keys: Vec<_> = ids.iter().map(|id| (*id, page)).collect();
                    values.extend(each_failed(site, &keys, error));
                }
            }
        }
        values
    }
}
