//! Messages that visitors and members write after a handoff. They are numbered from 3: the question
//! and the answer are messages 1 and 2, and are stored in the conversation.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ConversationId, MessageId, SiteId};
use helpbot_domain::page::PageRequest;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::among;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::load_one;
use crate::schema::{conversations as conv, messages};
use helpbot_domain::conversation::{Author, Message};

#[derive(Queryable, Selectable)]
#[diesel(table_name = messages)]
struct Row {
    site_id: String,
    conversation_id: String,
    seq: i64,
    id: String,
    author: String,
    member_id: Option<String>,
    agent_name: Option<String>,
    body: String,
    created_at_ms: i64,
}

impl TryFrom<Row> for Message {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Message {
            site_id: columns::parse(&row.site_id)?,
            conversation_id: columns::parse(&row.conversation_id)?,
            seq: row.seq,
            id: columns::parse(&row.id)?,
            author: columns::named(&row.author)?,
            member_id: columns::parse_opt(row.member_id.as_deref())?,
            agent_name: row.agent_name,
            text: row.body,
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Stores a message.
///
/// # Errors
/// `Conflict` when its number is taken.
pub async fn insert(c: &mut Conn, new: &Message) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(messages::table)
            .values((
                messages::site_id.eq(new.site_id.to_string()),
                messages::conversation_id.eq(new.conversation_id.to_string()),
                messages::seq.eq(new.seq),
                messages::id.eq(new.id.to_string()),
                messages::author.eq(new.author.as_str()),
                messages::member_id.eq(new.member_id.map(|id| id.to_string())),
                messages::agent_name.eq(&new.agent_name),
                messages::body.eq(&new.text),
                messages::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns all stored messages of several conversations, ordered by conversation and number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of(c: &mut Conn, site: SiteId, conversations: &[ConversationId]) -> Result<Vec<Message>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        messages::table
            .filter(messages::site_id.eq(&site))
            .filter(among(messages::conversation_id, conversations))
            .order((messages::conversation_id, messages::seq))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(Message::try_from).collect()
}

/// Returns one page of the stored messages of each of several conversations, ordered by conversation
/// and number. A backward page is in reverse order.
///
/// The page is a range of numbers, because the numbers of a conversation have no gaps. Messages
/// outside the page are not read.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn page(
    c: &mut Conn,
    site: SiteId,
    conversations: &[ConversationId],
    page: PageRequest<i64>,
) -> Result<Vec<Message>> {
    let (site, ids) = (site.to_string(), columns::texts(conversations));
    let rows: Vec<Row> = if page.is_backward {
        let end = page.from.unwrap_or(i64::MAX).max(0);
        // A page ends before `end`, or after the last message when the conversation is shorter.
        let is_in_page = || {
            sql::<Bool>("messages.seq >= CASE WHEN conversations.message_count < ")
                .bind::<BigInt, _>(end)
                .sql(" THEN conversations.message_count + 1 ELSE ")
                .bind::<BigInt, _>(end)
                .sql(" END - ")
                .bind::<BigInt, _>(page.limit)
        };
        on!(c, |c| {
            let of_conversation = conv::site_id.eq(messages::site_id).and(conv::id.eq(messages::conversation_id));
            conv::table
                .inner_join(messages::table.on(of_conversation))
                .filter(conv::site_id.eq(&site))
                .filter(conv::id.eq_any(&ids))
                .filter(messages::seq.lt(end))
                .filter(is_in_page())
                .order((messages::conversation_id.desc(), messages::seq.desc()))
                .select(Row::as_select())
                .load(c)
                .await
        })?
    } else {
        let after = page.from.unwrap_or(0).max(0);
        on!(c, |c| {
            messages::table
                .filter(messages::site_id.eq(&site))
                .filter(messages::conversation_id.eq_any(&ids))
                .filter(messages::seq.gt(after))
                .filter(messages::seq.le(after.saturating_add(page.limit)))
                .order((messages::conversation_id, messages::seq))
                .select(Row::as_select())
                .load(c)
                .await
        })?
    };
    rows.into_iter().map(Message::try_from).collect()
}

/// Returns a stored message of a conversation. The search starts at the end of the conversation,
/// because most callers ask for a new message.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, conversation: ConversationId, id: MessageId) -> Result<Option<Message>> {
    let (site, conversation, id) = (site.to_string(), conversation.to_string(), id.to_string());
    let found = messages::table
        .filter(messages::site_id.eq(&site))
        .filter(messages::conversation_id.eq(&conversation))
        .filter(messages::id.eq(&id))
        .order(messages::seq.desc())
        .limit(1);
    load_one!(c, Message, found)
}

/// Returns the message of `author` that has exactly `newer` newer messages of the same author.
/// `None` when the author wrote fewer messages.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn nth_last_of_author(
    c: &mut Conn,
    site: SiteId,
    conversation: ConversationId,
    author: Author,
    newer: i64,
) -> Result<Option<Message>> {
    let (site, conversation) = (site.to_string(), conversation.to_string());
    let found = messages::table
        .filter(messages::site_id.eq(&site))
        .filter(messages::conversation_id.eq(&conversation))
        .filter(messages::author.eq(author.as_str()))
        .order(messages::seq.desc())
        .limit(1)
        .offset(newer);
    load_one!(c, Message, found)
}
