//! How much a stranger's server may cost: deadlines, bytes and rates, each with its reason.
//!
//! Limits are arguments everywhere, so that a caller can be stricter and a test can be quick.

use std::time::Duration;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Bounds of one page fetch, redirects included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Redirect hops followed. Browsers take 20; real sites need at most three (scheme, host,
    /// trailing slash).
    pub redirects: usize,
    /// From sending a request to its response head, dialling included; per hop.
    pub first_byte: Duration,
    /// The whole fetch, all hops and the body.
    pub total: Duration,
    /// Body bytes as they come over the wire.
    pub wire_bytes: u64,
    /// Body bytes after decompression.
    pub decoded_bytes: u64,
    /// Decoded bytes per wire byte, judged once `ratio_from_bytes` are decoded: text seldom
    /// passes 20, a bomb has a thousand.
    pub ratio: u64,
    /// Small bodies may compress extremely well without harm.
    pub ratio_from_bytes: u64,
    /// Bytes per second that the body must average after `slow_grace`.
    pub min_bytes_per_second: u64,
    /// How long a body may stall before the minimum rate applies.
    pub slow_grace: Duration,
    /// What happens at `wire_bytes` or `decoded_bytes`.
    pub overflow: Overflow,
}

/// What becomes of a body that is larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// The fetch fails: half a page or half a PDF is of no use.
    Fail,
    /// The beginning is kept and marked: RFC 9309 asks this for robots.txt.
    Truncate,
}

impl Limits {
    /// A page or file of a site.
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

    /// robots.txt: at least 500 KiB must be read, more need not be (RFC 9309 section 2.5).
    pub const ROBOTS: Self = Self {
        total: Duration::from_secs(30),
        wire_bytes: 500 * KIB,
        decoded_bytes: 500 * KIB,
        overflow: Overflow::Truncate,
        ..Self::PAGE
    };

    /// A sitemap: 50 MB uncompressed is the protocol's own limit, and XML of URLs that differ
    /// in a number compresses far better than prose.
    pub const SITEMAP: Self = Self { decoded_bytes: 50 * MIB, ratio: 300, ..Self::PAGE };
}

/// Bounds of one webhook attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookLimits {
    /// To the response head, dialling included.
    pub first_byte: Duration,
    /// The whole exchange, the kept part of the body included.
    pub total: Duration,
    /// Bytes of the response body that are kept; nothing is read past them.
    pub head_bytes: usize,
}

impl WebhookLimits {
    /// 15 s is what receivers are told; a body that is still coming 5 s later is cut.
    pub const DEFAULT: Self =
        Self { first_byte: Duration::from_secs(15), total: Duration::from_secs(20), head_bytes: 16 * 1024 };
}

/// Bounds of one streamed exchange with a configured server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// To the response head: a model may have to be loaded first.
    pub first_byte: Duration,
    /// Between two chunks.
    pub idle: Duration,
    /// The whole exchange.
    pub total: Duration,
    /// Body bytes over the wire.
    pub wire_bytes: u64,
}

impl StreamLimits {
    /// For an answer that a visitor waits for.
    pub const ANSWER: Self = Self {
        first_byte: Duration::from_secs(20),
        idle: Duration::from_secs(10),
        total: Duration::from_secs(60),
        wire_bytes: 4 * MIB,
    };

    /// For vectors of many texts, which nobody waits for: on a machine without a graphics card a
    /// batch takes a minute, and its numbers are written out in full.
    pub const EMBEDDINGS: Self = Self {
        first_byte: Duration::from_secs(90),
        idle: Duration::from_secs(10),
        total: Duration::from_secs(120),
        wire_bytes: 32 * MIB,
    };
}
