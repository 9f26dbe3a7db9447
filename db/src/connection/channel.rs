//! A channel between the nodes of an installation, for hints that may be lost.

use futures_util::future::BoxFuture;

use crate::error::Result;

/// A channel between the nodes.
pub trait Channel: Send + Sync {
    /// Sends a text to all nodes, this one included.
    ///
    /// # Errors
    /// `Unavailable` when the channel is broken. Open another one then.
    fn send<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<()>>;

    /// Waits for the next text of any node, this one included. All nodes receive all texts in the same order. `None`
    /// when the channel is broken.
    fn receive(&mut self) -> BoxFuture<'_, Option<String>>;
}

/// Maximum number of bytes of a text on a channel.
pub const CHANNEL_TEXT_MAX: usize = 7_900;
