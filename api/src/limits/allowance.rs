//! What a caller may still do within its rate limit.

/// The state of a caller's rate limit after its last operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateAllowance {
    /// Maximum number of operations per minute.
    pub limit: u32,
    /// Number of operations that the caller may send immediately.
    pub remaining: u32,
    /// Seconds until `remaining` equals `limit` again if the caller sends nothing.
    pub reset_seconds: u32,
}
