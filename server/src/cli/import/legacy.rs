//! The account that is moved, as its REST API shows it.

use std::time::Duration;

use helpbot_outbound::{Client, FetchError, Fetched, HeaderMap, HeaderName, HeaderValue, Limits};
use serde_json::Value;
use url::Url;

use super::super::failure::Failure;
use super::super::output;

/// Conversations on one page; the API gives no more.
pub(super) const PAGE: u64 = 100;
/// Attempts at one request: a service that restarts is back within them.
const ATTEMPTS: u32 = 5;
/// The pause before the second attempt, doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// A longer pause than this is the operator's to wait for; the import goes on later.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
const MIB: u64 = 1024 * 1024;

/// A page has a hundred answers of some kilobytes; JSON of repeated words compresses well.
const LIMITS: Limits = Limits { wire_bytes: 32 * MIB, decoded_bytes: 64 * MIB, ratio: 1000, ..Limits::PAGE };

/// The way to the account.
pub(super) struct Legacy {
    client: Client,
    base: Url,
    headers: HeaderMap,
}

/// Why the API did not show something.
pub(super) enum Refused {
    /// The account's plan or the key's rights do not include it; what the API said.
    NotAllowed(String),
    /// Nothing further can be moved now.
    Failed(Failure),
}

impl Legacy {
    /// The account that `key` opens at `url`; the address may end in `/api/v1`.
    pub(super) fn new(client: Client, url: &Url, key: &str) -> Result<Self, Failure> {
        let mut base = url.clone();
        let path = url.path().trim_end_matches('/').trim_end_matches("/api/v1").to_owned();
        base.set_path(&format!("{path}/api/v1/"));
        base.set_query(None);
        base.set_fragment(None);
        let bearer = HeaderValue::try_from(format!("Bearer {key}"))
            .map_err(|_| Failure::usage("--key: a key has only letters, digits and underscores"))?;
        let headers = [(HeaderName::from_static("authorization"), bearer)].into_iter().collect();
        Ok(Self { client, base, headers })
    }

    /// Where its API is.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// The answer to GET of `path`, asked again while the service is busy or away.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Refused> {
        let url = self.base.join(path).map_err(|error| failed(format!("{path}: {error}")))?;
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let asked = self.client.get_once(&url, self.headers.clone(), &LIMITS).await;
            let (why, wait) = match asked {
                Ok(fetched) => match judged(&url, fetched) {
                    Judged::Answer(value) => return Ok(value),
                    Judged::Refused(refused) => return Err(refused),
                    Judged::Later(why, wait) => (why, wait.unwrap_or(pause)),
                },
                Err(error @ FetchError::Url(_)) => return Err(failed(format!("{url}: {error}"))),
                Err(error) => (error.to_string(), pause),
            };
            if attempt == ATTEMPTS || wait > LONGEST_PAUSE {
                return Err(failed(format!("{}: {why}; run the same command again to go on", url.path())));
            }
            output::progress(&format!("waiting {} s: {}: {why}", wait.as_secs(), url.path()));
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
        unreachable!("the loop returns at the last attempt")
    }
}

enum Judged {
    Answer(Value),
    Refused(Refused),
    Later(String, Option<Duration>),
}

fn judged(url: &Url, fetched: Fetched) -> Judged {
    let said = serde_json::from_slice::<Value>(&fetched.body);
    let words = said.as_ref().ok().and_then(|body| body["error"].as_str()).unwrap_or("no reason was given").to_owned();
    match fetched.status {
        200..300 => match said {
            Ok(value) => Judged::Answer(value),
            Err(_) => Judged::Refused(failed(format!("{url} gave no JSON; is this the address of a HelpBot service?"))),
        },
        401 => Judged::Refused(failed(format!("the service does not accept the key: {words}"))),
        403 => Judged::Refused(Refused::NotAllowed(words)),
        429 | 500.. => {
            let wait = fetched.retry_after.and_then(|wait| wait.trim().parse().ok()).map(Duration::from_secs);
            Judged::Later(format!("HTTP {} ({words})", fetched.status), wait)
        }
        status => Judged::Refused(failed(format!("{url} answered HTTP {status} ({words})"))),
    }
}

fn failed(message: impl Into<String>) -> Refused {
    Refused::Failed(Failure::failed(message))
}
