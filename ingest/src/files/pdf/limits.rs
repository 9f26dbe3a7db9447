//! What the parent and the child that reads a PDF agree on: the limits, the mark of the output, an exit code.
//!
//! Used by [`pdf`](super), the parent's side, and by `serve`, the child's side.

use std::time::Duration;

/// Marker before the output of the child. A program that does not know the subcommand may print anything.
pub(super) const MARK: &[u8] = b"helpbot-pdf-text\n";

/// Exit code for a file that is encrypted.
pub(super) const EXIT_ENCRYPTED: u8 = 10;

/// Limits for reading one PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Address space of the child, in bytes.
    pub memory_bytes: u64,
    /// Processor time of the child, in seconds.
    pub cpu_seconds: u64,
    /// Time from start to end, measured by the parent.
    pub wall_time: Duration,
    /// Maximum output of the child, in bytes.
    pub output_bytes: u64,
}

impl Default for Limits {
    /// Half a gigabyte, 20 seconds, 4 MiB of text: four times what a 500-page manual needs. Text takes ten times
    /// its size of memory until it is stored and in the index.
    fn default() -> Self {
        Self {
            memory_bytes: 512 * 1024 * 1024,
            cpu_seconds: 20,
            wall_time: Duration::from_secs(30),
            output_bytes: 4 * 1024 * 1024,
        }
    }
}
