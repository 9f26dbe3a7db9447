//! Outgoing connections: an HTTP client that enforces rules and limits, and SMTP.
//!
//! The crawler uses [`Client::get`], webhook delivery uses [`Client::post_webhook`], model clients
//! use [`Client::post_json_stream`], and mails go through [`Mailer`]. Nothing else in the workspace
//! opens outgoing connections; a lint disallows other HTTP constructors.
//!
//! Guarantees: a URL is checked before it is stored ([`check_url`], without network access), and
//! every address is checked again at the moment of connecting. Neither an unusual notation, nor a
//! redirect, nor a DNS answer that changes in between reaches the internal network. No proxy is
//! read from the environment. Every exchange is limited in time and in bytes, before and after
//! decompression ([`FetchLimits`]). Failures are a closed list that a site owner can read
//! ([`FetchError`]).
//!
//! This crate does not decide what to fetch, does not retry, and knows neither the database nor the
//! schema.

pub mod address;
mod allow;
mod body;
mod client;
mod decode;
mod dial;
mod error;
mod fetch;
mod limits;
pub mod mail;
mod policy;
mod smtp;
mod stream;
mod timing;
mod tls;
mod webhook;

pub use allow::{AllowList, AllowListError};
pub use client::{Client, UserAgent};
pub use dial::{Dial, Lookup, LookupFuture, system_lookup};
pub use error::{FetchError, SetupError};
pub use fetch::{Conditional, FetchedPage};
pub use limits::{FetchLimits, Overflow, StreamLimits, WebhookLimits};
pub use mail::{LogMailer, Mail, MailError, Mailer, SendOutcome};
pub use policy::{MAX_URL_BYTES, Policy, UrlError, check_url, parse_url};
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use rustls::pki_types::CertificateDer;
pub use smtp::{SmtpMailer, SmtpSettings};
pub use stream::{ByteStream, Streamed};
pub use timing::Timing;
pub use tls::authorities_from_pem;
pub use webhook::{ResponseHead, WebhookExchange};
