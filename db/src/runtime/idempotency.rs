//! Requests that callers named, so that each is carried out at most once.
//!
//! A [`Turn`] is one attempt at such a request. [`in_turn`] runs the attempt's code; every
//! [`Db::write`](crate::Db::write) inside it first notes, in its own transaction, that the request
//! was carried out, and fails when another attempt holds the request meanwhile. So the note and
//! the effect stand or fall together, whatever becomes of the process in between.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{KeyId, SiteId};

use crate::connection::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{ForUpdate, locked};
use crate::error::{Error, Result};
use crate::schema::{idempotent_requests as requests, keys};

tokio::task_local! {
    /// The attempt that the present task is part of, unless it looks away from it.
    static TURN: Option<Turn>;
}

/// One attempt at a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The API key that the request came with.
    pub key_id: KeyId,
    /// What the caller named the request, in the form in which it is stored.
    pub name: String,
    /// Tells this attempt from others at the same request.
    pub holder: String,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// SHA-256 of what was asked, lower hex.
    pub request_hash: String,
    /// The attempt that holds it.
    pub holder: String,
    /// Until when nobody else may attempt it.
    pub held_until: Timestamp,
    /// Whether an attempt has written anything.
    pub is_carried_out: bool,
    /// What was answered, as the caller of [`answer`] gave it.
    pub answer: Option<Vec<u8>>,
    /// When it was first sent.
    pub created_at: Timestamp,
}

/// Runs `work` as that attempt.
pub async fn in_turn<F: Future>(turn: Turn, work: F) -> F::Output {
    TURN.scope(Some(turn), work).await
}

/// Runs `work`, which prepares or undoes and is no effect of a request, outside any attempt.
pub async fn apart<F: Future>(work: F) -> F::Output {
    TURN.scope(None, work).await
}

/// The attempt that the present task is part of.
pub(crate) fn current() -> Option<Turn> {
    TURN.try_with(Clone::clone).ok().flatten()
}

impl Turn {
    /// Notes that the request is carried out, in the transaction that does so.
    ///
    /// # Errors
    /// `Unavailable` when another attempt has taken over.
    pub(crate) async fn carry_out(&self, c: &mut Conn) -> Result<()> {
        let key_id = self.key_id.to_string();
        let count = on!(c, |c| {
            diesel::update(
                requests::table
                    .filter(requests::key_id.eq(&key_id))
                    .filter(requests::name.eq(&self.name))
                    .filter(requests::holder.eq(&self.holder)),
            )
            .set(requests::is_carried_out.eq(true))
            .execute(c)
            .await
        })?;
        if count == 1 { Ok(()) } else { Err(Error::Unavailable("another attempt at this request took over".into())) }
    }
}

/// Reserves a request that nobody has sent before; false when somebody has.
///
/// # Errors
/// Only the database's own.
pub async fn reserve(c: &mut Conn, turn: &Turn, request_hash: &str, now: Timestamp, until: Timestamp) -> Result<bool> {
    let key_id = turn.key_id.to_string();
    let count = on!(c, |c| {
        diesel::insert_into(requests::table)
            .values((
                requests::key_id.eq(&key_id),
                requests::name.eq(&turn.name),
                requests::request_hash.eq(request_hash),
                requests::holder.eq(&turn.holder),
                requests::held_until_ms.eq(until.as_ms()),
                requests::is_carried_out.eq(false),
                requests::created_at_ms.eq(now.as_ms()),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// What is known of a request, by its API key and name; locked on PostgreSQL until the transaction
/// ends, so that one attempt alone takes over what another left.
///
/// # Errors
/// Only the database's own.
pub async fn known(c: &mut Conn, key: KeyId, name: &str) -> Result<Option<Known>> {
    type Row = (String, String, i64, bool, Option<Vec<u8>>, i64);
    let key = key.to_string();
    let columns = (
        requests::request_hash,
        requests::holder,
        requests::held_until_ms,
        requests::is_carried_out,
        requests::answer,
        requests::created_at_ms,
    );
    let row: Option<Row> = on!(c, |c| {
        let found = requests::table.filter(requests::key_id.eq(&key)).filter(requests::name.eq(name));
        locked(ForUpdate, found.select(columns)).get_result(c).await.optional()
    })?;
    Ok(row.map(|(request_hash, holder, held_until, is_carried_out, answer, created_at)| Known {
        request_hash,
        holder,
        held_until: Timestamp::from_ms(held_until),
        is_carried_out,
        answer,
        created_at: Timestamp::from_ms(created_at),
    }))
}

/// Gives a request to another attempt, as if it had never been made.
///
/// # Errors
/// Only the database's own.
pub async fn take_over(c: &mut Conn, turn: &Turn, request_hash: &str, now: Timestamp, until: Timestamp) -> Result<()> {
    let key_id = turn.key_id.to_string();
    on!(c, |c| {
        diesel::update(requests::table.filter(requests::key_id.eq(&key_id)).filter(requests::name.eq(&turn.name)))
            .set((
                requests::request_hash.eq(request_hash),
                requests::holder.eq(&turn.holder),
                requests::held_until_ms.eq(until.as_ms()),
                requests::is_carried_out.eq(false),
                requests::answer.eq(None::<Vec<u8>>),
                requests::created_at_ms.eq(now.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Ends an attempt: keeps its answer if the request was carried out, and frees the request if
/// not, so that it can be sent again. Without effect when another attempt has taken over.
///
/// # Errors
/// Only the database's own.
pub async fn end(c: &mut Conn, turn: &Turn, answer: Option<&[u8]>) -> Result<()> {
    let key_id = turn.key_id.to_string();
    let kept = on!(c, |c| {
        diesel::update(
            requests::table
                .filter(requests::key_id.eq(&key_id))
                .filter(requests::name.eq(&turn.name))
                .filter(requests::holder.eq(&turn.holder))
                .filter(requests::is_carried_out.eq(true)),
        )
        .set((requests::answer.eq(answer), requests::held_until_ms.eq(0)))
        .execute(c)
        .await
    })?;
    if kept == 0 {
        on!(c, |c| {
            diesel::delete(
                requests::table
                    .filter(requests::key_id.eq(&key_id))
                    .filter(requests::name.eq(&turn.name))
                    .filter(requests::holder.eq(&turn.holder)),
            )
            .execute(c)
            .await
        })?;
    }
    Ok(())
}

/// Forgets what was first sent before `before`; how many requests that were.
///
/// # Errors
/// Only the database's own.
pub async fn delete_before(c: &mut Conn, before: Timestamp) -> Result<usize> {
    Ok(on!(c, |c| {
        diesel::delete(requests::table.filter(requests::created_at_ms.lt(before.as_ms()))).execute(c).await
    })?)
}

/// Forgets the answers to what a site's keys and the operator's asked; that they were carried out
/// stays known.
///
/// # Errors
/// Only the database's own.
pub async fn forget_answers(c: &mut Conn, site: SiteId) -> Result<usize> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        let of_site = keys::table.filter(keys::site_id.eq(&site).or(keys::site_id.is_null())).select(keys::id);
        diesel::update(requests::table.filter(requests::key_id.eq_any(of_site)).filter(requests::answer.is_not_null()))
            .set(requests::answer.eq(None::<Vec<u8>>))
            .execute(c)
            .await
    })?)
}
