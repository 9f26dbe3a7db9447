//! A client for the REST API of the service that an account is imported from. It repeats requests while the
//! service is busy, and it must not store anything.

use std::time::Duration;

use helpbot_outbound::{Client, FetchError, FetchLimits, FetchedPage, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use super::super::failure::CommandFailure;
use super::super::output;

/// Conversations per page, which is the maximum of the API.
pub(super) const PAGE: u64 = 100;
/// Attempts at one request. A restart of the service takes less time than all of them together.
const ATTEMPTS: u32 = 5;
/// Pause before the second attempt. It doubles before each further attempt.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// When the service asks for a longer pause, the import ends and can be continued later.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
const MIB: u64 = 1024 * 1024;

/// A page has 100 answers of a few kilobytes each, and JSON with repeated words compresses well.
const LIMITS: FetchLimits =
    FetchLimits { wire_bytes: 32 * MIB, decoded_bytes: 64 * MIB, ratio: 1000, ..FetchLimits::PAGE };

/// A client for one account.
pub(super) struct LegacyClient {
    client: Client,
    base: Url,
    headers: HeaderMap,
}

/// Why a request failed.
pub(super) enum RequestError {
    /// The account's plan or the key's scopes do not allow it. Contains the message of the API.
    NotAllowed(String),
    /// The import cannot continue now.
    Failed(CommandFailure),
}

impl LegacyClient {
    /// A client for the account of `key` at `url`, which may end in `/api/v1`.
    pub(super) fn new(client: Client, url: &Url, key: &str) -> Result<Self, CommandFailure> {
        let mut base = url.clone();
        let path = url.path().trim_end_matches('/').trim_end_matches("/api/v1").to_owned();
        base.set_path(&format!("{path}/api/v1/"));
        base.set_query(None);
        base.set_fragment(None);
        let bearer = HeaderValue::try_from(format!("Bearer {key}"))
            .map_err(|_| CommandFailure::usage("--key: a key consists of letters, digits and underscores"))?;
        let headers = [(HeaderName::from_static("authorization"), bearer)].into_iter().collect();
        Ok(Self { client, base, headers })
    }

    /// Base URL of the API.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// The JSON response to `GET path`. Repeats the request while the service is busy or unreachable.
    pub(super) async fn get(&self, path: &str) -> Result<Value, RequestError> {
        let url = self.base.join(path).map_err(|error| failed(format!("{path}: {error}")))?;
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let asked = self.client.get_once(&url, self.headers.clone(), &LIMITS).await;
            let (why, wait) = match asked {
                Ok(fetched) => match classify(&url, fetched) {
                    LegacyResponse::Success(value) => return Ok(value),
                    LegacyResponse::Failure(refused) => return Err(refused),
                    LegacyResponse::RetryLater(why, wait) => (why, wait.unwrap_or(pause)),
                },
                Err(error @ FetchError::Url(_)) => return Err(failed(format!("{url}: {error}"))),
                Err(error) => (error.to_string(), pause),
            };
            if attempt == ATTEMPTS || wait > LONGEST_PAUSE {
                return Err(failed(format!("{}: {why}; run the same command again to continue", url.path())));
            }
            output::progress(&format!("waiting {} s before the next attempt: {}: {why}", wait.as_secs(), url.path()));
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
        unreachable!("the loop returns at the last attempt")
    }
}

/// What a response means for the import.
enum LegacyResponse {
    Success(Value),
    Failure(RequestError),
    /// The message of the API, and the pause that it asks for.
    RetryLater(String, Option<Duration>),
}

fn classify(url: &Url, fetched: FetchedPage) -> LegacyResponse {
    let said = serde_json::from_slice::<Value>(&fetched.body);
    let words = said.as_ref().ok().and_then(|body| body["error"].as_str()).unwrap_or("no reason was given").to_owned();
    match fetched.status {
        200..300 => match said {
            Ok(value) => LegacyResponse::Success(value),
            Err(_) => LegacyResponse::Failure(failed(format!(
                "{url} did not return JSON; check that it is the address of a HelpBot service"
            ))),
        },
        401 => LegacyResponse::Failure(failed(format!(
            "{url} rejected the API key ({words}); check --key or HELPBOT_LEGACY_KEY"
        ))),
        403 => LegacyResponse::Failure(RequestError::NotAllowed(words)),
        429 | 500.. => {
            let wait = fetched.retry_after.and_then(|wait| wait.trim().parse().ok()).map(Duration::from_secs);
            LegacyResponse::RetryLater(format!("HTTP {} ({words})", fetched.status), wait)
        }
        status => LegacyResponse::Failure(failed(format!("{url} answered HTTP {status} ({words})"))),
    }
}

fn failed(message: impl Into<String>) -> RequestError {
    RequestError::Failed(CommandFailure::failed(message))
}
