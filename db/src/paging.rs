//! Queries that end the same way: one row as an entity, the rows of a site with given IDs, pages of lists that are
//! ordered by a text key, and deletions of the oldest rows.

use helpbot_domain::page::PageRequest;

/// Returns the key to compare with. Without a key, this is one before or after all keys, depending
/// on the direction.
pub(crate) fn edge<K: ToString>(page: &PageRequest<K>) -> String {
    // The last code point. Both databases compare text byte by byte.
    const LAST: &str = "\u{10ffff}";
    let outermost = if page.is_backward { LAST } else { "" };
    page.from.as_ref().map_or_else(|| outermost.to_owned(), ToString::to_string)
}

/// Loads the first of `$rows`, if there is one, as an entity.
macro_rules! load_one {
    ($c:ident, $entity:ty, $rows:expr) => {{
        let row: Option<Row> = on!($c, |c| $rows.select(Row::as_select()).get_result(c).await.optional())?;
        row.map(<$entity>::try_from).transpose()
    }};
}
pub(crate) use load_one;

/// Loads the rows of a site with these IDs as entities, in no particular order. Missing ones are left out.
macro_rules! load_by_ids {
    ($c:ident, $entity:ty, $table:ident, $site:expr, $ids:expr) => {{
        let site = $site.to_string();
        let rows: Vec<Row> = on!($c, |c| {
            $table::table
                .filter($table::site_id.eq(&site))
                .filter($crate::connection::dialect::among($table::id, $ids))
                .select(Row::as_select())
                .load(c)
                .await
        })?;
        rows.into_iter().map(<$entity>::try_from).collect()
    }};
}
pub(crate) use load_by_ids;

/// Deletes about `$limit` rows of `$table` that were created before `$before`, oldest first, and those of the same
/// millisecond as the last of them. Gives their number.
macro_rules! delete_oldest {
    ($c:ident, $table:ident, $before:expr, $limit:expr) => {{
        let before: helpbot_domain::Timestamp = $before;
        let last: Option<i64> = on!($c, |c| {
            $table::table
                .filter($table::created_at_ms.lt(before.as_ms()))
                .order($table::created_at_ms)
                .select($table::created_at_ms)
                .offset($limit - 1)
                .first(c)
                .await
                .optional()
        })?;
        let last = last.unwrap_or(before.as_ms() - 1);
        on!($c, |c| diesel::delete($table::table.filter($table::created_at_ms.le(last))).execute(c).await)?
    }};
}
pub(crate) use delete_oldest;

/// Loads one page of `$rows`, ordered by `$key`.
macro_rules! load_page {
    ($c:ident, $rows:expr, $key:expr, $page:expr) => {{
        let edge = $crate::paging::edge(&$page);
        if $page.is_backward {
            $rows.filter($key.lt(&edge)).order($key.desc()).limit($page.limit).select(Row::as_select()).load($c).await
        } else {
            $rows.filter($key.gt(&edge)).order($key.asc()).limit($page.limit).select(Row::as_select()).load($c).await
        }
    }};
}
pub(crate) use load_page;
