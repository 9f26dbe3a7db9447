//! Conversations: questions with their answers, and everything that belongs to them.
//!
//! This file inserts, updates and finds conversations by ID and session. [`lists`] filters, orders
//! and counts them, with the help of the search index in [`search`] on SQLite.

pub mod breakdowns;
pub mod canned_replies;
pub mod contacts;
pub mod conversation_mails;
pub mod conversation_notes;
pub mod conversation_tags;
pub mod handoff_notices;
pub mod handoffs;
mod lists;
pub mod messages;
mod partial_row;
pub mod read_marks;
pub mod reply_times;
mod row;
pub mod search;
pub mod sessions;
pub mod stats;
pub mod transcript_codes;
pub mod transcripts;
pub mod visitor_sessions;
pub mod visits;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text};
use helpbot_domain::conversation::{HandoffStatus, Vote};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::limit::MailRequester;
use helpbot_domain::satisfaction::FeedbackReason;
use helpbot_domain::{Timestamp, text};
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{ForUpdate, among, insert_columns, locked};
use crate::connection::prepared::Fixed;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::conversations;
use crate::schema::conversations as conv;
use helpbot_domain::conversation::Conversation;

use row::Row;

/// A requester from the columns for session, mailbox and address key.
fn requester((session_id, mailbox, address_key): (Option<String>, Option<String>, Option<String>)) -> MailRequester {
    MailRequester { session_id, mailbox, address_key }
}

pub use lists::{ConversationGroup, PageOfList, Window, count, groups, list, nth_newest};

/// Stores a new conversation.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, new: &Conversation) -> Result<()> {
    insert_all(c, std::slice::from_ref(new)).await
}

/// Stores new conversations.
///
/// # Errors
/// `Conflict` when an ID is taken. Some conversations may be stored then, so roll back the transaction.
pub async fn insert_all(c: &mut Conn, new: &[Conversation]) -> Result<()> {
    insert_columns!(c, conversations, new, |new| {
        site_id: Text = new.site_id.to_string(),
        id: Text = new.id.to_string(),
        session_id: Text = &new.session_id,
        question: Text = &new.question,
        answer: Text = &new.answer,
        search_text: Text = search_text(&new.question, &new.answer),
        citations: Text = columns::to_json(&new.citations),
        outcome: Text = new.outcome.as_str(),
        is_unanswered: Bool = new.outcome.is_unanswered(),
        confidence: Double = new.confidence,
        language: Nullable<Text> = &new.language,
        message_count: BigInt = new.message_count,
        created_at_ms: BigInt = new.created_at.as_ms(),
        updated_at_ms: BigInt = new.updated_at.as_ms(),
        token_id: Nullable<Text> = new.token_id.map(|id| id.to_string()),
        address_key: Nullable<Text> = &new.address_key,
        source_id: Nullable<Text> = source(new),
    });
    Ok(())
}

/// Updates everything that can change after the answer: vote with reason and comment, handoff, e-mail address, assignee, priority,
/// message count. Returns false when the site has no such conversation.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn update(c: &mut Conn, changed: &Conversation) -> Result<bool> {
    let (site, id) = (changed.site_id.to_string(), changed.id.to_string());
    let count = on!(c, |c| {
        let row = conv::table.filter(conv::site_id.eq(&site)).filter(conv::id.eq(&id));
        let update = diesel::update(row).set((
            conv::is_helpful.eq(changed.vote.map(Vote::is_helpful)),
            conv::feedback_reason.eq(changed.feedback_reason.map(FeedbackReason::as_str)),
            conv::feedback_comment.eq(&changed.feedback_comment),
            conv::handoff_status.eq(changed.handoff.map(HandoffStatus::as_str)),
            conv::handoff_at_ms.eq(changed.handoff_at.map(Timestamp::as_ms)),
            conv::customer_email.eq(&changed.customer_email),
            conv::assignee_id.eq(changed.assignee_id.map(|id| id.to_string())),
            conv::priority.eq(changed.priority.as_str()),
            conv::message_count.eq(changed.message_count),
            conv::updated_at_ms.eq(changed.updated_at.as_ms()),
        ));
        Fixed(update).execute(c).await
    })?;
    Ok(count == 1)
}

