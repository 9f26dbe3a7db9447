//! Deleting a site in many small transactions.
//!
//! [`mark`] makes the site disappear: no finder returns it, its keys are revoked and its log has
//! ended. [`delete_rows`] then deletes a bounded number of its rows at a time, table by table, and
//! [`sites::delete`](super::sites::delete) deletes its own row last. A test compares [`TABLES`] with the
//! migrations, so that no table with rows of sites is left out.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use helpbot_domain::webhook::DisabledReason;

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::prepared::Fixed;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::{daily_stats, events, keys, site_counters, sites, sources, webhooks};

/// A table with rows of sites.
#[derive(Debug)]
pub struct SiteTable {
    /// Name of the table.
    pub name: &'static str,
    /// Columns that an index contains after the columns of `scope`. They order the rows.
    key: &'static str,
    /// Condition on the rows of the site `$1`.
    scope: &'static str,
    /// How much deleting a row costs, in rows of a plain table.
    weight: i64,
    /// Whether the estimate of [`mark`] contains the rows.
    is_estimated: bool,
}

const fn table(name: &'static str, key: &'static str) -> SiteTable {
    SiteTable { name, key, scope: "site_id = $1", weight: 1, is_estimated: false }
}

const fn estimated(table: SiteTable) -> SiteTable {
    SiteTable { is_estimated: true, ..table }
}

/// The tables in the order in which their rows are deleted: a row before those that it refers to.
///
/// `delivery_attempts` has no index on its site; its rows are deleted with their delivery. Jobs are
/// deleted by [`jobs::delete_all_except`](crate::jobs::delete_all_except), and `site_counters` by [`mark`].
pub const TABLES: &[SiteTable] = &[
    // A delivery has ten attempts or more.
    SiteTable { weight: 10, ..table("deliveries", "webhook_id, id") },
    table("webhook_replays", "id"),
    table("webhooks", "id"),
    table("read_marks", "conversation_id, reader"),
    table("transcripts", "id"),
    table("transcript_codes", "id"),
    table("handoff_notices", "id"),
    table("conversation_mails", "id"),
    table("conversation_tags", "conversation_id, tag"),
    table("conversation_notes", "id"),
    table("canned_replies", "id"),
    table("handoffs", "conversation_id, number"),
    table("messages", "conversation_id, seq"),
    // Eleven indexes contain a conversation.
    estimated(SiteTable { weight: 2, ..table("conversations", "id") }),
    estimated(table("events", "seq")),
    table("sessions", "session_id"),
    table("contacts", "id"),
    table("identity_secrets", "id"),
    SiteTable {
        scope: "key_id = (SELECT k.id FROM keys AS k WHERE k.site_id = $1 AND EXISTS \
                (SELECT 1 FROM idempotent_requests AS r WHERE r.key_id = k.id) ORDER BY k.id LIMIT 1)",
        ..table("idempotent_requests", "name")
    },
    table("keys", "id"),
    table("sign_in_links", "id"),
    table("members", "id"),
    table("audit_entries", "id"),
    table("chunk_vectors", "model, chunk_id"),
    estimated(table("chunks", "id")),
    table("crawl_visits", "source_id, url"),
    table("crawl_files", "source_id, url"),
    // A staged page has its chunks with it.
    SiteTable { weight: 10, ..table("staged_pages", "source_id, seq") },
    table("staged_syncs", "source_id"),
    table("page_extractions", "document_id"),
    estimated(table("documents", "id")),
    // A part has 1 MiB.
    SiteTable { weight: 50, ..table("source_file_parts", "source_id, version, seq") },
    table("source_files", "source_id"),
    table("sources", "id"),
    table("evaluation_cases", "id"),
    table("answer_rules", "id"),
    table("dismissed_topics", "question_hash"),
    table("previewed_questions", "preview_id, seq"),
    table("change_previews", "id"),
    table("daily_stats", "day"),
    table("usage_months", "month"),
    table("usage_days", "day, address_key"),
    table("blocked_visitors", "id"),
    // A document has up to 32 KiB.
    SiteTable { weight: 5, ..table("trusted_documents", "id") },
    table("limit_notices", "kind, day"),
    table("business_hours", "site_id"),
    table("credit_holds", "id"),
];

