//! Limits on what a remote server may cost: timeouts, bytes and rates, each with its reason.
//!
//! All functions take limits as arguments, so that callers can be stricter and tests can be fast.

use std::time::Duration;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Limits of one page fetch, including redirects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// Maximum number of redirects. Browsers follow 20; real sites need at most three (scheme,
    /// host, trailing slash).
    pub redirects: usize,
    /// Time from sending a request to receiving the response headers, including connecting. Applies
    /// to each redirect.
    pub first_byte: Duration,
    /// Duration of the whole fetch, including all redirects and the body.
    pub total: Duration,
    /// Size of the body as received.
    pub wire_bytes: u64,
    /// Size of the body after decompression.
    pub decoded_bytes: u64,
    /// Decoded bytes per received byte, checked once `ratio_from_bytes` are decoded. Text seldom
    /// exceeds 20; a bomb reaches a thousand.
    pub ratio: u64,
    /// Decoded size from which `ratio` applies. Small bodies may compress extremely well without
    /// harm.
    pub ratio_from_bytes: u64,
    /// Minimum average rate of the body after `slow_grace`, in bytes per second.
    pub min_bytes_per_second: u64,
    /// Time before the minimum rate applies.
    pub slow_grace: Duration,
    /// What happens when `wire_bytes` or `decoded_bytes` is exceeded.
    pub overflow: Overflow,
}

/// What happens to a body that exceeds its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// The fetch fails, because half a page or half a PDF is of no use.
    Fail,
    /// The beginning is kept and marked as truncated, as RFC 9309 requires for robots.txt.
    Truncate,
}

impl FetchLimits {
    /// Limits for a page or file of a site.
    pub const PAGE: Self = Self {
        redirects: 5,
        first_byte: Duration::from_secs(15),
        total: Duration::from_secs(60),
        wire_bytes: 10 * MIB,
        decoded_bytes: 20 * MIB,
        ratio: 100,
        ratio_from_bytes: MIB,
        min_bytes_per_second: KIB,
        slow_grace: Duration::from_secs(10),
        overflow: Overflow::Fail,
    };

    /// Limits for robots.txt: at least 500 KiB must be read, more is optional (RFC 9309 section
    /// 2.5).
    pub const ROBOTS: Self = Self {
        total: Duration::from_secs(30),
        wire_bytes: 500 * KIB,
        decoded_bytes: 500 * KIB,
        overflow: Overflow::Truncate,
        ..Self::PAGE
    };

    /// Limits for a sitemap. The protocol allows 50 MB uncompressed, and XML of similar URLs
    /// compresses far better than prose.
    pub const SITEMAP: Self = Self { decoded_bytes: 50 * MIB, ratio: 300, ..Self::PAGE };
}

/// Limits of one webhook attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookLimits {
    /// Time until the response headers arrive, including connecting.
    pub first_byte: Duration,
    /// Duration of the whole exchange, including the stored part of the body.
    pub total: Duration,
    /// Number of bytes of the response body that are stored. Nothing is read beyond them.
    pub head_bytes: usize,
}

impl WebhookLimits {
    /// The documented limit for receivers is 15 s. A body that is still arriving 5 s later is
    /// truncated.
    pub const DEFAULT: Self =
        Self { first_byte: Duration::from_secs(15), total: Duration::from_secs(20), head_bytes: 16 * 1024 };
}

/// Limits of one streamed exchange with a configured server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Time until the response headers arrive. A model may have to be loaded first.
    pub first_byte: Duration,
    /// Time between two chunks.
    pub idle: Duration,
    /// Duration of the whole exchange.
    pub total: Duration,
    /// Size of the body as received.
    pub wire_bytes: u64,
}

impl StreamLimits {
    /// Limits for an answer that a visitor is waiting for.
    pub const ANSWER: Self = Self {
        first_byte: Duration::from_secs(20),
        idle: Duration::from_secs(10),
        total: Duration::from_secs(60),
        wire_bytes: 4 * MIB,
    };

    /// Limits for the embeddings of many texts, which nobody waits for. Without a graphics card, a
    /// batch takes a minute, and the response lists every number.
    pub const EMBEDDINGS: Self = Self {
        first_byte: Duration::from_secs(90),
        idle: Duration::from_secs(10),
        total: Duration::from_secs(120),
        wire_bytes: 32 * MIB,
    };
}
