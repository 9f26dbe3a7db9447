//! Loaders: many resolvers ask for one thing each, the database is asked once for all.
//!
//! Made for each request (and each event of a subscription), never shared: they remember what
//! they loaded. Keys carry the site, because an operator's request may span several. Every key
//! gets a value, absent ones `None`.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use crate::error::Failure;
use ::dataloader::BatchFn;
use ::dataloader::cached::Loader;
use helpbot_domain::ids::{ConversationId, MemberId, SiteId, SourceId};
use helpbot_services::accounts::members;
use helpbot_services::conversations::{self, messages, unread};
use helpbot_services::{Conversation, Error, Member, Message, Result, Services, Source, Viewer, sources};

/// One turn of the scheduler gathers what resolvers of one level ask for; more only waits
/// (measured: ten turns triple the time of a page of 100).
const YIELDS: usize = 1;

/// A loaded value; the failure of a batch belongs to each of its keys.
pub type Loaded<T> = Result<T, Arc<Error>>;

/// A key of a batch with its value.
type Keyed<I, T> = ((SiteId, I), Loaded<T>);

/// The loaders of one request.
pub struct Loaders {
    conversations: Loader<(SiteId, ConversationId), Loaded<Option<Conversation>>, Conversations>,
    members: Loader<(SiteId, MemberId), Loaded<Option<Member>>, Members>,
    messages: Loader<(SiteId, ConversationId), Loaded<Vec<Message>>, Messages>,
    sources: Loader<(SiteId, SourceId), Loaded<Option<Source>>, Sources>,
    unread: Loader<(SiteId, ConversationId), Loaded<i64>, Unread>,
}

impl Loaders {
    /// New ones, which remember nothing.
    pub fn new(services: &Services, viewer: &Arc<Viewer>) -> Self {
        let by = || By { services: services.clone(), viewer: viewer.clone() };
        Self {
            conversations: Loader::new(Conversations(by())).with_yield_count(YIELDS),
            members: Loader::new(Members(by())).with_yield_count(YIELDS),
            messages: Loader::new(Messages(by())).with_yield_count(YIELDS),
            sources: Loader::new(Sources(by())).with_yield_count(YIELDS),
            unread: Loader::new(Unread(by())).with_yield_count(YIELDS),
        }
    }

