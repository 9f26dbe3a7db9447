//! Loaders: they collect the objects that many resolvers need and read them with one query.
//!
//! Each request and each event of a subscription has its own loaders. They must not be shared,
//! because they cache what they loaded. Keys include the site, since a request of the operator may
//! span several sites. Every key gets a value; the value of a missing object is `None`.

mod handoffs;
mod message_pages;
mod owning_sites;
mod visits;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use crate::error::ApiError;
use ::dataloader::BatchFn;
use ::dataloader::cached::Loader;
use helpbot_domain::Timestamp;
use helpbot_domain::answer_rule::AnswerRule;
use helpbot_domain::blocked_visitor::BlockedVisitor;
use helpbot_domain::change_preview::ChangePreview;
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::contact::Contact;
use helpbot_domain::conversation::{Conversation, Message};
use helpbot_domain::evaluation::Case;
use helpbot_domain::global_id::GlobalId;
use helpbot_domain::handoff::HandoffRecord;
use helpbot_domain::ids::{
    BlockId, CannedReplyId, CaseId, ChunkId, ContactId, ConversationId, DocumentId, KeyId, MemberId, NoteId, PreviewId,
    RuleId, SessionId, SiteId, SourceId, WebhookId,
};
use helpbot_domain::key::Key;
use helpbot_domain::member::Member;
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::{Document, Source};
use helpbot_domain::triage::{CannedReply, Note};
use helpbot_domain::visit::VisitorSession;
use helpbot_domain::webhook::{Delivery, Webhook};
use helpbot_services::accounts::{blocked_visitors, keys, members};
use helpbot_services::conversations::{
    self, canned_replies, contacts, notes, sightings, triage, unread, visits as sessions,
};
use helpbot_services::knowledge::{answer_rules, entries, evaluation, previews};
use helpbot_services::sources::PageExtraction;
use helpbot_services::webhooks::{self, deliveries};
use helpbot_services::{Error, Result, Services, Viewer, sources};
use uuid::Uuid;

use message_pages::Messages;
use owning_sites::SitesOf;

/// How often a loader yields before it queries. After one yield, all resolvers of a level have
/// registered their keys; more only add delay (measured: ten triple the time of a page of 100).
const YIELDS: usize = 1;

/// A loaded value. When a batch fails, each of its keys gets the same error.
pub type Loaded<T> = Result<T, Arc<Error>>;

/// A key of a batch with its value.
type KeyAndValue<I, T> = ((SiteId, I), Loaded<T>);

/// A page of the messages of a conversation.
type MessagePage = (ConversationId, PageRequest<i64>);

/// A loader of objects by their IDs.
type ById<I, T, F> = Loader<(SiteId, I), Loaded<Option<T>>, F>;

/// The loaders of one request.
pub struct Loaders {
    blocks: ById<BlockId, BlockedVisitor, Blocks>,
    canned_replies: ById<CannedReplyId, CannedReply, CannedReplies>,
    cases: ById<CaseId, Case, Cases>,
    chunks: ById<ChunkId, StoredChunk, Chunks>,
    contacts: ById<ContactId, Contact, Contacts>,
    conversations: ById<ConversationId, Conversation, Conversations>,
    deliveries: ById<Uuid, Delivery, Deliveries>,
    extractions: ById<DocumentId, PageExtraction, Extractions>,
    handoffs: ById<ConversationId, HandoffRecord, handoffs::LastHandoffs>,
    keys: ById<KeyId, Key, Keys>,
    members: ById<MemberId, Member, Members>,
    named_sessions: Loader<(SiteId, String), Loaded<Option<VisitorSession>>, visits::NamedSessions>,
    messages: Loader<(SiteId, MessagePage), Loaded<Vec<Message>>, Messages>,
    notes: ById<NoteId, Note, Notes>,
    pages: ById<DocumentId, Document, Pages>,
    previews: ById<PreviewId, ChangePreview, Previews>,
    rules: ById<RuleId, AnswerRule, Rules>,
    sessions: ById<SessionId, VisitorSession, Sessions>,
    sites: Loader<GlobalId, Loaded<SiteId>, SitesOf>,
    sources: ById<SourceId, Source, Sources>,
    tags: Loader<(SiteId, ConversationId), Loaded<Vec<String>>, Tags>,
    last_seen: ById<ConversationId, Timestamp, LastSeen>,
    unread: Loader<(SiteId, ConversationId), Loaded<i64>, Unread>,
    webhooks: ById<WebhookId, Webhook, Webhooks>,
}

