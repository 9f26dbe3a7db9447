//! Decompression of a response body as it arrives, with limits on the output.
//!
//! Both decoders write into a [`Sink`] in small pieces, and the sink rejects the first byte beyond
//! a limit. A decompression bomb therefore uses memory up to the limit, not up to its size.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use bytes::Bytes;
use flate2::write::MultiGzDecoder;

use crate::error::FetchError;
use crate::limits::{FetchLimits, Overflow};

/// Size of the pieces of decoded output. FetchLimits are checked at least after each piece.
const BROTLI_BUFFER_BYTES: usize = 8 * 1024;

/// The decoder for one response body.
pub(crate) enum Decoder {
    Plain(Sink),
    Gzip(Box<MultiGzDecoder<Sink>>),
    Brotli(Box<DecompressorWriter<Sink>>),
}

impl Decoder {
    /// Creates the decoder for a value of `Content-Encoding`.
    ///
    /// # Errors
    /// `Encoding` for anything but one layer of an encoding that we requested: nested encodings are
    /// used for decompression bombs.
    pub(crate) fn new(content_encoding: Option<&str>, limits: &FetchLimits) -> Result<Self, FetchError> {
        let sink = Sink::new(*limits);
        match content_encoding.map(|value| value.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Ok(Self::Plain(sink)),
            Some("gzip" | "x-gzip") => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(sink)))),
            Some("br") => Ok(Self::Brotli(Box::new(DecompressorWriter::new(sink, BROTLI_BUFFER_BYTES)))),
            Some(_) => Err(FetchError::Encoding),
        }
    }

    /// Decodes bytes from the wire. `wire_bytes` counts all bytes so far, including these.
    ///
    /// # Errors
    /// The limit that was exceeded, or `Damaged`.
    pub(crate) fn push(&mut self, chunk: &[u8], wire_bytes: u64) -> Result<(), FetchError> {
        self.sink().wire_bytes = wire_bytes;
        let written = match self {
            Self::Plain(sink) => sink.write_all(chunk),
            Self::Gzip(decoder) => decoder.write_all(chunk),
            Self::Brotli(decoder) => decoder.write_all(chunk),
        };
        written.map_err(|_| self.failure())
    }

    /// Returns whether the body was truncated at its limit, so that nothing more need be read.
    pub(crate) fn is_full(&mut self) -> bool {
        self.sink().is_full
    }

    /// Ends the body here, at a limit on wire bytes.
    pub(crate) fn cut(&mut self) {
        self.sink().is_full = true;
    }

    /// Returns the decoded body, and whether it was truncated.
    ///
    /// # Errors
    /// The limit that was exceeded, or `Damaged` when the compressed stream ends too early.
    pub(crate) fn finish(mut self) -> Result<(Bytes, bool), FetchError> {
        let is_full = self.is_full();
        // Some servers send an empty compressed body with a 304. That is not damage.
        let has_end = !is_full && self.sink().wire_bytes > 0;
        let ended = match &mut self {
            Self::Gzip(decoder) if has_end => decoder.try_finish(),
            Self::Brotli(decoder) if has_end => decoder.close(),
            _ => Ok(()),
        };
        ended.map_err(|_| self.failure())?;
        let sink = self.sink();
        Ok((Bytes::from(std::mem::take(&mut sink.body)), is_full))
    }

    fn failure(&mut self) -> FetchError {
        self.sink().refused.take().unwrap_or(FetchError::Damaged)
    }

    fn sink(&mut self) -> &mut Sink {
        match self {
            Self::Plain(sink) => sink,
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Brotli(decoder) => decoder.get_mut(),
        }
    }
}

/// The decoded bytes and their limits.
pub(crate) struct Sink {
    body: Vec<u8>,
    limits: FetchLimits,
    wire_bytes: u64,
    is_full: bool,
    refused: Option<FetchError>,
}

impl Sink {
    fn new(limits: FetchLimits) -> Self {
        Self { body: Vec::new(), limits, wire_bytes: 0, is_full: false, refused: None }
    }

    fn refuse(&mut self, error: FetchError) -> io::Result<usize> {
        self.refused = Some(error);
        Err(io::Error::other("limit"))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let limits = self.limits;
        let decoded = self.body.len() as u64 + bytes.len() as u64;
        if decoded >= limits.ratio_from_bytes && decoded / limits.ratio > self.wire_bytes {
            return self.refuse(FetchError::Bomb(limits.ratio));
        }
        if decoded > limits.decoded_bytes {
            if limits.overflow == Overflow::Fail {
                return self.refuse(FetchError::TooLargeDecoded(limits.decoded_bytes));
            }
            let room = usize::try_from(limits.decoded_bytes).unwrap_or(usize::MAX).saturating_sub(self.body.len());
            self.body.extend_from_slice(&bytes[..room]);
            self.is_full = true;
            // Reported as written, so that the decoder does not fail on bytes that are dropped on
            // purpose.
            return Ok(bytes.len());
        }
        self.body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
