//! Relay connections: their arguments, their cursors, and the macro that writes the types of a
//! connection, so that each type has its own description.
//!
//! Every list of the schema that can grow uses these: it reads a [`PageRequest`] of the list with one
//! item more than it shows, which tells whether more items follow.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use helpbot_api_macros::OutputObject;
use helpbot_domain::page::PageRequest;
use helpbot_domain::{Invalid, Timestamp};
use helpbot_services::{Error, Result};

use super::scalars::int;

/// Items of a page when neither `first` nor `last` is set.
pub const DEFAULT: i32 = 20;
/// Highest number of items of a page.
pub const MAX: i32 = 100;

/// The four arguments of a connection, which `#[paged]` gives to a list field.
#[derive(Debug, Clone, Default)]
pub struct PageArgs {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

impl PageArgs {
    /// The part of the list that the arguments ask for, with one item more than is shown. A size
    /// above [`MAX`] counts as `MAX`.
    ///
    /// # Errors
    /// `Invalid` for `first` with `last`, `after` with `last`, `before` with `first`, for a negative
    /// size, and for a cursor that does not belong to this list.
    pub fn request<K: FromStr>(&self) -> Result<PageRequest<K>> {
        let refused = |field, message: &str| Err(Error::from(Invalid::new(field, message)));
        let is_backward = self.last.is_some() || (self.before.is_some() && self.first.is_none());
        if self.first.is_some() && self.last.is_some() {
            return refused("last", "first and last cannot be combined. Use one of them.");
        }
        for (field, size) in [("first", self.first), ("last", self.last)] {
            if size.is_some_and(i32::is_negative) {
                return refused(field, &format!("{field} must not be negative."));
            }
        }
        let (size, from, unused) =
            if is_backward { (self.last, &self.before, &self.after) } else { (self.first, &self.after, &self.before) };
        if unused.is_some() {
            return refused("before", "after can only be combined with first, and before only with last.");
        }
        let from = from.as_deref().map(|cursor| decode(cursor, is_backward)).transpose()?;
        let limit = i64::from(size.unwrap_or(DEFAULT).min(MAX)) + 1;
        Ok(PageRequest { from, is_backward, limit })
    }
}

/// The cursor of an item, from the text that identifies the item's position in its list.
pub fn encode(position: &str) -> String {
    URL_SAFE_NO_PAD.encode(position)
}

fn decode<K: FromStr>(cursor: &str, is_backward: bool) -> Result<K> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let position = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    position.ok_or_else(|| {
        let field = if is_backward { "before" } else { "after" };
        Invalid::new(field, format!("{field} is not a cursor of this list.")).into()
    })
}

/// The position of an item in a list that is sorted by time and ID, as its cursor encodes it.
#[derive(Debug, Clone, Copy)]
pub struct TimePosition<I>(pub Timestamp, pub I);

impl<I: FromStr> FromStr for TimePosition<I> {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let (ms, id) = text.split_once(':').ok_or(())?;
        Ok(Self(Timestamp::from_ms(ms.parse().map_err(drop)?), id.parse().map_err(drop)?))
    }
}

impl<I: Display> Display for TimePosition<I> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.as_ms(), self.1)
    }
}

/// Describes the position of a page within its list.
#[derive(Debug, Clone, Default, PartialEq, Eq, OutputObject)]
pub struct PageInfo {
    /// Whether the list has items after this page.
    pub has_next_page: bool,
    /// Whether the list has items before this page.
    pub has_previous_page: bool,
    /// Cursor of the first item of the page. It is null when the page is empty.
    pub start_cursor: Option<String>,
    /// Cursor of the last item of the page. It is null when the page is empty.
    pub end_cursor: Option<String>,
}

/// The rows of a page in the order of the list, and whether the list has more before and after.
pub struct PageRows<R> {
    pub rows: Vec<R>,
    pub has_previous: bool,
    pub has_next: bool,
}

impl<R> PageRows<R> {
    /// The page in what was read for `part`: drops the additional item and restores the order.
    pub fn of<K>(part: &PageRequest<K>, mut rows: Vec<R>) -> Self {
        let shown = usize::try_from(part.limit - 1).unwrap_or(0);
        let has_more = rows.len() > shown;
        rows.truncate(shown);
        let has_from = part.from.is_some();
        if part.is_backward {
            rows.reverse();
            return Self { rows, has_previous: has_more, has_next: has_from };
        }
        Self { rows, has_previous: has_from, has_next: has_more }
    }

    /// The same page with each row converted.
    pub fn map<T>(self, convert: impl Fn(R) -> T) -> PageRows<T> {
        PageRows {
            rows: self.rows.into_iter().map(convert).collect(),
            has_previous: self.has_previous,
            has_next: self.has_next,
        }
    }
}

