//! Conversations: the object, its messages and citations, and the list of a site's conversations.

pub mod counts;
pub mod erasure;
pub(crate) mod filter;
pub mod handoff;
pub mod mutation;
pub mod notes;
pub(crate) mod plain;
pub mod reply_drafts;
pub(crate) mod selection;
pub mod subscription;
pub mod transcript;
pub mod triage;

use async_graphql::{Description, ID, Object};
use helpbot_api_macros::{OutputObject, paged};
use helpbot_domain as domain;
use helpbot_domain::conversation as rules;
use helpbot_domain::conversation_parts::ConversationParts;
use helpbot_domain::ids::{ConversationId, MemberId, SiteId};
use helpbot_domain::page::PageRequest;
use helpbot_services as services;
use helpbot_services::conversations::{self, ListPage, ListQuery, ListStart, activity, messages};

pub(crate) use handoff::Handoff;
use notes::NoteConnection;

use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::enums::{AnswerOutcome, Author, ConversationPriority, Feedback, FeedbackReason};
use crate::schema::ids::id;
use crate::schema::loaders;
use crate::schema::members::Member;
use crate::schema::page::{self, PageArgs, PageRows, TimePosition, connection, total};
use crate::schema::plain::{Plain, PlainList};
use crate::schema::scalars::{DateTime, int};
use crate::schema::sessions::Session;
use crate::schema::sources::Source;

/// A question that a visitor asked, with its answer, the messages after it and the handoff.
#[derive(Clone, Description)]
pub struct Conversation {
    pub(crate) row: domain::conversation::Conversation,
    pub(crate) access: Access,
}

connection! {
    /// A list of conversations, which is sorted by the argument `orderBy`.
    ConversationConnection,
    /// An edge that connects the list to a conversation.
    ConversationEdge, Conversation, plain
}

connection! {
    /// A list of the messages of a conversation, oldest first. It begins with the question and the answer.
    MessageConnection,
    /// An edge that connects the list to a message.
    MessageEdge, Message, plain
}

#[paged]
#[Object(use_type_description)]
impl Conversation {
    /// Global ID of the conversation, which `node` accepts. REST and webhooks use the same ID.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// ID of the session that the conversation belongs to. All conversations of one visitor in one
    /// browser share it.
    async fn session_id(&self) -> &str {
        &self.row.session_id
    }

    /// Session that the conversation belongs to, with the page and the browser of the visitor and all questions of the
    /// visit. It is null when the session was erased meanwhile. Requires the `READ_CONVERSATIONS` scope.
    async fn session(&self) -> Nullable<Session> {
        let found = self.access.loaders.named_session(self.row.site_id, self.row.session_id.clone()).await;
        let found = found.map_err(loaders::failed).transpose();
        found.map(|found| found.map(|row| Session { row, access: self.access.clone() }))
    }

    /// Question that the visitor asked, in the visitor's words.
    async fn question(&self) -> &str {
        &self.row.question
    }

    /// Answer that the visitor received. It uses restricted Markdown: paragraphs, lists, emphasis, code
    /// and links.
    async fn answer(&self) -> &str {
        &self.row.answer
    }

    /// Passages that the answer is based on, most relevant first. The list is empty when the question was
    /// not answered.
    async fn citations(&self) -> PlainList<Citation> {
        let citation = |row: &rules::Citation| Citation {
            row: row.clone(),
            site_id: self.row.site_id,
            access: self.access.clone(),
        };
        self.row.citations.iter().map(citation).collect()
    }

    /// Addresses of the pages that the answer is based on, most relevant first and without duplicates. A
    /// source without an address is listed with its name.
    async fn sources(&self) -> Vec<String> {
        conversations::public_sources(&self.row.citations)
    }

    /// Outcome of the question, for example whether it was answered.
    async fn outcome(&self) -> AnswerOutcome {
        self.row.outcome.into()
    }

    /// Whether the question has no answer: its outcome is `SUGGESTED` or `DECLINED`.
    async fn is_unanswered(&self) -> bool {
        self.row.outcome.is_unanswered()
    }

    /// How certain HelpBot was that it found the answer, 0 to 1.
    async fn confidence(&self) -> f64 {
        self.row.confidence
    }

    /// Vote of the visitor on the answer. It is null when the visitor has not voted.
    async fn feedback(&self) -> Option<Feedback> {
        self.row.vote.map(Feedback::from)
    }

    /// Reason that the visitor gave for an unhelpful vote. It is null when the visitor gave none.
    async fn feedback_reason(&self) -> Option<FeedbackReason> {
        self.row.feedback_reason.map(FeedbackReason::from)
    }

    /// Comment that the visitor wrote about the vote. It is null when the visitor wrote none.
    async fn feedback_comment(&self) -> Option<&str> {
        self.row.feedback_comment.as_deref()
    }

