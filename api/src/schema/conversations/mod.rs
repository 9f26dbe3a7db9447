//! Conversations: the object, what hangs on it, and its lists.

pub mod erasure;
pub mod mutation;
pub mod subscription;
pub mod transcript;

use async_graphql::{ID, InputObject, Object, SimpleObject};
use helpbot_domain::Timestamp;
use helpbot_domain::conversation as rules;
use helpbot_domain::ids::ConversationId;
use helpbot_domain::range::Range;
use helpbot_domain::time::Day;
use helpbot_services as services;
use helpbot_services::conversations::messages;
use helpbot_services::conversations::{self, From, ListQuery};

use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::analytics::AnalyticsRange;
use crate::schema::enums::{AnswerOutcome, Author, ConversationOrder, ConversationState, Feedback, HandoffStatus};
use crate::schema::ids::id;
use crate::schema::loaders;
use crate::schema::members::Member;
use crate::schema::page::{self, PageArgs, Walk, connection};
use crate::schema::scalars::DateTime;
use crate::schema::sites::int;
use crate::schema::sources::Source;

/// A question, its answer, and what became of them.
#[derive(Clone)]
pub struct Conversation {
    pub(crate) row: services::Conversation,
    pub(crate) access: Access,
}

connection! {
    /// Conversations of a site.
    ConversationConnection,
    /// A conversation in a list.
    ConversationEdge, Conversation
}

connection! {
    /// Messages of a conversation, oldest first: the question, the answer, and what followed.
    MessageConnection,
    /// A message in a list.
    MessageEdge, Message
}

/// A question, its answer, and what became of them.
#[Object]
impl Conversation {
    /// Its id, the same in REST and webhooks.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Groups the conversations of one visitor.
    async fn session_id(&self) -> &str {
        &self.row.session_id
    }

    /// As asked.
    async fn question(&self) -> &str {
        &self.row.question
    }

    /// As answered: restricted Markdown.
    async fn answer(&self) -> &str {
        &self.row.answer
    }

    /// What the answer rests on, best first; empty when it was not answered.
    async fn citations(&self) -> Vec<Citation> {
        let citation = |row: &rules::Citation| Citation { row: row.clone(), of: self.clone() };
        self.row.citations.iter().map(citation).collect()
    }

    /// Addresses of the pages that the answer rests on, best first, no repeats; the name where a
    /// source has no address.
    async fn sources(&self) -> Vec<String> {
        conversations::public_sources(&self.row.citations)
    }

    /// What became of the question.
    async fn outcome(&self) -> AnswerOutcome {
        self.row.outcome.into()
    }

    /// Whether the visitor left without what was asked for.
    async fn is_unanswered(&self) -> bool {
        self.row.outcome.is_unanswered()
    }

    /// How sure HelpBot was that it had the answer, 0 to 1.
    async fn confidence(&self) -> f64 {
        self.row.confidence
    }

    /// The verdict of the visitor; null while there is none.
    async fn feedback(&self) -> Option<Feedback> {
        self.row.vote.map(Feedback::from)
    }

    /// What became of the request for a human; null when there was none.
    async fn handoff(&self) -> Option<Handoff> {
        let status = self.row.handoff?;
        Some(Handoff {
            status: status.into(),
            customer_email: self.row.customer_email.clone(),
            of: self.clone(),
            requested_at: self.row.handoff_at.unwrap_or(self.row.created_at).into(),
        })
    }

    /// The language of the answer, as a BCP 47 primary subtag.
    async fn language(&self) -> Option<&str> {
        self.row.language.as_deref()
    }

    /// The question, the answer, and what visitor and team wrote after them, oldest first.
    #[graphql(complexity = "page::cost(first, last, child_complexity)")]
    async fn messages(
        &self,
        #[graphql(desc = "At most so many from the start: 20 if not said, never over 100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<MessageConnection> {
        nullable(async {
            let walk = PageArgs { first, after, last, before }.walk()?;
            let stored = self.access.loaders.messages(self.row.site_id, self.row.id).await.map_err(loaders::failed)?;
            let all: Vec<_> = messages::opening(&self.row).into_iter().chain(stored).collect();
            Ok(message_page(&walk, all)?)
        })
        .await
    }

    /// Messages of the other side that the own side has not read yet: for the team those of the
    /// visitor, for a visitor those of the team. `markRead` sets it back; who writes has read what
    /// came before.
    async fn unread_count(&self) -> Nullable<i32> {
        let counted = self.access.loaders.unread(self.row.site_id, self.row.id).await;
        Some(counted.map(int).map_err(loaders::failed))
    }

    /// When it was asked.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When anything of it last changed.
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }
}

/// The part of a conversation's messages that a walk asks for. They are few (a chat has tens),
/// so the loader brings all and the page is cut here.
fn message_page(walk: &Walk, all: Vec<services::Message>) -> services::Result<MessageConnection> {
    let field = if walk.is_backward { "before" } else { "after" };
    let from: Option<i64> =
        walk.from.as_deref().map(|place| place.parse().map_err(|_| page::bad_cursor(field))).transpose()?;
    let total = all.len();
    let taken = usize::try_from(page::one_more(walk)).unwrap_or(usize::MAX);
    let part: Vec<_> = if walk.is_backward {
        all.into_iter().rev().filter(|message| from.is_none_or(|from| message.seq < from)).take(taken).collect()
    } else {
        all.into_iter().filter(|message| from.is_none_or(|from| message.seq > from)).take(taken).collect()
    };
    let (rows, has_previous, has_next) = page::trim(walk, part);
    let nodes =
        rows.into_iter().map(|row| (row.seq.to_string(), row)).map(|(place, row)| (row.into(), place)).collect();
    let total = i32::try_from(total).unwrap_or(i32::MAX);
    Ok(MessageConnection::new(nodes, has_previous, has_next, page::total(move || async move { Ok(total) })))
}

