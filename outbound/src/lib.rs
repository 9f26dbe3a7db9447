//! The only door to the internet: guarded HTTP client, address table, limits; SMTP.
//!
//! Actors: the crawler ([`Client::get`]), webhook delivery ([`Client::post_webhook`]), model
//! clients ([`Client::post_json_stream`]) and mail ([`Mailer`]). Nothing else in the workspace
//! opens a connection outwards; other HTTP constructors are disallowed by lint.
//!
//! Guarantees: a URL is judged before it is stored ([`check_url`], no network) and every address
//! is judged again at the moment it is dialled, so that neither an odd spelling, nor a redirect,
//! nor a DNS answer that changes between the check and the connection reaches the inside. No
//! proxy is taken from the environment. Every exchange is bounded in time and in bytes, before
//! and after decompression ([`Limits`]). Failures are a closed list that a site owner can read
//! ([`FetchError`]).
//!
//! It never decides what to fetch, never retries, and knows neither database nor schema.

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
pub use client::{Client, SetupError, UserAgent};
pub use dial::{Dial, Lookup, LookupFuture, system_lookup};
pub use error::FetchError;
pub use fetch::{Conditional, Fetched};
pub use limits::{Limits, Overflow, StreamLimits, WebhookLimits};
pub use mail::{LogMailer, Mail, MailError, Mailer, Sent, SmtpMailer, SmtpSettings};
pub use policy::{MAX_URL_BYTES, Policy, UrlError, check_url, parse_url};
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use rustls::pki_types::CertificateDer;
pub use stream::{ByteStream, Streamed};
pub use timing::Timing;
pub use tls::authorities_from_pem;
pub use webhook::{Attempt, ResponseHead};
