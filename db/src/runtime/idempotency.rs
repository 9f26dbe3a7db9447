//! Idempotent requests: requests that carry a name from their caller and are executed at most once.
//!
//! A [`RequestAttempt`] is one attempt at such a request. [`in_attempt`] runs the code of the attempt; every
//! [`Db::write`](crate::Db::write) inside it first records, in its own transaction, that the
//! request was executed, and fails when another attempt holds the request. The record and the
//! effect are therefore committed together, even if the process crashes.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{KeyId, SiteId};

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{ForUpdate, locked};
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::delete_oldest;
use crate::schema::{idempotent_requests as requests, keys};

/// Requests that come after another one in the order of their keys and names.
macro_rules! after {
    ($table:ident, $name:expr) => {{
        let (key_id, name) = $name;
        $table::key_id.gt(key_id).or($table::key_id.eq(key_id).and($table::name.gt(name)))
    }};
}

tokio::task_local! {
    /// The attempt that the current task is part of.
    static ATTEMPT: Option<RequestAttempt>;
}

/// One attempt at an idempotent request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestAttempt {
    /// API key that sent the request.
    pub key_id: KeyId,
    /// Name that the caller gave the request, in its stored form.
    pub name: String,
    /// Distinguishes this attempt from others at the same request.
    pub holder: String,
}

/// The stored state of an idempotent request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// SHA-256 of the request, in lower-case hex.
    pub request_hash: String,
    /// The attempt that holds the request.
    pub holder: String,
    /// Time until which no other attempt may start.
    pub held_until: Timestamp,
    /// Whether an attempt has written anything.
    pub is_carried_out: bool,
    /// The stored response. `None` until the attempt has ended, or when the response was forgotten.
    pub answer: Option<Vec<u8>>,
    /// Time at which the request was first sent.
    pub created_at: Timestamp,
}

/// Runs `work` as part of an attempt.
pub async fn in_attempt<F: Future>(attempt: RequestAttempt, work: F) -> F::Output {
    ATTEMPT.scope(Some(attempt), work).await
}

/// Runs `work` outside of any attempt. For work that prepares or undoes something and is not an
/// effect of the request.
pub async fn apart<F: Future>(work: F) -> F::Output {
    ATTEMPT.scope(None, work).await
}

/// Returns the attempt that the current task is part of.
pub(crate) fn current() -> Option<RequestAttempt> {
    ATTEMPT.try_with(Clone::clone).ok().flatten()
}

impl RequestAttempt {
    /// Records that the request is being executed, inside the transaction that does so.
    ///
    /// # Errors
    /// `Unavailable` when another attempt has taken over the request.
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
        if count == 1 {
            Ok(())
        } else {
            Err(Error::Unavailable("another attempt at this request has taken over".into()))
        }
    }
}

/// Reserves a request that has not been sent before. Returns false when it has.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn reserve(
    c: &mut Conn,
    attempt: &RequestAttempt,
    request_hash: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool> {
    let key_id = attempt.key_id.to_string();
    let count = on!(c, |c| {
        diesel::insert_into(requests::table)
            .values((
                requests::key_id.eq(&key_id),
                requests::name.eq(&attempt.name),
                requests::request_hash.eq(request_hash),
                requests::holder.eq(&attempt.holder),
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

/// Returns the state of a request by its API key and name. PostgreSQL locks the row until the
/// transaction ends, so that only one attempt takes over an abandoned request.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn known(c: &mut Conn, key: KeyId, name: &str) -> Result<Option<IdempotentRequest>> {
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
    Ok(row.map(|(request_hash, holder, held_until, is_carried_out, answer, created_at)| IdempotentRequest {
        request_hash,
        holder,
        held_until: Timestamp::from_ms(held_until),
        is_carried_out,
        answer,
        created_at: Timestamp::from_ms(created_at),
    }))
}

/// Assigns a request to another attempt, as if it were new.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn take_over(
    c: &mut Conn,
    attempt: &RequestAttempt,
    request_hash: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<()> {
    let key_id = attempt.key_id.to_string();
    on!(c, |c| {
        diesel::update(requests::table.filter(requests::key_id.eq(&key_id)).filter(requests::name.eq(&attempt.name)))
            .set((
                requests::request_hash.eq(request_hash),
                requests::holder.eq(&attempt.holder),
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

/// Ends an attempt. Stores its response if the request was executed, and otherwise deletes the
/// request, so that it can be sent again. Has no effect when another attempt has taken over.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn end(c: &mut Conn, attempt: &RequestAttempt, answer: Option<&[u8]>) -> Result<()> {
    let key_id = attempt.key_id.to_string();
    let kept = on!(c, |c| {
        diesel::update(
            requests::table
                .filter(requests::key_id.eq(&key_id))
                .filter(requests::name.eq(&attempt.name))
                .filter(requests::holder.eq(&attempt.holder))
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
                    .filter(requests::name.eq(&attempt.name))
                    .filter(requests::holder.eq(&attempt.holder)),
            )
            .execute(c)
            .await
        })?;
    }
    Ok(())
}

/// Deletes the oldest `limit` of the requests that were first sent before `before`, with those of the
/// same millisecond as the last of them, and returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_before(c: &mut Conn, before: Timestamp, limit: i64) -> Result<usize> {
    Ok(delete_oldest!(c, requests, before, limit))
}

/// A request, by the ID of its API key and its name. Requests are ordered by both.
pub type RequestName = (String, String);

/// Deletes the stored responses of the next `limit` requests after `after` to a site's keys and to
/// operator keys. It stays known that they were executed. Returns the last of these requests, `None`
/// when there were none.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn forget_answers(
    c: &mut Conn,
    site: SiteId,
    after: &RequestName,
    limit: i64,
) -> Result<Option<RequestName>> {
    let site = site.to_string();
    let names: Vec<RequestName> = on!(c, |c| {
        let of_site = keys::table.filter(keys::site_id.eq(&site).or(keys::site_id.is_null())).select(keys::id);
        requests::table
            .filter(requests::key_id.eq_any(of_site))
            .filter(after!(requests, after))
            .order((requests::key_id, requests::name))
            .limit(limit)
            .select((requests::key_id, requests::name))
            .load(c)
            .await
    })?;
    let Some(last) = names.into_iter().last() else { return Ok(None) };
    on!(c, |c| {
        let of_site = keys::table.filter(keys::site_id.eq(&site).or(keys::site_id.is_null())).select(keys::id);
        let range = requests::table
            .filter(requests::key_id.eq_any(of_site))
            .filter(after!(requests, after))
            .filter(diesel::dsl::not(after!(requests, &last)))
            .filter(requests::answer.is_not_null());
        diesel::update(range).set(requests::answer.eq(None::<Vec<u8>>)).execute(c).await
    })?;
    Ok(Some(last))
}
