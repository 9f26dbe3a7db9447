//! Rows for tests. They are complete and plausible, so that a test names only the fields that it is
//! about.

use helpbot_domain::chunk::{Chunk, ChunkKind, StoredChunk};
use helpbot_domain::conversation::{Author, Conversation, Message};
use helpbot_domain::conversation_order::ConversationOrder;
use helpbot_domain::conversation_parts::ConversationParts;
use helpbot_domain::job::Job;
use helpbot_domain::key::{Key, KeyKind, Role};
use helpbot_domain::member::Member;
use helpbot_domain::site::Site;
use helpbot_domain::source::{Document, PageOutcome, Source, SourceKind, SourceStatus};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use helpbot_db::conversations::{PageOfList, Window};
use helpbot_db::events::NewEvent;
use helpbot_db::{Db, chunks, conversations, documents, jobs, keys, members, messages, sites, sources};
use helpbot_domain::Timestamp;
use helpbot_domain::event::EventType;
use helpbot_domain::ids::{
    ChunkId, ConversationId, DocumentId, EventId, JobId, KeyId, MemberId, MessageId, SiteId, SourceId,
};
use helpbot_domain::plan::Plan;
use helpbot_domain::retention::DataRetention;
use helpbot_domain::widget::WidgetConfig;
use uuid::Uuid;

/// Time at which all rows here were created: 2026-03-01T12:00:00Z.
pub const NOW: Timestamp = Timestamp::from_ms(1_772_366_400_000);

/// Returns the time `seconds` after [`NOW`].
pub fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

/// Returns a new UUID. UUIDs rise, so IDs sort in the order in which they were created.
pub fn uuid() -> Uuid {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(0x019c_0000_0000_7000_8000_0000_0000_0000 + u128::from(COUNT.fetch_add(1, Ordering::Relaxed)))
}

pub fn site() -> Site {
    Site {
        id: SiteId::from_uuid(uuid()),
        name: "Bäckerei Müller".into(),
        owner_email: "owner@example.com".into(),
        plan: Plan::Scale,
        credit_limit: 1000,
        daily_credit_limit: None,
        address_credit_limit: None,
        retention: DataRetention::default(),
        widget: WidgetConfig::default(),
        widget_texts: Default::default(),
        answer_settings: "{}".into(),
        created_at: NOW,
        updated_at: NOW,
    }
}

pub async fn stored_site(db: &Db) -> SiteId {
    let site = site();
    let id = site.id;
    commit!(db, |c| sites::insert(c, &site));
    id
}

pub fn key(site: SiteId) -> Key {
    let id = KeyId::from_uuid(uuid());
    Key {
        id,
        site_id: Some(site),
        kind: KeyKind::Secret,
        name: "deploy".into(),
        hash: format!("hash of {id}"),
        last4: "wxyz".into(),
        scopes: Vec::new(),
        origins: Vec::new(),
        member_id: None,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        created_at: NOW,
    }
}

pub async fn stored_key(db: &Db, site: SiteId) -> Key {
    let key = key(site);
    let new = key.clone();
    commit!(db, |c| keys::insert(c, &new));
    key
}

pub fn member(site: SiteId) -> Member {
    let id = MemberId::from_uuid(uuid());
    Member {
        site_id: site,
        id,
        name: "Ann".into(),
        email: format!("{id}@example.com"),
        role: Role::Agent,
        created_at: NOW,
        invitation_expires_at: None,
    }
}

pub async fn stored_member(db: &Db, site: SiteId) -> Member {
    let member = member(site);
    let new = member.clone();
    assert!(commit!(db, |c| members::insert(c, &new)));
    member
}

pub fn source(site: SiteId, url: &str) -> Source {
    Source {
        site_id: site,
        id: SourceId::from_uuid(uuid()),
        kind: SourceKind::Url,
        url: url.into(),
        title: Some("Help".into()),
        status: SourceStatus::Pending,
        error: None,
        document_count: 0,
        chunk_count: 0,
        options: "{}".into(),
        next_scrape_at: None,
        last_scraped_at: None,
        created_at: NOW,
        updated_at: NOW,
        crawl: None,
    }
}

pub async fn stored_source(db: &Db, site: SiteId, url: &str) -> Source {
    let source = source(site, url);
    let new = source.clone();
    assert!(commit!(db, |c| sources::insert(c, &new)));
    source
}

pub fn document(source: &Source, url: &str) -> Document {
    Document {
        site_id: source.site_id,
        id: DocumentId::from_uuid(uuid()),
        source_id: source.id,
        url: url.into(),
        title: Some("Returns".into()),
        language: Some("en".into()),
        outcome: PageOutcome::Fetched,
        reason: None,
        etag: Some("\"abc\"".into()),
        last_modified: None,
        content_hash: Some("0f".into()),
        chunk_count: 0,
        misses: 0,
        fetched_at: NOW,
    }
}

