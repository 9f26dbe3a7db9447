//! A channel between the nodes of an installation, for hints that may be lost.

use futures_util::future::BoxFuture;

use crate::error::Result;

/// A channel to the other nodes.
pub trait Channel: Send + Sync {
    /// Sends a text to all other nodes.
    ///
    /// # Errors
    /// `Unavailable` when the channel is broken. Open another one then.
    fn send<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<()>>;

    /// Waits for the next text of another node. `None` when the channel is broken.
    fn receive(&mut self) -> BoxFuture<'_, Option<String>>;
}

/// Maximum number of bytes of a text on a channel.
pub const CHANNEL_TEXT_MAX: usize = 7_900;