    /// A conversation that the viewer may see.
    pub async fn conversation(&self, site: SiteId, id: ConversationId) -> Loaded<Option<Conversation>> {
        self.conversations.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// A member, while in the team.
    pub async fn member(&self, site: SiteId, id: MemberId) -> Loaded<Option<Member>> {
        self.members.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// What was written in a conversation after its answer.
    pub async fn messages(&self, site: SiteId, id: ConversationId) -> Loaded<Vec<Message>> {
        self.messages.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// A source, while it exists.
    pub async fn source(&self, site: SiteId, id: SourceId) -> Loaded<Option<Source>> {
        self.sources.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// How many messages of a conversation the viewer's side has not read yet.
    pub async fn unread(&self, site: SiteId, id: ConversationId) -> Loaded<i64> {
        self.unread.try_load((site, id)).await.unwrap_or_else(unanswered)
    }
}

struct By {
    services: Services,
    viewer: Arc<Viewer>,
}

struct Conversations(By);

impl BatchFn<(SiteId, ConversationId), Loaded<Option<Conversation>>> for Conversations {
    async fn load(
        &mut self,
        keys: &[(SiteId, ConversationId)],
    ) -> HashMap<(SiteId, ConversationId), Loaded<Option<Conversation>>> {
        let mut values = HashMap::new();
        for (site, ids) in by_site(keys) {
            let found = conversations::by_ids(&self.0.services, &self.0.viewer, Some(site), &ids).await;
            values.extend(one_each(site, &ids, found, |conversation| conversation.id));
        }
        values
    }
}

struct Messages(By);

impl BatchFn<(SiteId, ConversationId), Loaded<Vec<Message>>> for Messages {
    async fn load(
        &mut self,
        keys: &[(SiteId, ConversationId)],
    ) -> HashMap<(SiteId, ConversationId), Loaded<Vec<Message>>> {
        let mut values = HashMap::new();
        for (site, ids) in by_site(keys) {
            match messages::of(&self.0.services, &self.0.viewer, Some(site), &ids).await {
                Ok(found) => {
                    values.extend(ids.iter().map(|id| ((site, *id), Ok(Vec::new()))));
                    for message in found {
                        if let Some(Ok(list)) = values.get_mut(&(site, message.conversation_id)) {
                            list.push(message);
                        }
                    }
                }
                Err(error) => values.extend(each_failed(site, &ids, error)),
            }
        }
        values
    }
}

struct Members(By);

impl BatchFn<(SiteId, MemberId), Loaded<Option<Member>>> for Members {
    async fn load(&mut self, keys: &[(SiteId, MemberId)]) -> HashMap<(SiteId, MemberId), Loaded<Option<Member>>> {
        let mut values = HashMap::new();
        for (site, ids) in by_site(keys) {
            let found = members::by_ids(&self.0.services, &self.0.viewer, Some(site), &ids).await;
            values.extend(one_each(site, &ids, found, |member| member.id));
        }
        values
    }
}

struct Unread(By);

impl BatchFn<(SiteId, ConversationId), Loaded<i64>> for Unread {
    async fn load(&mut self, keys: &[(SiteId, ConversationId)]) -> HashMap<(SiteId, ConversationId), Loaded<i64>> {
        let mut values = HashMap::new();
        for (site, ids) in by_site(keys) {
            match unread::unread(&self.0.services, &self.0.viewer, Some(site), &ids).await {
                Ok(counts) => {
                    values.extend(ids.iter().map(|id| ((site, *id), Ok(counts.get(id).copied().unwrap_or(0)))));
                }
                Err(error) => values.extend(each_failed(site, &ids, error)),
            }
        }
        values
    }
}

struct Sources(By);

impl BatchFn<(SiteId, SourceId), Loaded<Option<Source>>> for Sources {
    async fn load(&mut self, keys: &[(SiteId, SourceId)]) -> HashMap<(SiteId, SourceId), Loaded<Option<Source>>> {
        let mut values = HashMap::new();
        for (site, ids) in by_site(keys) {
            let found = sources::by_ids(&self.0.services, &self.0.viewer, Some(site), &ids).await;
            values.extend(one_each(site, &ids, found, |source| source.id));
        }
        values
    }
}

fn by_site<I: Copy>(keys: &[(SiteId, I)]) -> HashMap<SiteId, Vec<I>> {
    let mut sites: HashMap<SiteId, Vec<I>> = HashMap::new();
    for (site, id) in keys {
        sites.entry(*site).or_default().push(*id);
    }
    sites
}

fn one_each<I: Copy + Eq + Hash, T>(
    site: SiteId,
    ids: &[I],
    found: Result<Vec<T>>,
    id_of: impl Fn(&T) -> I,
) -> Vec<Keyed<I, Option<T>>> {
    match found {
        Ok(found) => {
            let mut found: HashMap<I, T> = found.into_iter().map(|value| (id_of(&value), value)).collect();
            ids.iter().map(|id| ((site, *id), Ok(found.remove(id)))).collect()
        }
        Err(error) => each_failed(site, ids, error).collect(),
    }
}

fn each_failed<I: Copy, T>(site: SiteId, ids: &[I], error: Error) -> impl Iterator<Item = Keyed<I, T>> {
    let error = Arc::new(error);
    ids.iter().map(move |id| ((site, *id), Err(error.clone())))
}

/// The error of a field whose load failed. The cause of a shared failure is logged here: each
/// field that asked for it carries a copy of what callers are told.
pub fn failed(error: Arc<Error>) -> async_graphql::Error {
    if let Error::Internal(_) | Error::Unavailable { .. } = &*error {
        tracing::error!(error = ?error, "a load failed");
    }
    let server_error = Failure::from(&*error).into_server_error();
    async_graphql::Error { extensions: server_error.extensions, ..async_graphql::Error::new(server_error.message) }
}

/// A loader answers every key; it would be a fault of ours if it did not.
fn unanswered<T>(error: std::io::Error) -> Loaded<T> {
    Err(Arc::new(Error::internal(error)))
}