/// The number of items of a whole list. Nothing is counted until the first caller awaits it.
pub type Total = Shared<BoxFuture<'static, Result<i32, Arc<Error>>>>;

/// A [`Total`] from the use case that counts.
pub fn total(count: impl Future<Output = Result<i64>> + Send + 'static) -> Total {
    async move { count.await.map(int).map_err(Arc::new) }.boxed().shared()
}

/// Reads a page of a list. `rows` reads the part of the list that the arguments ask for, with one item more
/// than is shown. `count` is awaited only when `totalCount` is selected.
///
/// # Errors
/// Those of [`PageArgs::request`], and those of `rows`.
pub async fn read<K, R, F>(
    args: &PageArgs,
    rows: impl FnOnce(PageRequest<K>) -> F,
    count: impl Future<Output = Result<i64>> + Send + 'static,
) -> Result<(PageRows<R>, Total)>
where
    K: FromStr + Clone,
    F: Future<Output = Result<Vec<R>>>,
{
    let part = args.request()?;
    let found = rows(part.clone()).await?;
    Ok((PageRows::of(&part, found), total(count)))
}

/// Order of a list by the key of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrder {
    /// The smallest key is first.
    Ascending,
    /// The largest key is first.
    Descending,
}

/// A page of a short list, of which `rows` are all. The items have different keys.
///
/// # Errors
/// Those of [`PageArgs::request`].
pub fn of_all<K, R>(
    args: &PageArgs,
    mut rows: Vec<R>,
    order: KeyOrder,
    key: impl Fn(&R) -> K,
) -> Result<(PageRows<R>, Total)>
where
    K: FromStr + Ord,
{
    let part: PageRequest<K> = args.request()?;
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let is_ascending = (order == KeyOrder::Ascending) != part.is_backward;
    let in_order = |a: &K, b: &K| if is_ascending { a.cmp(b) } else { b.cmp(a) };
    rows.sort_by(|a, b| in_order(&key(a), &key(b)));
    if let Some(from) = &part.from {
        rows.retain(|row| in_order(&key(row), from).is_gt());
    }
    rows.truncate(usize::try_from(part.limit).unwrap_or(0));
    Ok((PageRows::of(&part, rows), total(async move { Ok(count) })))
}

/// Returns the position of a node in its list, as its cursor encodes it. The first argument is the index
/// of the node in its page.
pub type PositionOf<N> = Box<dyn Fn(usize, &N) -> String + Send + Sync>;

