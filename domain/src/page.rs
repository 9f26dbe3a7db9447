//! A page request: which part of a list to return.

/// One page of a list that is ordered by a unique key of type `K`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageRequest<K> {
    /// Start after this key, or before it when `is_backward` is set. `None` starts at the end of
    /// the list that the direction implies.
    pub from: Option<K>,
    /// Read the list in reverse. The items are then returned in reverse order as well.
    pub is_backward: bool,
    /// Maximum number of items.
    pub limit: i64,
}

impl<K> PageRequest<K> {
    /// Requests the first `limit` items.
    pub const fn first(limit: i64) -> Self {
        Self { from: None, is_backward: false, limit }
    }

    /// Requests the `limit` items after `from`, or the first ones when `from` is `None`.
    pub const fn after(from: Option<K>, limit: i64) -> Self {
        Self { from, is_backward: false, limit }
    }
}
