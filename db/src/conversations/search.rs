//! The search index for conversations on SQLite. It finds conversations that may contain the words
//! of a search. PostgreSQL has its own index, so everything here does nothing there.
//!
//! The index (`conversation_search`, FTS5) maps every three consecutive characters to the numbers
//! of the conversations that contain them. It only finds candidates; `lists` checks each of them.
//! Indexing a row costs the writer more than storing it, so rows are indexed later, in groups, in
//! the order of their numbers. Rows that are not indexed yet are candidates as well. The highest
//! number in the index tells how far it has come, so a crash cannot make it inconsistent.
//! (docs/decisions/0016)

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{QueryableByName, sql_query};
use helpbot_domain::ids::SiteId;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;

/// Number of consecutive characters in an index entry.
const GRAM_CHARS: usize = 3;
/// Maximum number of index entries that a search looks up. Each one reduces the candidates, but
/// costs a lookup in a list that can be long. All 198 entries of the longest search took as long as
/// checking every row.
const GRAMS_MAX: usize = 16;

/// SQL for the highest indexed number: all conversations up to it are indexed.
macro_rules! indexed_up_to {
    () => {
        "coalesce((SELECT rowid FROM conversation_search ORDER BY rowid DESC LIMIT 1), 0)"
    };
}

/// SQL for the index entry that stands for a site: a character that nobody types, followed by two
/// random characters of the ID. With a thousand sites, some share an entry; the conversations of
/// others are filtered out later.
macro_rules! site_token {
    ($site:literal) => {
        concat!("char(1) || substr(", $site, ", -2)")
    };
}

/// Maximum number of candidates for which checking them one by one is faster than checking all rows
/// in order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MaxCandidates {
    /// The search is for one page of a list.
    ForPage {
        /// Number of rows up to the end of the page.
        wanted: i64,
    },
    /// The search is for a count, which must see all rows.
    ForCount,
}

impl MaxCandidates {
    /// Returns the maximum for a table of `rows` rows.
    ///
    /// In order, `rows * wanted / found` rows are checked until the page is full; one by one,
    /// `found` rows. A candidate costs about twice as much as a row in order, so both are equal
    /// when `found` squared is half of `rows * wanted`. When all rows must be seen, candidates were
    /// not slower even if most rows matched; the bound keeps the cost of a useless search small.
    fn of(self, rows: i64) -> i64 {
        let of_all = rows / 8;
        match self {
            MaxCandidates::ForPage { wanted } => of_all.min((rows.saturating_mul(wanted) / 2).isqrt()),
            MaxCandidates::ForCount => of_all,
        }
    }
}

/// Conversations that may contain the words of a search.
#[derive(Debug)]
pub(crate) struct Candidates {
    found: Vec<i64>,
    indexed_up_to: i64,
}

#[derive(QueryableByName)]
struct IndexRange {
    #[diesel(sql_type = BigInt)]
    indexed_up_to: i64,
    #[diesel(sql_type = BigInt)]
    newest: i64,
}

#[derive(QueryableByName)]
struct RowNumber {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Returns the candidates of a search for `words`. `None` when it is better to check all rows in
/// order: the words are shorter than three characters, or there are too many candidates.
///
/// # Errors
/// Returns an error when the query fails.
pub(crate) async fn candidates(
    c: &mut Conn,
    site: SiteId,
    words: &str,
    max: MaxCandidates,
) -> Result<Option<Candidates>> {
    let Some(matching) = matching(&helpbot_domain::text::folded(words), site).filter(|_| c.has_search_index()) else {
        return Ok(None);
    };
    // Read before the index is searched: a row that is indexed in between is found twice, not missed.
    let range: Option<IndexRange> = on!(c, |c| {
        let range = sql_query(concat!(
            "SELECT ",
            indexed_up_to!(),
            " AS indexed_up_to, coalesce((SELECT max(number) FROM conversations), 0) AS newest"
        ));
        range.get_result(c).await.optional()
    })?;
    let Some(IndexRange { indexed_up_to, newest }) = range else { return Ok(None) };
    let max = max.of(newest) - (newest - indexed_up_to);
    if max <= 0 {
        return Ok(None);
    }
    let found: Vec<RowNumber> = on!(c, |c| {
        sql_query("SELECT rowid AS number FROM conversation_search WHERE conversation_search MATCH ? LIMIT ?")
            .bind::<Text, _>(&matching)
            .bind::<BigInt, _>(max + 1)
            .load(c)
            .await
    })?;
    let found: Vec<i64> = found.into_iter().map(|row| row.number).collect();
    let is_few = i64::try_from(found.len()).is_ok_and(|count| count <= max);
    Ok(is_few.then_some(Candidates { found, indexed_up_to }))
}

impl Candidates {
    /// Returns the row numbers that the index found, as a JSON list.
    pub(crate) fn found_json(&self) -> String {
        columns::to_json(&self.found)
    }