    /// Handoff that the visitor requested. It is null when the visitor did not ask for a human.
    async fn handoff(&self) -> Option<Handoff> {
        let status = self.row.handoff?;
        Some(Handoff {
            status: status.into(),
            customer_email: self.row.customer_email.clone(),
            of: self.clone(),
            requested_at: self.row.handoff_at.unwrap_or(self.row.created_at).into(),
        })
    }

    /// Whether the visitor has the conversation open at the moment, on any server node. Behind a connection pooler
    /// in transaction mode, nodes do not know the visitors of other nodes. `conversationActivity` reports its changes.
    async fn is_visitor_here(&self) -> bool {
        activity::is_visitor_here(&self.access.services, self.row.site_id, self.row.id)
    }

    /// Time at which the visitor of the session was last there: asked, wrote, read messages or had a
    /// conversation open. It is the same on all server nodes and can lag 20 seconds behind while the visitor
    /// stays. It is null when it could not be read.
    async fn visitor_last_seen_at(&self) -> Nullable<DateTime> {
        let seen = self.access.loaders.last_seen(self.row.site_id, self.row.id).await;
        seen.map_err(loaders::failed).transpose().map(|seen| seen.map(DateTime::from))
    }

    /// Language of the answer as a BCP 47 primary subtag, for example `de`. It is null when the language
    /// is unknown.
    async fn language(&self) -> Option<&str> {
        self.row.language.as_deref()
    }

    /// Messages of the conversation, oldest first: the question, the answer, and what the visitor and the
    /// team wrote after them.
    async fn messages(&self, args: PageArgs) -> Nullable<MessageConnection> {
        nullable(async {
            let part = args.request()?;
            let stored = match self.row.message_count > rules::OPENING_MESSAGES {
                true => {
                    let (site, id) = (self.row.site_id, self.row.id);
                    self.access.loaders.messages(site, id, part).await.map_err(loaders::failed)?
                }
                false => Vec::new(),
            };
            let (page, count) = (message_page(&part, &self.row, stored, Some(&self.access)), self.row.message_count);
            let total = total(async move { Ok(count) });
            Ok(MessageConnection::with_positions(page, total, Box::new(|_, node| node.position())))
        })
        .await
    }

    /// Priority that the team gave to the conversation. Requires the `READ_CONVERSATIONS` scope.
    async fn priority(&self) -> Nullable<ConversationPriority> {
        nullable(async {
            self.access.viewer.require(domain::key::Scope::ReadConversations)?;
            Ok(self.row.priority.into())
        })
        .await
    }

    /// Tags that the team gave to the conversation, in alphabetical order. Requires the `READ_CONVERSATIONS`
    /// scope.
    async fn tags(&self) -> Nullable<Vec<String>> {
        Some(self.access.loaders.tags(self.row.site_id, self.row.id).await.map_err(loaders::failed))
    }

    /// Notes that members wrote about the conversation, oldest first. Visitors never see them. Requires the
    /// `READ_CONVERSATIONS` scope.
    async fn notes(&self, args: PageArgs) -> Nullable<NoteConnection> {
        nullable(notes::list(&self.access, &self.row, &args)).await
    }

    /// Number of messages that were not read yet. A visitor sees the unread messages of the team, and the
    /// team sees those of the visitor. `markRead` resets it; writing a message marks the earlier messages
    /// as read.
    async fn unread_count(&self) -> Nullable<i32> {
        let counted = self.access.loaders.unread(self.row.site_id, self.row.id).await;
        Some(counted.map(int).map_err(loaders::failed))
    }

    /// Time at which the question was asked.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// Time at which the conversation last changed.
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }
}

/// A page of a conversation's messages: `stored` is the page of the stored ones, to which the question
/// and the answer are added where the page includes them. Without `access`, `Message.member` cannot be read.
pub(crate) fn message_page(
    part: &PageRequest<i64>,
    row: &rules::Conversation,
    stored: Vec<rules::Message>,
    access: Option<&Access>,
) -> PageRows<Message> {
    let opening = messages::opening(row);
    let taken = usize::try_from(part.limit).unwrap_or(usize::MAX);
    let rows: Vec<_> = if part.is_backward {
        let before = opening.into_iter().rev().filter(|message| part.from.is_none_or(|from| message.seq < from));
        stored.into_iter().chain(before).take(taken).collect()
    } else {
        let after = opening.into_iter().filter(|message| part.from.is_none_or(|from| message.seq > from));
        after.chain(stored).take(taken).collect()
    };
    PageRows::of(part, rows).map(|message| Message::new(message, access))
}

/// A passage that an answer is based on, as it was when the question was answered.
#[derive(Description)]
pub struct Citation {
    row: rules::Citation,
    site_id: SiteId,
    access: Access,
}