impl Loaders {
    /// Loaders with empty caches.
    pub fn new(services: &Services, viewer: &Arc<Viewer>) -> Self {
        let reads = || Reads { services: services.clone(), viewer: viewer.clone() };
        Self {
            blocks: Loader::new(Blocks(reads())).with_yield_count(YIELDS),
            canned_replies: Loader::new(CannedReplies(reads())).with_yield_count(YIELDS),
            cases: Loader::new(Cases(reads())).with_yield_count(YIELDS),
            chunks: Loader::new(Chunks(reads())).with_yield_count(YIELDS),
            contacts: Loader::new(Contacts(reads())).with_yield_count(YIELDS),
            conversations: Loader::new(Conversations(reads())).with_yield_count(YIELDS),
            deliveries: Loader::new(Deliveries(reads())).with_yield_count(YIELDS),
            extractions: Loader::new(Extractions(reads())).with_yield_count(YIELDS),
            handoffs: Loader::new(handoffs::LastHandoffs(reads())).with_yield_count(YIELDS),
            keys: Loader::new(Keys(reads())).with_yield_count(YIELDS),
            members: Loader::new(Members(reads())).with_yield_count(YIELDS),
            named_sessions: Loader::new(visits::NamedSessions(reads())).with_yield_count(YIELDS),
            messages: Loader::new(Messages(reads())).with_yield_count(YIELDS),
            notes: Loader::new(Notes(reads())).with_yield_count(YIELDS),
            pages: Loader::new(Pages(reads())).with_yield_count(YIELDS),
            previews: Loader::new(Previews(reads())).with_yield_count(YIELDS),
            rules: Loader::new(Rules(reads())).with_yield_count(YIELDS),
            tags: Loader::new(Tags(reads())).with_yield_count(YIELDS),
            last_seen: Loader::new(LastSeen(reads())).with_yield_count(YIELDS),
            sessions: Loader::new(Sessions(reads())).with_yield_count(YIELDS),
            sites: Loader::new(SitesOf(reads())).with_yield_count(YIELDS),
            sources: Loader::new(Sources(reads())).with_yield_count(YIELDS),
            unread: Loader::new(Unread(reads())).with_yield_count(YIELDS),
            webhooks: Loader::new(Webhooks(reads())).with_yield_count(YIELDS),
        }
    }

    /// The site in which to look for an object: that of the viewer's key, and for an operator the one that contains it.
    pub async fn site_of(&self, thing: GlobalId) -> Loaded<SiteId> {
        self.sites.try_load(thing).await.unwrap_or_else(unanswered)
    }