/// Writes `XConnection` and `XEdge` for a node type. With `plain`, the node type implements
/// [`PlainFields`](crate::schema::plain::PlainFields), and its plain fields are resolved directly.
macro_rules! connection {
    ($(#[$doc:meta])* $connection:ident, $(#[$edge_doc:meta])* $edge:ident, $node:ty) => {
        $crate::schema::page::connection! {
            @types $(#[$doc])* $connection, $(#[$edge_doc])* $edge, $node, Vec<&$node>
        }
    };
    ($(#[$doc:meta])* $connection:ident, $(#[$edge_doc:meta])* $edge:ident, $node:ty, plain) => {
        $crate::schema::page::connection! {
            @types $(#[$doc])* $connection, $(#[$edge_doc])* $edge, $node, $crate::schema::plain::PlainList<&$node>
        }
    };
    (@types $(#[$doc:meta])* $connection:ident, $(#[$edge_doc:meta])* $edge:ident, $node:ty, $nodes:ty) => {
        $(#[$edge_doc])*
        #[derive(Clone, helpbot_api_macros::OutputObject)]
        pub struct $edge {
            /// The item that this edge refers to.
            pub node: $node,
            /// Cursor of the item, which the arguments `after` and `before` accept.
            pub cursor: String,
        }

        $(#[$doc])*
        #[derive(async_graphql::Description)]
        pub struct $connection {
            nodes: Vec<$node>,
            position: $crate::schema::page::PositionOf<$node>,
            has_next: bool,
            has_previous: bool,
            total: $crate::schema::page::Total,
        }

        impl $connection {
            /// A page. `node` turns a row into its node and the position that its cursor encodes.
            #[allow(dead_code)]
            pub(crate) fn new<R>(
                page: $crate::schema::page::PageRows<R>,
                total: $crate::schema::page::Total,
                node: impl Fn(R) -> ($node, String),
            ) -> Self {
                let $crate::schema::page::PageRows { rows, has_previous, has_next } = page;
                let (nodes, positions): (Vec<$node>, Vec<String>) = rows.into_iter().map(node).unzip();
                let page = $crate::schema::page::PageRows { rows: nodes, has_previous, has_next };
                Self::with_positions(page, total, Box::new(move |index, _| positions[index].clone()))
            }

            /// A page of nodes. `position` is called only for the cursors that are selected.
            pub(crate) fn with_positions(
                page: $crate::schema::page::PageRows<$node>,
                total: $crate::schema::page::Total,
                position: $crate::schema::page::PositionOf<$node>,
            ) -> Self {
                let $crate::schema::page::PageRows { rows: nodes, has_previous, has_next } = page;
                Self { nodes, position, has_next, has_previous, total }
            }

            fn cursor(&self, index: usize) -> Option<String> {
                let node = self.nodes.get(index)?;
                Some($crate::schema::page::encode(&(self.position)(index, node)))
            }
        }

        #[async_graphql::Object(use_type_description)]
        impl $connection {
            /// Contains the items of the page, each with its cursor.
            async fn edges(&self) -> Vec<$edge> {
                let edge = |(index, node): (usize, &$node)| {
                    Some($edge { node: node.clone(), cursor: self.cursor(index)? })
                };
                self.nodes.iter().enumerate().filter_map(edge).collect()
            }

            /// Contains the items of the page without their cursors.
            async fn nodes(&self) -> $nodes {
                self.nodes.iter().collect()
            }

            /// Tells whether there are more items, and the cursors of the first and the last item.
            async fn page_info(&self) -> $crate::schema::page::PageInfo {
                $crate::schema::page::PageInfo {
                    has_next_page: self.has_next,
                    has_previous_page: self.has_previous,
                    start_cursor: self.cursor(0),
                    end_cursor: self.nodes.len().checked_sub(1).and_then(|last| self.cursor(last)),
                }
            }

            /// Number of items in the whole list. The server counts only when this field is selected.
            async fn total_count(&self) -> async_graphql::Result<i32> {
                self.total.clone().await.map_err($crate::schema::loaders::failed)
            }
        }
    };
}
pub(crate) use connection;

#[cfg(test)]
mod tests {
    use super::*;

    fn args(first: Option<i32>, after: Option<&str>, last: Option<i32>, before: Option<&str>) -> PageArgs {
        PageArgs { first, after: after.map(encode), last, before: before.map(encode) }
    }

    fn part(from: Option<&str>, is_backward: bool, limit: i64) -> PageRequest<String> {
        PageRequest { from: from.map(str::to_owned), is_backward, limit }
    }

    #[test]
    fn sizes_are_bounded_and_the_direction_follows_the_arguments() {
        let asked = |args: PageArgs| args.request::<String>().expect("valid arguments");

        assert_eq!(asked(PageArgs::default()), part(None, false, 21));
        assert_eq!(asked(args(Some(500), Some("a"), None, None)), part(Some("a"), false, 101));
        assert_eq!(asked(args(None, None, Some(3), Some("z"))), part(Some("z"), true, 4));
        assert_eq!(asked(args(None, None, Some(0), None)), part(None, true, 1));
    }

    #[test]
    fn arguments_that_contradict_each_other_are_refused() {
        assert!(args(Some(1), None, Some(1), None).request::<String>().is_err());
        assert!(args(Some(-1), None, None, None).request::<String>().is_err());
        assert!(args(None, None, Some(-1), None).request::<String>().is_err());
        assert!(args(Some(1), None, None, Some("z")).request::<String>().is_err());
        assert!(args(None, Some("a"), Some(1), None).request::<String>().is_err());
        assert!(PageArgs { after: Some("*".into()), ..PageArgs::default() }.request::<String>().is_err());
        assert!(args(Some(1), Some("a"), None, None).request::<i64>().is_err());
    }

    #[test]
    fn pages_of_a_short_list_continue_in_both_directions_and_after_removed_items() {
        let pages = |order, args: PageArgs| {
            let (page, _) = of_all(&args, vec![3, 1, 4, 2], order, |row: &i32| *row).expect("valid arguments");
            (page.rows, page.has_previous, page.has_next)
        };

        assert_eq!(pages(KeyOrder::Ascending, args(Some(2), None, None, None)), (vec![1, 2], false, true));
        assert_eq!(pages(KeyOrder::Ascending, args(Some(2), Some("2"), None, None)), (vec![3, 4], true, false));
        assert_eq!(pages(KeyOrder::Descending, args(Some(2), None, None, None)), (vec![4, 3], false, true));
        assert_eq!(pages(KeyOrder::Descending, args(Some(9), Some("5"), None, None)), (vec![4, 3, 2, 1], true, false));
        assert_eq!(pages(KeyOrder::Ascending, args(None, None, Some(1), None)), (vec![4], true, false));
        assert_eq!(pages(KeyOrder::Descending, args(None, None, Some(2), Some("1"))), (vec![3, 2], true, true));
    }

    #[test]
    fn a_page_from_the_end_is_returned_in_the_order_of_the_list() {
        let page = PageRows::of(&part(None, true, 3), vec![9, 8, 7]);

        assert_eq!((page.rows, page.has_previous, page.has_next), (vec![8, 9], true, false));
    }
}
