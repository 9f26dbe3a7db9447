//! Relay connections: the arguments, the cursors, and a macro that writes a connection's types
//! so that each carries a description.

use std::str::FromStr;

use async_graphql::SimpleObject;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use helpbot_domain::Invalid;
use helpbot_services::{Error, Part, Result};

/// Items of a page when the caller does not say.
pub const DEFAULT: i32 = 20;
/// Items of a page at most.
pub const MAX: i32 = 100;

/// The four arguments of a connection.
#[derive(Debug, Clone, Default)]
pub struct PageArgs {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

/// Which way to walk, how far, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// At most so many items.
    pub limit: usize,
    /// From the end towards the start.
    pub is_backward: bool,
    /// The item to begin after, or before when walking backward: its decoded cursor.
    pub from: Option<String>,
}

impl PageArgs {
    /// What the arguments ask for. A size over [`MAX`] is taken as that, one under 0 as 0.
    ///
    /// # Errors
    /// `Invalid` for `first` with `last`, `after` with `last`, `before` with `first`, and for a
    /// cursor that is none.
    pub fn walk(&self) -> Result<Walk> {
        let refused = |field, message: &str| Err(Error::from(Invalid::new(field, message)));
        let is_backward = self.last.is_some() || (self.before.is_some() && self.first.is_none());
        if self.first.is_some() && self.last.is_some() {
            return refused("last", "Ask for first or last, not for both");
        }
        let (size, from, stray) =
            if is_backward { (self.last, &self.before, &self.after) } else { (self.first, &self.after, &self.before) };
        if stray.is_some() {
            return refused("before", "after goes with first, before goes with last");
        }
        let limit = usize::try_from(size.unwrap_or(DEFAULT).clamp(0, MAX)).unwrap_or(0);
        let from = from.as_deref().map(|cursor| decode(cursor, is_backward)).transpose()?;
        Ok(Walk { limit, is_backward, from })
    }
}

impl Walk {
    /// The part of a list that goes by a key, with one item more than is shown: it tells whether
    /// there are more.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another list.
    pub fn part<K: FromStr>(&self) -> Result<Part<K>> {
        let field = if self.is_backward { "before" } else { "after" };
        let from = self.from.as_deref().map(|place| place.parse().map_err(|_| bad_cursor(field))).transpose()?;
        Ok(Part { from, is_backward: self.is_backward, limit: one_more(self) })
    }
}

/// A cursor for an item, from what tells its place.
pub fn encode(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

fn decode(cursor: &str, is_backward: bool) -> Result<String> {
    let field = if is_backward { "before" } else { "after" };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| bad_cursor(field))
}

/// The refusal of a cursor that is none of this list's.
pub fn bad_cursor(field: &'static str) -> Error {
    Invalid::new(field, format!("{field} is not a cursor of this list")).into()
}

/// Where a page lies in its list.
#[derive(Debug, Clone, Default, PartialEq, Eq, SimpleObject)]
pub struct PageInfo {
    /// Whether more items follow the page.
    pub has_next_page: bool,
    /// Whether items come before the page.
    pub has_previous_page: bool,
    /// The cursor of its first item.
    pub start_cursor: Option<String>,
    /// The cursor of its last item.
    pub end_cursor: Option<String>,
}

/// Puts the items of a walk, one more than its limit if there are more, in the list's order.
/// Gives them with whether more come before and after.
pub fn trim<T>(walk: &Walk, mut items: Vec<T>) -> (Vec<T>, bool, bool) {
    let has_more = items.len() > walk.limit;
    items.truncate(walk.limit);
    let has_from = walk.from.is_some();
    if walk.is_backward {
        items.reverse();
        (items, has_more, has_from)
    } else {
        (items, has_from, has_more)
    }
}