    /// A block of a visitor, if it has not been removed.
    pub async fn block(&self, site: SiteId, id: BlockId) -> Loaded<Option<BlockedVisitor>> {
        self.blocks.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// A canned reply, if it has not been deleted.
    pub async fn canned_reply(&self, site: SiteId, id: CannedReplyId) -> Loaded<Option<CannedReply>> {
        self.canned_replies.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// A test question, if it has not been deleted.
    pub async fn case(&self, site: SiteId, id: CaseId) -> Loaded<Option<Case>> {
        self.cases.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// An entry or a passage, if it still exists.
    pub async fn chunk(&self, site: SiteId, id: ChunkId) -> Loaded<Option<StoredChunk>> {
        self.chunks.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// A contact, if it has not been erased.
    pub async fn contact(&self, site: SiteId, id: ContactId) -> Loaded<Option<Contact>> {
        self.contacts.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// A conversation, if it exists and the viewer may read it.
    pub async fn conversation(&self, site: SiteId, id: ConversationId) -> Loaded<Option<Conversation>> {
        self.conversations.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// A delivery, if it is still stored.
    pub async fn delivery(&self, site: SiteId, id: Uuid) -> Loaded<Option<Delivery>> {
        self.deliveries.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// The last extraction of a page, if it was fetched and still exists.
    pub async fn extraction(&self, site: SiteId, id: DocumentId) -> Loaded<Option<PageExtraction>> {
        self.extractions.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// The last handoff of a conversation, if the viewer may read the conversation.
    pub async fn handoff(&self, site: SiteId, id: ConversationId) -> Loaded<Option<HandoffRecord>> {
        self.handoffs.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// An API key of a site, also when it is revoked.
    pub async fn key(&self, site: SiteId, id: KeyId) -> Loaded<Option<Key>> {
        self.keys.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// A member, if it has not been removed from the site.
    pub async fn member(&self, site: SiteId, id: MemberId) -> Loaded<Option<Member>> {
        self.members.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// One page of the messages that were written in a conversation after its answer, in the order of
    /// the page.
    pub async fn messages(&self, site: SiteId, id: ConversationId, page: PageRequest<i64>) -> Loaded<Vec<Message>> {
        self.messages.try_load((site, (id, page))).await.unwrap_or_else(unanswered)
    }

    /// A note of the team, if it has not been deleted.
    pub async fn note(&self, site: SiteId, id: NoteId) -> Loaded<Option<Note>> {
        self.notes.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// A page of a source, if it still exists.
    pub async fn page(&self, site: SiteId, id: DocumentId) -> Loaded<Option<Document>> {
        self.pages.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// A change preview, if it has not been deleted.
    pub async fn preview(&self, site: SiteId, id: PreviewId) -> Loaded<Option<ChangePreview>> {
        self.previews.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// An answer rule, if it has not been deleted.
    pub async fn rule(&self, site: SiteId, id: RuleId) -> Loaded<Option<AnswerRule>> {
        self.rules.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// The tags of a conversation, in alphabetical order.
    pub async fn tags(&self, site: SiteId, id: ConversationId) -> Loaded<Vec<String>> {
        self.tags.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// Time at which the visitor of a conversation was last seen, if the viewer may read the conversation.
    pub async fn last_seen(&self, site: SiteId, id: ConversationId) -> Loaded<Option<Timestamp>> {
        self.last_seen.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// A session, if it has not been erased.
    pub async fn session(&self, site: SiteId, id: SessionId) -> Loaded<Option<VisitorSession>> {
        self.sessions.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// The session that a conversation names, if it has not been erased.
    pub async fn named_session(&self, site: SiteId, name: String) -> Loaded<Option<VisitorSession>> {
        self.named_sessions.try_load((site, name)).await.unwrap_or_else(unanswered)
    }

    /// A source, if it has not been deleted.
    pub async fn source(&self, site: SiteId, id: SourceId) -> Loaded<Option<Source>> {
        self.sources.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// Number of messages of a conversation that the viewer's side has not read yet.
    pub async fn unread(&self, site: SiteId, id: ConversationId) -> Loaded<i64> {
        self.unread.try_load((site, id)).await.unwrap_or_else(unanswered)
    }

    /// A webhook, if it has not been deleted.
    pub async fn webhook(&self, site: SiteId, id: WebhookId) -> Loaded<Option<Webhook>> {
        self.webhooks.try_load((site, id)).await.unwrap_or_else(unanswered)
    }
}

/// Whose data a loader reads, and through what.
struct Reads {
    services: Services,
    viewer: Arc<Viewer>,
}

/// Writes a loader of the objects that a use case finds by their IDs.
macro_rules! by_id {
    ($name:ident, $id:ty => $object:ty, $find:path, $id_of:expr) => {
        struct $name(Reads);

        impl BatchFn<(SiteId, $id), Loaded<Option<$object>>> for $name {
            async fn load(&mut self, keys: &[(SiteId, $id)]) -> HashMap<(SiteId, $id), Loaded<Option<$object>>> {
                let mut values = HashMap::new();
                for (site, ids) in by_site(keys) {
                    let found = $find(&self.0.services, &self.0.viewer, Some(site), &ids).await;
                    values.extend(one_each(site, &ids, found, $id_of));
                }
                values
            }
        }
    };
}

by_id!(Blocks, BlockId => BlockedVisitor, blocked_visitors::by_ids, |block| block.id);
by_id!(CannedReplies, CannedReplyId => CannedReply, canned_replies::by_ids, |reply| reply.id);
by_id!(Cases, CaseId => Case, evaluation::by_ids, |case| case.id);
by_id!(Chunks, ChunkId => StoredChunk, entries::by_ids, |stored| stored.chunk.id);
by_id!(Contacts, ContactId => Contact, contacts::by_ids, |contact| contact.id);
by_id!(Conversations, ConversationId => Conversation, conversations::by_ids, |conversation| conversation.id);
by_id!(Deliveries, Uuid => Delivery, deliveries::by_ids, |delivery| delivery.id);
by_id!(Extractions, DocumentId => PageExtraction, sources::extractions, |extraction| extraction.page);
by_id!(Keys, KeyId => Key, keys::by_ids, |key| key.id);
by_id!(Members, MemberId => Member, members::by_ids, |member| member.id);
by_id!(Notes, NoteId => Note, notes::by_ids, |note| note.id);
by_id!(Pages, DocumentId => Document, sources::pages_by_ids, |page| page.id);
by_id!(Previews, PreviewId => ChangePreview, previews::by_ids, |preview| preview.id);
by_id!(Rules, RuleId => AnswerRule, answer_rules::by_ids, |rule| rule.id);
by_id!(Sessions, SessionId => VisitorSession, sessions::by_ids, |session| session.id);
by_id!(Sources, SourceId => Source, sources::by_ids, |source| source.id);
by_id!(Webhooks, WebhookId => Webhook, webhooks::by_ids, |webhook| webhook.id);

struct Unread(Reads);

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

struct Tags(Reads);

impl BatchFn<(SiteId, ConversationId), Loaded<Vec<String>>> for Tags {
    async fn load(
        &mut self,
        keys: &[(SiteId, ConversationId)],
    ) -> HashMap<(SiteId, ConversationId), Loaded<Vec<String>>> {
        let mut values = HashMap::new();
        for (site, ids) in by_site(keys) {
            match triage::tags_of(&self.0.services, &self.0.viewer, Some(site), &ids).await {
                Ok(mut tags) => {
                    values.extend(ids.iter().map(|id| ((site, *id), Ok(tags.remove(id).unwrap_or_default()))));
                }
                Err(error) => values.extend(each_failed(site, &ids, error)),
            }
        }
        values
    }
}

struct LastSeen(Reads);

impl BatchFn<(SiteId, ConversationId), Loaded<Option<Timestamp>>> for LastSeen {
    async fn load(
        &mut self,
        keys: &[(SiteId, ConversationId)],
    ) -> HashMap<(SiteId, ConversationId), Loaded<Option<Timestamp>>> {
        let mut values = HashMap::new();
        for (site, ids) in by_site(keys) {
            match sightings::last_seen(&self.0.services, &self.0.viewer, Some(site), &ids).await {
                Ok(seen) => values.extend(ids.iter().map(|id| ((site, *id), Ok(seen.get(id).copied())))),
                Err(error) => values.extend(each_failed(site, &ids, error)),
            }
        }
        values
    }
}

fn by_site<I: Clone>(keys: &[(SiteId, I)]) -> HashMap<SiteId, Vec<I>> {
    let mut sites: HashMap<SiteId, Vec<I>> = HashMap::new();
    for (site, id) in keys {
        sites.entry(*site).or_default().push(id.clone());
    }
    sites
}

fn one_each<I: Copy + Eq + Hash, T>(
    site: SiteId,
    ids: &[I],
    found: Result<Vec<T>>,
    id_of: impl Fn(&T) -> I,
) -> Vec<KeyAndValue<I, Option<T>>> {
    match found {
        Ok(found) => {
            let mut found: HashMap<I, T> = found.into_iter().map(|value| (id_of(&value), value)).collect();
            ids.iter().map(|id| ((site, *id), Ok(found.remove(id)))).collect()
        }
        Err(error) => each_failed(site, ids, error).collect(),
    }
}

fn each_failed<I: Clone, T>(site: SiteId, ids: &[I], error: Error) -> impl Iterator<Item = KeyAndValue<I, T>> {
    let error = Arc::new(error);
    ids.iter().map(move |id| ((site, id.clone()), Err(error.clone())))
}

/// The error of a field whose load failed. The cause is logged here, because each field gets only
/// a copy of the public text.
pub fn failed(error: Arc<Error>) -> async_graphql::Error {
    if let Error::Internal(_) | Error::Unavailable { .. } = &*error {
        tracing::error!(error = error.detail(), "a loader could not read its objects");
    }
    let server_error = ApiError::from(&*error).into_server_error();
    async_graphql::Error { extensions: server_error.extensions, ..async_graphql::Error::new(server_error.message) }
}

/// A loader returns a value for every key. A missing one is a defect of the loader.
fn unanswered<T>(error: std::io::Error) -> Loaded<T> {
    Err(Arc::new(Error::internal(error)))
}
