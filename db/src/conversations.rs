//! Conversations: stored with their answer, changed, found by id and session.

mod lists;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::{Citation, HandoffStatus, Outcome, Vote};
use helpbot_domain::ids::{ConversationId, MemberId, SiteId};

use crate::conn::on;
use crate::fixed::Fixed;
use crate::schema::conversations as conv;
use crate::{Conn, Error, Result, columns};

pub use lists::{Filter, Order, Query, Window, count, list};

/// A question, its answer, and what became of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// Whose.
    pub site_id: SiteId,
    /// Its id.
    pub id: ConversationId,
    /// The visitor's session.
    pub session_id: String,
    /// As asked.
    pub question: String,
    /// As answered.
    pub answer: String,
    /// What the answer rests on, best first.
    pub citations: Vec<Citation>,
    /// What became of the question.
    pub outcome: Outcome,
    /// How sure the engine was, 0 to 1.
    pub confidence: f64,
    /// The language of the answer.
    pub language: Option<String>,
    /// The visitor's vote.
    pub vote: Option<Vote>,
    /// How far a handoff has come.
    pub handoff: Option<HandoffStatus>,
    /// When a human was first asked for.
    pub handoff_at: Option<Timestamp>,
    /// Where the visitor can be written to.
    pub customer_email: Option<String>,
    /// Who has taken it.
    pub assignee_id: Option<MemberId>,
    /// Messages so far; question and answer are the first two.
    pub message_count: i64,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
}

/// Messages that every conversation begins with: the question and the answer.
pub const OPENING_MESSAGES: i64 = 2;

#[derive(Queryable, Selectable)]
#[diesel(table_name = conv)]
struct Row {
    site_id: String,
    id: String,
    session_id: String,
    question: String,
    answer: String,
    citations: String,
    outcome: String,
    confidence: f64,
    language: Option<String>,
    is_helpful: Option<bool>,
    handoff_status: Option<String>,
    handoff_at_ms: Option<i64>,
    customer_email: Option<String>,
    assignee_id: Option<String>,
    message_count: i64,
    created_at_ms: i64,
    updated_at_ms: i64,
}

impl TryFrom<Row> for Conversation {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Conversation {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            session_id: row.session_id,
            question: row.question,
            answer: row.answer,
            citations: columns::json(&row.citations)?,
            outcome: columns::named(&row.outcome)?,
            confidence: row.confidence,
            language: row.language,
            vote: row.is_helpful.map(Vote::from_bool),
            handoff: row.handoff_status.as_deref().map(columns::named).transpose()?,
            handoff_at: columns::ms(row.handoff_at_ms),
            customer_email: row.customer_email,
            assignee_id: columns::parse_opt(row.assignee_id.as_deref())?,
            message_count: row.message_count,
            created_at: Timestamp::from_ms(row.created_at_ms),
            updated_at: Timestamp::from_ms(row.updated_at_ms),
        })
    }
}