impl SiteTable {
    /// The statement that deletes the first `$2` rows of the site `$1`.
    ///
    /// It compares the key with that of the last of these rows, and so needs one range of the index on
    /// both databases. The rows of an IN list would be looked up one by one on SQLite, and PostgreSQL
    /// might read the whole table.
    fn statement(&self) -> String {
        let Self { name, key, scope, .. } = self;
        let descending = key.split(", ").map(|column| format!("{column} DESC")).collect::<Vec<_>>().join(", ");
        // `+ 0` keeps SQLite from preparing the statement again for each limit.
        format!(
            "DELETE FROM {name} WHERE {scope} AND ({key}) <= (SELECT {key} FROM \
             (SELECT {key} FROM {name} WHERE {scope} ORDER BY {key} LIMIT $2 + 0) AS first_rows \
             ORDER BY {descending} LIMIT 1)"
        )
    }
}

/// Rows that a call of [`delete_rows`] has deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletedRows {
    /// Number of deleted rows, without those that were deleted with them by reference.
    pub count: usize,
    /// How many of them the estimate of [`mark`] contains.
    pub estimated: usize,
}

/// Makes a site disappear for everyone. Returns the estimated number of its rows, or `None` when the
/// site does not exist or was deleted before.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn mark(c: &mut Conn, site: SiteId, now: Timestamp) -> Result<Option<i64>> {
    let id = site.to_string();
    let marked = on!(c, |c| {
        diesel::update(sites::table.filter(sites::id.eq(&id)).filter(sites::deleted_at_ms.is_null()))
            .set(sites::deleted_at_ms.eq(now.as_ms()))
            .execute(c)
            .await
    })?;
    if marked == 0 {
        return Ok(None);
    }
    let rows = estimate(c, &id).await?;
    on!(c, |c| {
        diesel::update(keys::table.filter(keys::site_id.eq(&id)).filter(keys::revoked_at_ms.is_null()))
            .set(keys::revoked_at_ms.eq(now.as_ms()))
            .execute(c)
            .await
    })?;
    on!(c, |c| {
        diesel::update(webhooks::table.filter(webhooks::site_id.eq(&id)))
            .set((webhooks::is_enabled.eq(false), webhooks::disabled_reason.eq(DisabledReason::Owner.as_str())))
            .execute(c)
            .await
    })?;
    // Without its counter, the log of the site accepts no events, and every client that follows it stops.
    on!(c, |c| diesel::delete(site_counters::table.filter(site_counters::site_id.eq(&id))).execute(c).await)?;
    Ok(Some(rows))
}

/// Returns an estimate of the number of rows of a site, from its counts.
async fn estimate(c: &mut Conn, id: &str) -> Result<i64> {
    let questions: Vec<i64> = on!(c, |c| {
        daily_stats::table
            .filter(daily_stats::site_id.eq(id))
            .select(daily_stats::questions - daily_stats::expired_questions)
            .load(c)
            .await
    })?;
    let pages: Vec<(i64, i64)> = on!(c, |c| {
        sources::table
            .filter(sources::site_id.eq(id))
            .select((sources::document_count, sources::chunk_count))
            .load(c)
            .await
    })?;
    let last: Option<i64> = on!(c, |c| {
        let counter = site_counters::table.filter(site_counters::site_id.eq(id));
        counter.select(site_counters::event_seq).get_result(c).await.optional()
    })?;
    let first: Option<i64> = on!(c, |c| {
        events::table.filter(events::site_id.eq(id)).select(diesel::dsl::min(events::seq)).get_result(c).await
    })?;
    let logged = first.zip(last).map_or(0, |(first, last)| last - first + 1);
    Ok(questions.iter().sum::<i64>() + pages.iter().map(|(pages, chunks)| pages + chunks).sum::<i64>() + logged)
}

/// Deletes the first rows of a site in the table `TABLES[table]`. `limit` bounds the cost, in rows of
/// a plain table. Returns `None` when there is no such table.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_rows(c: &mut Conn, site: SiteId, table: usize, limit: i64) -> Result<Option<DeletedRows>> {
    let Some(table) = TABLES.get(table) else { return Ok(None) };
    let (site, limit, statement) = (site.to_string(), (limit / table.weight).max(1), table.statement());
    let count =
        on!(c, |c| Fixed(sql_query(&statement).bind::<Text, _>(&site).bind::<BigInt, _>(limit)).execute(c).await)?;
    Ok(Some(DeletedRows { count, estimated: if table.is_estimated { count } else { 0 } }))
}