    /// Returns the highest indexed number. Every row with a higher number is a candidate as well.
    pub(crate) const fn indexed_up_to(&self) -> i64 {
        self.indexed_up_to
    }
}

/// The rows of a site, restricted to the candidates when there are some, as a boxed query.
///
/// The plus sign keeps SQLite from using an index by site: it would read the whole index in order,
/// as if there were many candidates. PostgreSQL never has candidates.
macro_rules! rows_of_site {
    ($backend:ty, $site:expr, $candidates:expr) => {{
        use $crate::schema::conversations as conv;
        let rows = conv::table.into_boxed::<$backend>();
        let candidates: Option<&$crate::conversations::search::Candidates> = $candidates;
        match candidates {
            None => rows.filter(conv::site_id.eq($site.to_string())),
            Some(candidates) => rows.filter(
                diesel::dsl::sql::<diesel::sql_types::Bool>("+conversations.site_id = ")
                    .bind::<diesel::sql_types::Text, _>($site.to_string())
                    .sql(" AND conversations.number IN (SELECT value FROM json_each(")
                    .bind::<diesel::sql_types::Text, _>(candidates.found_json())
                    .sql(") UNION ALL SELECT waiting.number FROM conversations AS waiting WHERE waiting.number > ")
                    .bind::<diesel::sql_types::BigInt, _>(candidates.indexed_up_to())
                    .sql(")"),
            ),
        }
    }};
}
pub(crate) use rows_of_site;

/// Returns the index query for `words`: the entries that they contain, each in quotes, and the
/// entry of the site. `None` when the words are too short.
fn matching(words: &str, site: SiteId) -> Option<String> {
    let chars: Vec<char> = words.chars().collect();
    let mut grams: Vec<String> = Vec::new();
    for gram in chars.windows(GRAM_CHARS).map(|gram| gram.iter().collect()) {
        if !grams.contains(&gram) {
            grams.push(gram);
        }
    }
    if grams.is_empty() {
        return None;
    }
    let (step, site) = (grams.len().div_ceil(GRAMS_MAX), site.to_string());
    let of_site = format!("\u{1}{}", &site[site.len() - (GRAM_CHARS - 1)..]);
    let asked = grams.into_iter().step_by(step).chain([of_site]);
    let quoted: Vec<String> = asked.map(|gram| format!("\"{}\"", gram.replace('"', "\"\""))).collect();
    Some(quoted.join(" AND "))
}

/// Returns whether conversations have to be added to the index or removed from it.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn is_behind(c: &mut Conn) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Behind {
        #[diesel(sql_type = Bool)]
        is_behind: bool,
    }
    if !c.has_search_index() {
        return Ok(false);
    }
    let behind: Option<Behind> = on!(c, |c| {
        let behind = sql_query(concat!(
            "SELECT EXISTS (SELECT 1 FROM conversations WHERE number > ",
            indexed_up_to!(),
            ") OR EXISTS (SELECT 1 FROM conversation_search_gone) AS is_behind"
        ));
        behind.get_result(c).await.optional()
    })?;
    Ok(behind.is_some_and(|behind| behind.is_behind))
}

/// Adds up to `limit` conversations to the index and removes up to `limit` deleted ones. Returns
/// their number, 0 when the index is up to date.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn index_next(c: &mut Conn, limit: i64) -> Result<usize> {
    const FORGOTTEN: &str = "SELECT number FROM conversation_search_gone ORDER BY number LIMIT ?";
    let from_index = format!("DELETE FROM conversation_search WHERE rowid IN ({FORGOTTEN})");
    let from_gone = format!("DELETE FROM conversation_search_gone WHERE number IN ({FORGOTTEN})");
    let new = concat!(
        "INSERT INTO conversation_search (rowid, site, text) SELECT number, ",
        site_token!("site_id"),
        ", search_text FROM conversations WHERE number > ",
        indexed_up_to!(),
        " ORDER BY number LIMIT ?"
    );
    if !c.has_search_index() {
        return Ok(0);
    }
    let mut changed = Vec::new();
    for statement in [from_index.as_str(), from_gone.as_str(), new] {
        changed.push(on!(c, |c| sql_query(statement).bind::<BigInt, _>(limit).execute(c).await)?);
    }
    // The first statement removes what the second one counts.
    Ok(changed[1] + changed[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> SiteId {
        "site_01h455vb4pex5vsknk084sn02q".parse().expect("an id")
    }

    #[test]
    fn words_are_asked_for_by_their_distinct_grams_in_quotes() {
        assert_eq!(matching("banana", site()).as_deref(), Some("\"ban\" AND \"ana\" AND \"nan\" AND \"\u{1}2q\""));
        assert_eq!(matching("a\"b", site()).as_deref(), Some("\"a\"\"b\" AND \"\u{1}2q\""));
        assert_eq!(matching("日本語", site()).as_deref(), Some("\"日本語\" AND \"\u{1}2q\""));
        assert_eq!(matching("日本", site()), None);
        let long: String = ('a'..='z').chain('0'..='9').collect();
        assert_eq!(matching(&long, site()).map(|asked| asked.matches(" AND ").count()), Some(12));
    }

    #[test]
    fn more_candidates_are_worth_it_the_more_rows_there_are() {
        let list = MaxCandidates::ForPage { wanted: 20 };

        assert_eq!((list.of(0), list.of(10_000), list.of(1_000_000)), (0, 316, 3_162));
        assert_eq!(MaxCandidates::ForPage { wanted: i64::MAX }.of(1_000_000), 125_000);
        assert_eq!(MaxCandidates::ForCount.of(1_000_000), 125_000);
    }
}