/// Stores a new conversation.
///
/// # Errors
/// `Conflict` when the id is taken.
pub async fn insert(c: &mut Conn, new: &Conversation) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(conv::table)
            .values((
                conv::site_id.eq(new.site_id.to_string()),
                conv::id.eq(new.id.to_string()),
                conv::session_id.eq(&new.session_id),
                conv::question.eq(&new.question),
                conv::answer.eq(&new.answer),
                conv::search_text.eq(search_text(&new.question, &new.answer)),
                conv::citations.eq(columns::to_json(&new.citations)),
                conv::outcome.eq(new.outcome.as_str()),
                conv::is_unanswered.eq(new.outcome.is_unanswered()),
                conv::confidence.eq(new.confidence),
                conv::language.eq(&new.language),
                conv::message_count.eq(new.message_count),
                conv::created_at_ms.eq(new.created_at.as_ms()),
                conv::updated_at_ms.eq(new.updated_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Writes what may change after the answer: vote, handoff, address, assignee, message count.
/// False when the site has no such conversation.
///
/// # Errors
/// Only the database's own.
pub async fn update(c: &mut Conn, changed: &Conversation) -> Result<bool> {
    let (site, id) = (changed.site_id.to_string(), changed.id.to_string());
    let count = on!(c, |c| {
        let row = conv::table.filter(conv::site_id.eq(&site)).filter(conv::id.eq(&id));
        let update = diesel::update(row).set((
            conv::is_helpful.eq(changed.vote.map(Vote::is_helpful)),
            conv::handoff_status.eq(changed.handoff.map(HandoffStatus::as_str)),
            conv::handoff_at_ms.eq(changed.handoff_at.map(Timestamp::as_ms)),
            conv::customer_email.eq(&changed.customer_email),
            conv::assignee_id.eq(changed.assignee_id.map(|id| id.to_string())),
            conv::message_count.eq(changed.message_count),
            conv::updated_at_ms.eq(changed.updated_at.as_ms()),
        ));
        Fixed(update).execute(c).await
    })?;
    Ok(count == 1)
}

/// The site's conversations with those ids, in no order; absent ones are left out.
///
/// # Errors
/// Only the database's own.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[ConversationId]) -> Result<Vec<Conversation>> {
    let (site, ids) = (site.to_string(), columns::texts(ids));
    let rows: Vec<Row> = on!(c, |c| {
        conv::table.filter(conv::site_id.eq(&site)).filter(conv::id.eq_any(&ids)).select(Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(Conversation::try_from).collect()
}

/// One conversation of the site.
///
/// # Errors
/// Only the database's own.
pub async fn by_id(c: &mut Conn, site: SiteId, id: ConversationId) -> Result<Option<Conversation>> {
    let (site, id) = (site.to_string(), id.to_string());
    let row: Option<Row> = on!(c, |c| {
        conv::table
            .filter(conv::site_id.eq(&site))
            .filter(conv::id.eq(&id))
            .select(Row::as_select())
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(Conversation::try_from).transpose()
}

/// One conversation inside a writing transaction, locked against other writers until its end.
///
/// # Errors
/// Only the database's own.
pub async fn locked(c: &mut Conn, site: SiteId, id: ConversationId) -> Result<Option<Conversation>> {
    let (site, id) = (site.to_string(), id.to_string());
    // SQLite has one writer: inside its transaction nothing else can write.
    let row: Option<Row> = on!(
        c,
        sqlite
            | c
            | conv::table
                .filter(conv::site_id.eq(&site))
                .filter(conv::id.eq(&id))
                .select(Row::as_select())
                .get_result(c)
                .await
                .optional(),
        pg | c
            | conv::table
                .filter(conv::site_id.eq(&site))
                .filter(conv::id.eq(&id))
                .select(Row::as_select())
                .for_update()
                .get_result(c)
                .await
                .optional()
    )?;
    row.map(Conversation::try_from).transpose()
}

/// The last exchanges of a session, oldest first, at most `limit`.
///
/// # Errors
/// Only the database's own.
pub async fn last_of_session(c: &mut Conn, site: SiteId, session: &str, limit: i64) -> Result<Vec<Conversation>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        conv::table
            .filter(conv::site_id.eq(&site))
            .filter(conv::session_id.eq(session))
            .order((conv::created_at_ms.desc(), conv::id.desc()))
            .limit(limit)
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().rev().map(Conversation::try_from).collect()
}

/// Conversations of a session, at most `limit`, inside a writing transaction; locked against other
/// writers until its end.
///
/// # Errors
/// Only the database's own.
pub async fn locked_of_session(c: &mut Conn, site: SiteId, session: &str, limit: i64) -> Result<Vec<Conversation>> {
    let site = site.to_string();
    macro_rules! found {
        () => {
            conv::table
                .filter(conv::site_id.eq(&site))
                .filter(conv::session_id.eq(session))
                .order(conv::id)
                .limit(limit)
                .select(Row::as_select())
        };
    }
    // As in `locked`: SQLite has one writer.
    let rows: Vec<Row> = on!(c, sqlite | c | found!().load(c).await, pg | c | found!().for_update().load(c).await)?;
    rows.into_iter().map(Conversation::try_from).collect()
}

/// Deletes conversations with their messages, read marks and requests for transcripts; the index of
/// the search forgets them.
///
/// # Errors
/// Only the database's own.
pub async fn delete(c: &mut Conn, site: SiteId, ids: &[ConversationId]) -> Result<usize> {
    let (site, ids) = (site.to_string(), columns::texts(ids));
    Ok(on!(c, |c| {
        diesel::delete(conv::table.filter(conv::site_id.eq(&site)).filter(conv::id.eq_any(&ids))).execute(c).await
    })?)
}

/// What a search looks through: both texts in lower case, so that both databases fold alike.
fn search_text(question: &str, answer: &str) -> String {
    format!("{}\n{}", question.to_lowercase(), answer.to_lowercase())
}
