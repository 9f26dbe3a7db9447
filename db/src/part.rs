//! Part of a list that goes by a key: from the start or the end, or from a place in between.

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<K> {
    /// Only what comes after this key; before it when walking backward.
    pub from: Option<K>,
    /// From the end towards the start, and given in that order.
    pub is_backward: bool,
    /// At most so many.
    pub limit: i64,
}

impl<K> Part<K> {
    /// The first `limit`.
    pub const fn first(limit: i64) -> Self {
        Self { from: None, is_backward: false, limit }
    }

    /// The next `limit` after `from`, the first ones if there is none.
    pub const fn after(from: Option<K>, limit: i64) -> Self {
        Self { from, is_backward: false, limit }
    }
}

impl<K: ToString> Part<K> {
    /// The text that keys are compared with: where nothing is named, one before or after all keys.
    pub(crate) fn edge(&self) -> String {
        // The last character that there is; texts are compared byte by byte on both databases.
        const LAST: &str = "\u{10ffff}";
        let outermost = if self.is_backward { LAST } else { "" };
        self.from.as_ref().map_or_else(|| outermost.to_owned(), ToString::to_string)
    }
}

/// Loads a part of `$rows`, ordered by `$key`.
macro_rules! load_part {
    ($c:ident, $rows:expr, $key:expr, $part:expr) => {{
        let edge = $part.edge();
        if $part.is_backward {
            $rows.filter($key.lt(&edge)).order($key.desc()).limit($part.limit).select(Row::as_select()).load($c).await
        } else {
            $rows.filter($key.gt(&edge)).order($key.asc()).limit($part.limit).select(Row::as_select()).load($c).await
        }
    }};
}
pub(crate) use load_part;