#[Object(use_type_description)]
impl Citation {
    /// Source that contains the passage. It is null when the source was deleted. Requires the
    /// `READ_SOURCES` or the `READ_CONVERSATIONS` scope.
    async fn source(&self) -> Nullable<Plain<Source>> {
        let found = self.access.loaders.source(self.site_id, self.row.source_id).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(|row| Plain(Source { row, access: self.access.clone() })))
    }

    /// Address at which a visitor can read the passage. It is null for files and texts without an address.
    async fn url(&self) -> Option<&str> {
        self.row.url.as_deref()
    }

    /// Title of the page, file or text that contains the passage.
    async fn title(&self) -> &str {
        &self.row.title
    }

    /// Sentence of the passage that supports the answer, as plain text. It has at most 300 characters and
    /// ends with an ellipsis when it is longer.
    async fn quote(&self) -> &str {
        &self.row.quote
    }

    /// Address that opens the page at the quote, with a text fragment (`#:~:text=`). A browser that does not
    /// find the quote opens the page at the anchor of `url`. It is null for content that is not on a web page,
    /// for text that cannot be named in an address, and for answers that were given before HelpBot stored it. Use `url` then.
    async fn text_fragment(&self) -> Option<&str> {
        self.row.text_fragment.as_deref()
    }

    /// How well the passage matches the question, 0 to 1.
    async fn score(&self) -> f64 {
        self.row.score
    }
}

/// One message that belongs to a conversation.
#[derive(Clone, OutputObject)]
#[graphql(complex)]
pub struct Message {
    /// Sequence number of the message within its conversation. Numbers start at 1 and have no gaps.
    seq: i32,
    /// Author who wrote the message: the visitor, HelpBot or the team.
    author: Author,
    /// Name of the member who wrote the message. It is null for messages of the visitor, of HelpBot and of
    /// API keys that do not belong to a member.
    agent_name: Option<String>,
    /// Text of the message. Messages of HelpBot use restricted Markdown, all others are plain text.
    text: String,
    /// Time at which the message was written.
    created_at: DateTime,
    #[graphql(skip)]
    id: ID,
    /// The member who wrote the message, with the access to read it.
    #[graphql(skip)]
    writer: Option<(SiteId, MemberId, Access)>,
}

#[async_graphql::ComplexObject]
impl Message {
    /// ID that identifies the message within its site.
    pub async fn id(&self) -> ID {
        self.id.clone()
    }

    /// Member who wrote the message. It is null for messages of the visitor, of HelpBot and of API keys that do not
    /// belong to a member, and when the member was removed. Requires the `READ_CONVERSATIONS` scope.
    async fn member(&self) -> Nullable<Member> {
        let (site, member, access) = self.writer.as_ref()?;
        let found = access.loaders.member(*site, *member).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(Member::from))
    }
}

impl Message {
    /// The message as the viewer of `access` sees it. Without `access`, `member` cannot be read.
    pub(crate) fn new(row: rules::Message, access: Option<&Access>) -> Self {
        Self {
            writer: row.member_id.zip(access).map(|(member, access)| (row.site_id, member, access.clone())),
            seq: int(row.seq),
            author: row.author.into(),
            agent_name: row.agent_name,
            text: row.text,
            created_at: row.created_at.into(),
            id: id(row.id),
        }
    }

    /// The position of the message in its list, as its cursor encodes it.
    pub(crate) fn position(&self) -> String {
        self.seq.to_string()
    }
}

/// The position of a conversation in a list.
pub(crate) type Position = TimePosition<ConversationId>;

/// A page of the conversations of a site.
pub(crate) async fn list(
    access: &Access,
    site: &domain::site::Site,
    query: ListQuery,
    args: &PageArgs,
    number: Option<i32>,
    parts: ConversationParts,
) -> services::Result<ConversationConnection> {
    let order = query.order;
    let (counted, of, listed) = (access.clone(), site.clone(), query.clone());
    let count = async move { conversations::total(&counted.services, &counted.viewer, &of, &listed).await };
    let rows = |part: PageRequest<Position>| {
        let from = start(&part, number);
        let page = ListPage { from, limit: part.limit, parts };
        conversations::list(&access.services, &access.viewer, site, &query, page)
    };
    let (mut page, total) = page::read(args, rows, count).await?;
    page.has_previous |= number.is_some_and(|number| number > 1);
    let page = page.map(|row| Conversation { row, access: access.clone() });
    let position = move |_, node: &Conversation| position(order, &node.row);
    Ok(ConversationConnection::with_positions(page, total, Box::new(position)))
}

/// The position of a conversation in a list with this order, as its cursor encodes it.
pub(crate) fn position(order: domain::conversation_order::ConversationOrder, row: &rules::Conversation) -> String {
    TimePosition(order.key(row), row.id).to_string()
}

/// Where the page begins: at the numbered page, at the cursor, or at one end of the list.
pub(crate) fn start(part: &PageRequest<Position>, number: Option<i32>) -> ListStart {
    match (number, part.from, part.is_backward) {
        (Some(number), ..) => ListStart::Offset(i64::from(number.max(1) - 1) * (part.limit - 1)),
        (None, Some(TimePosition(moment, id)), true) => ListStart::Before(moment, id),
        (None, Some(TimePosition(moment, id)), false) => ListStart::After(moment, id),
        (None, None, true) => ListStart::End,
        (None, None, false) => ListStart::Offset(0),
    }
}
