//! Messages that visitors and members write after a handoff. They are numbered from 3: the question
//! and the answer are messages 1 and 2, and are stored in the conversation.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ConversationId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::among;
use crate::error::{Error, Result};
use crate::schema::messages;
use helpbot_domain::conversation::Message;

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