pub async fn stored_document(db: &Db, source: &Source, url: &str) -> Document {
    let document = document(source, url);
    let new = document.clone();
    commit!(db, |c| documents::put(c, &new, None));
    document
}

pub fn chunk(document: &Document, position: i32) -> StoredChunk {
    StoredChunk {
        site_id: document.site_id,
        document_id: document.id,
        position,
        content_hash: "0f".into(),
        chunk: Chunk {
            id: ChunkId::from_uuid(uuid()),
            source_id: document.source_id,
            kind: ChunkKind::Faq,
            question: Some("How do I return a cake?".into()),
            heading: vec!["Help".into(), "Returns \"and\" refunds".into()],
            text: "Bring it **back** within a day.".into(),
            url: Some(document.url.clone()),
            page_title: Some("Returns".into()),
            language: Some("en".into()),
            phrasings: Vec::new(),
        },
    }
}

pub async fn stored_chunk(db: &Db, document: &Document, position: i32) -> StoredChunk {
    let chunk = chunk(document, position);
    let new = chunk.clone();
    commit!(db, |c| chunks::insert(c, &new));
    chunk
}

pub fn conversation(site: SiteId, question: &str) -> Conversation {
    Conversation {
        question: question.into(),
        answer: "Bring it back within a day.".into(),
        confidence: 0.5,
        language: Some("en".into()),
        ..Conversation::beginning(site, ConversationId::from_uuid(uuid()), "session 1".into(), NOW)
    }
}

pub async fn stored(db: &Db, conversation: Conversation) -> Conversation {
    let new = conversation.clone();
    commit!(db, |c| conversations::insert(c, &new));
    conversation
}

pub fn message(conversation: &Conversation, seq: i64) -> Message {
    Message {
        site_id: conversation.site_id,
        conversation_id: conversation.id,
        seq,
        id: MessageId::from_uuid(uuid()),
        author: Author::Visitor,
        member_id: None,
        agent_name: None,
        text: "Is anybody there?".into(),
        created_at: NOW,
    }
}

pub async fn stored_message(db: &Db, conversation: &Conversation, seq: i64) -> Message {
    let message = message(conversation, seq);
    let new = message.clone();
    commit!(db, |c| messages::insert(c, &new));
    message
}

pub fn event() -> NewEvent {
    NewEvent {
        id: EventId::from_uuid(uuid()),
        event_type: EventType::ConversationCreated,
        conversation_id: Some(ConversationId::from_uuid(uuid())),
        session_id: "session 1".into(),
        token_id: None,
        data: r#"{"question":"ü"}"#.into(),
    }
}

pub fn job(site: SiteId, kind: &str, due_at: Timestamp) -> Job {
    Job {
        id: JobId::from_uuid(uuid()),
        site_id: site,
        kind: kind.into(),
        dedupe: None,
        payload: "{}".into(),
        due_at,
        attempts: 0,
        last_error: None,
        created_at: NOW,
        done_rows: 0,
        total_rows: None,
    }
}

pub async fn stored_job(db: &Db, job: Job) -> Job {
    let new = job.clone();
    assert!(commit!(db, |c| jobs::insert(c, &new)));
    job
}

/// A page of a list with whole conversations.
pub fn whole(order: ConversationOrder, window: Window, limit: i64) -> PageOfList {
    PageOfList { order, window, limit, parts: ConversationParts::ALL }
}

/// The conversation as a list returns it that reads only `parts`.
pub fn only_parts(whole: &Conversation, parts: ConversationParts) -> Conversation {
    let mut read = Conversation {
        site_id: whole.site_id,
        id: whole.id,
        session_id: String::new(),
        answer: String::new(),
        confidence: 0.0,
        language: None,
        message_count: 0,
        created_at: Timestamp::from_ms(0),
        updated_at: Timestamp::from_ms(0),
        ..conversation(whole.site_id, "")
    };
    macro_rules! copy {
        ($part:ident: $($field:ident),+) => {
            if parts.has(ConversationParts::$part) {
                $(read.$field = whole.$field.clone();)+
            }
        };
    }
    copy!(SESSION: session_id);
    copy!(QUESTION: question);
    copy!(ANSWER: answer);
    copy!(CITATIONS: citations);
    copy!(OUTCOME: outcome);
    copy!(CONFIDENCE: confidence);
    copy!(LANGUAGE: language);
    copy!(VOTE: vote);
    copy!(HANDOFF: handoff, handoff_at, customer_email, assignee_id);
    copy!(MESSAGE_COUNT: message_count);
    copy!(CREATED: created_at);
    copy!(UPDATED: updated_at);
    copy!(TOKEN: token_id, address_key);
    copy!(PRIORITY: priority);
    read
}

/// The text of all files in `src/schema`.
pub fn schema_text() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/schema");
    let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    files.map(|file| std::fs::read_to_string(file).expect("text")).collect()
}