/// Writes `XConnection` and `XEdge` for a node type.
macro_rules! connection {
    ($(#[$doc:meta])* $connection:ident, $(#[$edge_doc:meta])* $edge:ident, $node:ty) => {
        $(#[$edge_doc])*
        #[derive(Clone, async_graphql::SimpleObject)]
        pub struct $edge {
            /// The item.
            pub node: $node,
            /// Its place in the list, for `after` and `before`.
            pub cursor: String,
        }

        $(#[$doc])*
        pub struct $connection {
            pub(crate) edges: Vec<$edge>,
            pub(crate) page_info: $crate::schema::page::PageInfo,
            pub(crate) total: $crate::schema::page::Total,
        }

        impl $connection {
            /// A page from nodes in the list's order, each with its place.
            pub(crate) fn new(
                nodes: Vec<($node, String)>,
                has_previous_page: bool,
                has_next_page: bool,
                total: $crate::schema::page::Total,
            ) -> Self {
                let edges: Vec<$edge> =
                    nodes.into_iter().map(|(node, place)| $edge { node, cursor: $crate::schema::page::encode(&place) }).collect();
                let page_info = $crate::schema::page::PageInfo {
                    has_next_page,
                    has_previous_page,
                    start_cursor: edges.first().map(|edge| edge.cursor.clone()),
                    end_cursor: edges.last().map(|edge| edge.cursor.clone()),
                };
                Self { edges, page_info, total }
            }
        }

        $(#[$doc])*
        #[async_graphql::Object]
        impl $connection {
            /// The items with their cursors.
            async fn edges(&self) -> Vec<$edge> {
                self.edges.clone()
            }

            /// The items.
            async fn nodes(&self) -> Vec<$node> {
                self.edges.iter().map(|edge| edge.node.clone()).collect()
            }

            /// Where the page lies in the list.
            async fn page_info(&self) -> $crate::schema::page::PageInfo {
                self.page_info.clone()
            }

            /// Items of the whole list; counted only when asked for.
            async fn total_count(&self) -> async_graphql::Result<i32> {
                (self.total)().await
            }
        }
    };
}
pub(crate) use connection;

/// Items to ask the database for: one more than the page, to see whether more follow.
pub fn one_more(walk: &Walk) -> i64 {
    i64::try_from(walk.limit).unwrap_or(i64::MAX).saturating_add(1)
}

/// What lists without `first` count for in the cost of an operation: as many items as a rule of
/// theirs allows or, where a list is mostly far shorter than that, a good deal more than is usual.
/// A site has five webhooks.
pub const WEBHOOKS: usize = 5;
/// Members of a team, of which 200 are allowed and a help desk has ten.
pub const MEMBERS: usize = 50;
/// Keys that open are at most 50; those revoked before them are listed too.
pub const KEYS: usize = 50;
/// Waiting mails are listed a hundred at a time.
pub const MAILS: usize = 100;
/// Days of activity in a year; a longer range costs the database the same.
pub const DAYS: usize = 365;
/// Wordings of a topic: at most 20, mostly two or three.
pub const WORDINGS: usize = 10;

/// The cost of a list: that of its items times how many there may be.
pub fn cost(first: Option<i32>, last: Option<i32>, item: usize) -> usize {
    let size = first.or(last).unwrap_or(DEFAULT).clamp(1, MAX);
    1 + usize::try_from(size).unwrap_or(1) * item
}

/// A [`Total`] from how to count.
pub fn total<F>(count: impl Fn() -> F + Send + Sync + 'static) -> Total
where
    F: Future<Output = Result<i32>> + Send + 'static,
{
    Box::new(move || {
        let counted = count();
        Box::pin(async move { Ok(counted.await?) })
    })
}

/// Counts a whole list when asked.
pub type Total = Box<dyn Fn() -> futures_util::future::BoxFuture<'static, async_graphql::Result<i32>> + Send + Sync>;

#[cfg(test)]
mod tests {
    use super::*;

    fn args(first: Option<i32>, after: Option<&str>, last: Option<i32>, before: Option<&str>) -> PageArgs {
        PageArgs { first, after: after.map(encode), last, before: before.map(encode) }
    }

    #[test]
    fn sizes_are_bounded_and_the_direction_follows_the_arguments() {
        let walk = |args: PageArgs| args.walk().expect("good arguments");

        assert_eq!(walk(PageArgs::default()), Walk { limit: 20, is_backward: false, from: None });
        assert_eq!(
            walk(args(Some(500), Some("a"), None, None)),
            Walk { limit: 100, is_backward: false, from: Some("a".into()) }
        );
        assert_eq!(
            walk(args(None, None, Some(3), Some("z"))),
            Walk { limit: 3, is_backward: true, from: Some("z".into()) }
        );
        assert_eq!(walk(args(None, None, Some(-3), None)), Walk { limit: 0, is_backward: true, from: None });
    }

    #[test]
    fn arguments_that_contradict_each_other_are_refused() {
        assert!(args(Some(1), None, Some(1), None).walk().is_err());
        assert!(args(Some(1), None, None, Some("z")).walk().is_err());
        assert!(args(None, Some("a"), Some(1), None).walk().is_err());
        assert!(PageArgs { after: Some("*".into()), ..PageArgs::default() }.walk().is_err());
    }

    #[test]
    fn a_backward_walk_is_turned_into_the_lists_order() {
        let walk = Walk { limit: 2, is_backward: true, from: None };

        assert_eq!(trim(&walk, vec![9, 8, 7]), (vec![8, 9], true, false));
    }
}