/// Returns the site's conversations with these IDs, in no particular order. Missing ones are left
/// out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[ConversationId]) -> Result<Vec<Conversation>> {
    let (site, ids) = (site.to_string(), columns::texts(ids));
    let rows: Vec<Row> = on!(c, |c| {
        conv::table.filter(conv::site_id.eq(&site)).filter(conv::id.eq_any(&ids)).select(Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(Conversation::try_from).collect()
}

/// Returns a conversation of the site.
///
/// # Errors
/// Returns an error when the query fails.
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

/// Returns a conversation of the site, locked against other writers until the transaction ends.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id_locked(c: &mut Conn, site: SiteId, id: ConversationId) -> Result<Option<Conversation>> {
    let (site, id) = (site.to_string(), id.to_string());
    let row: Option<Row> = on!(c, |c| {
        let found = conv::table.filter(conv::site_id.eq(&site)).filter(conv::id.eq(&id));
        locked(ForUpdate, found.select(Row::as_select())).get_result(c).await.optional()
    })?;
    row.map(Conversation::try_from).transpose()
}

/// Loads the newest `$limit` of `$rows`, oldest first.
macro_rules! load_last {
    ($c:ident, $rows:expr, $limit:expr) => {{
        let newest_first = (conv::created_at_ms.desc(), conv::id.desc());
        let rows: Vec<Row> =
            on!($c, |c| $rows.order(newest_first).limit($limit).select(Row::as_select()).load(c).await)?;
        rows.into_iter().rev().map(Conversation::try_from).collect()
    }};
}

/// Returns the last `limit` conversations of a session, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn last_of_session(c: &mut Conn, site: SiteId, session: &str, limit: i64) -> Result<Vec<Conversation>> {
    let site = site.to_string();
    let found = conv::table.filter(conv::site_id.eq(&site)).filter(conv::session_id.eq(session));
    load_last!(c, found, limit)
}

/// Returns the last `limit` conversations of a session whose questions were proved by the token with
/// the ID `token`, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn last_proved(
    c: &mut Conn,
    site: SiteId,
    session: &str,
    token: Uuid,
    limit: i64,
) -> Result<Vec<Conversation>> {
    let (site, token) = (site.to_string(), token.to_string());
    let found = conv::table
        .filter(conv::site_id.eq(&site))
        .filter(conv::session_id.eq(session))
        .filter(conv::token_id.eq(&token));
    load_last!(c, found, limit)
}

/// Returns whether the site has a conversation of the session.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn has_session(c: &mut Conn, site: SiteId, session: &str) -> Result<bool> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        let found = conv::table.filter(conv::site_id.eq(&site)).filter(conv::session_id.eq(session));
        diesel::select(diesel::dsl::exists(found)).get_result(c).await
    })?)
}

/// Returns those of the sessions of which the site has a conversation.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn sessions_in_use(c: &mut Conn, site: SiteId, sessions: &[&str]) -> Result<Vec<String>> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        conv::table
            .filter(conv::site_id.eq(&site))
            .filter(among(conv::session_id, sessions))
            .select(conv::session_id)
            .distinct()
            .load(c)
            .await
    })?)
}

/// Returns up to `limit` conversations of these sessions, locked against other writers until the
/// transaction ends.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of_sessions_locked(
    c: &mut Conn,
    site: SiteId,
    sessions: &[String],
    limit: i64,
) -> Result<Vec<Conversation>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        let found = conv::table
            .filter(conv::site_id.eq(&site))
            .filter(conv::session_id.eq_any(sessions))
            .order(conv::id)
            .limit(limit)
            .select(Row::as_select());
        locked(ForUpdate, found).load(c).await
    })?;
    rows.into_iter().map(Conversation::try_from).collect()
}

/// Returns up to `limit` conversations that have not changed since `before`, longest unchanged first, locked against other
/// writers until the transaction ends.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn unchanged_locked(c: &mut Conn, site: SiteId, before: Timestamp, limit: i64) -> Result<Vec<Conversation>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        let found = conv::table
            .filter(conv::site_id.eq(&site))
            .filter(conv::updated_at_ms.lt(before.as_ms()))
            .order((conv::updated_at_ms, conv::id))
            .limit(limit)
            .select(Row::as_select());
        locked(ForUpdate, found).load(c).await
    })?;
    rows.into_iter().map(Conversation::try_from).collect()
}

/// Deletes conversations with their messages, handoffs, read marks, transcript requests and search index
/// entries.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, ids: &[ConversationId]) -> Result<usize> {
    let (site, ids) = (site.to_string(), columns::texts(ids));
    Ok(on!(c, |c| {
        diesel::delete(conv::table.filter(conv::site_id.eq(&site)).filter(conv::id.eq_any(&ids))).execute(c).await
    })?)
}

/// Returns the source of the first citation, by which statistics group. The sources of imported answers are not known.
fn source(new: &Conversation) -> Option<String> {
    let first = <[_]>::first(&new.citations).map(|citation| citation.source_id);
    first.filter(|source| !source.uuid().is_nil()).map(|source| source.to_string())
}

/// Returns the text that is searched. It is in lower case, because the two databases fold case
/// differently.
fn search_text(question: &str, answer: &str) -> String {
    format!("{}\n{}", text::folded(question), text::folded(answer))
}