/// A passage that an answer rests on, as it stood when the answer was given.
pub struct Citation {
    row: rules::Citation,
    of: Conversation,
}

/// A passage that an answer rests on, as it stood when the answer was given.
#[Object]
impl Citation {
    /// The source that it came from; null when that has been deleted since. For the team.
    async fn source(&self) -> Nullable<Source> {
        let access = &self.of.access;
        let found = access.loaders.source(self.of.row.site_id, self.row.source_id).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(|row| Source { row, access: access.clone() }))
    }

    /// Where a visitor can read it; null for files and texts without an address.
    async fn url(&self) -> Option<&str> {
        self.row.url.as_deref()
    }

    /// The name of the page or file.
    async fn title(&self) -> &str {
        &self.row.title
    }

    /// The words that the answer rests on.
    async fn quote(&self) -> &str {
        &self.row.quote
    }

    /// How well it matched the question, 0 to 1.
    async fn score(&self) -> f64 {
        self.row.score
    }
}

/// A request for a human.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Handoff {
    /// How far it has come.
    status: HandoffStatus,
    /// Where the visitor can be written to.
    customer_email: Option<String>,
    /// When a human was first asked for.
    requested_at: DateTime,
    #[graphql(skip)]
    of: Conversation,
}

#[async_graphql::ComplexObject]
impl Handoff {
    /// The member who has taken it; null while nobody has, or when that one has left. For the
    /// team.
    async fn assignee(&self) -> Nullable<Member> {
        let member = self.of.row.assignee_id?;
        let found = self.of.access.loaders.member(self.of.row.site_id, member).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(Member::from))
    }
}

/// One message of a conversation.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Message {
    /// Its place in the conversation, from 1, without gaps.
    seq: i32,
    /// Who wrote it.
    author: Author,
    /// The name of the member who wrote it.
    agent_name: Option<String>,
    /// Its words; those of the bot are restricted Markdown.
    text: String,
    /// When it was written.
    created_at: DateTime,
    #[graphql(skip)]
    id: ID,
}

#[async_graphql::ComplexObject]
impl Message {
    /// Its id.
    pub async fn id(&self) -> ID {
        self.id.clone()
    }
}

impl std::convert::From<services::Message> for Message {
    fn from(row: services::Message) -> Self {
        Self {
            seq: int(row.seq),
            author: row.author.into(),
            agent_name: row.agent_name,
            text: row.text,
            created_at: row.created_at.into(),
            id: id(row.id),
        }
    }
}

/// Which conversations a list shows; all conditions hold together.
#[derive(Default, InputObject)]
pub struct ConversationFilter {
    /// Which kinds; all if not said.
    state: Option<ConversationState>,
    /// Of one session only.
    session_id: Option<String>,
    /// With these words in question or answer, whatever their case; cut at 200 characters.
    search: Option<String>,
    /// Asked at or after.
    since: Option<DateTime>,
    /// Asked on one of these days; the later of the two holds where `since` is said too.
    range: Option<AnalyticsRange>,
}

/// What the arguments of a list ask for.
pub(crate) fn query(
    now: Timestamp,
    filter: Option<ConversationFilter>,
    order_by: Option<ConversationOrder>,
) -> ListQuery {
    let filter = filter.unwrap_or_default();
    let first_day = filter.range.and_then(|range| Range::from(range).first_day(now.day()));
    let since = filter.since.map(|since| since.0);
    ListQuery {
        filter: filter.state.map(Into::into).unwrap_or_default(),
        session_id: filter.session_id,
        search: filter.search,
        since: since.max(first_day.map(Day::start)),
        order: order_by.map(Into::into).unwrap_or_default(),
    }
}

/// A page of the conversations of a site.
pub(crate) async fn list(
    access: &Access,
    site: &services::Site,
    query: ListQuery,
    args: &PageArgs,
    number: Option<i32>,
) -> services::Result<ConversationConnection> {
    let walk = args.walk()?;
    let from = start(&walk, number)?;
    let limit = page::one_more(&walk);
    let found = conversations::list(&access.services, &access.viewer, site, &query, from, limit).await?;
    let (rows, has_previous, has_next) = page::trim(&walk, found);
    let has_previous = has_previous || number.is_some_and(|number| number > 1);
    let node = |row: services::Conversation| {
        let place = format!("{}:{}", query.order.key(&row).as_ms(), row.id);
        (Conversation { row, access: access.clone() }, place)
    };
    let nodes = rows.into_iter().map(node).collect();
    let (access, site, query) = (access.clone(), site.clone(), query);
    let total = page::total(move || {
        let (access, site, query) = (access.clone(), site.clone(), query.clone());
        async move { conversations::total(&access.services, &access.viewer, &site, &query).await.map(int) }
    });
    Ok(ConversationConnection::new(nodes, has_previous, has_next, total))
}

fn start(walk: &Walk, number: Option<i32>) -> services::Result<From> {
    if let Some(number) = number {
        let before = i64::from(number.max(1) - 1);
        return Ok(From::Offset(before * i64::try_from(walk.limit).unwrap_or(i64::MAX)));
    }
    let Some(place) = &walk.from else {
        return Ok(if walk.is_backward { From::End } else { From::Offset(0) });
    };
    let field = if walk.is_backward { "before" } else { "after" };
    let parsed = place.split_once(':').and_then(|(ms, id)| Some((ms.parse().ok()?, id.parse().ok()?)));
    let (ms, id): (i64, ConversationId) = parsed.ok_or_else(|| page::bad_cursor(field))?;
    let moment = Timestamp::from_ms(ms);
    Ok(if walk.is_backward { From::Before(moment, id) } else { From::After(moment, id) })
}
