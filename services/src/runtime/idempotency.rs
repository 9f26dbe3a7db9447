//! Idempotent requests: a request with an idempotency key is carried out at most once, however
//! often it is sent.
//!
//! The first request with a key runs. The same request again waits while it runs and then gets the
//! same response, for [`KEPT_FOR`]. A different request with the key is refused. A request that
//! failed before it wrote anything is forgotten, so that it can be corrected and sent again with
//! its key.
//!
//! Idempotency keys are scoped to the API key. Visitors share a widget key, so its idempotency keys
//! are scoped to the visitor's session too, or without a session token to the client's address.
//! Because several visitors can have one address, a stored response then contains no session token.
//!
//! The transaction that carries a request out also records that it did (`helpbot_db::idempotency`).
//! If the process dies in between, the request is not carried out twice; at worst its response is
//! lost, and the caller gets an error that says so. Responses are sealed, because some contain the
//! secret of a new key.

use std::net::IpAddr;
use std::time::Duration;

use helpbot_db as db;
use helpbot_db::idempotency::IdempotentRequest;
use helpbot_domain::key::KeyKind;
use helpbot_domain::{Invalid, Timestamp};

use crate::accounts::{access, session_token};
use crate::runtime::batches;
use crate::runtime::randomness;
use crate::runtime::sealer::{self, Purpose};
use crate::{Error, Result, Services, Viewer, boxed};

pub use helpbot_db::idempotency::RequestAttempt;

/// How long a response is stored.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 3_600);
/// Maximum number of characters of an idempotency key.
pub const NAME_CHARS_MAX: usize = 255;

/// Time after which an unfinished request counts as abandoned, because its process died or its
/// caller no longer waits. Another request may then take over, and later writes of the first one
/// are refused.
const HELD_FOR: Duration = Duration::from_secs(60);
/// How long a request waits for the response of a running one. It equals the deadline of REST
/// requests.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Interval at which a waiting request checks whether the running one has ended, on any node.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Maximum size of a stored response. Larger ones are not stored, so that a caller cannot fill the
/// disk.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A request with an idempotency key.
#[derive(Debug, Clone)]
pub struct Named {
    /// The value of the `Idempotency-Key` header.
    pub name: String,
    /// Hash of the whole request. Two requests are the same when their hashes are equal.
    pub request_hash: String,
    /// Address of the client, when it is known.
    pub address: Option<IpAddr>,
}

/// How to proceed with a request.
#[derive(Debug)]
pub enum RequestStart {
    /// Run the request with [`run`], then finish it with [`end`].
    Run(RequestAttempt),
    /// The request was already carried out, with this response.
    Answered(String),
}

/// What is known about a request.
enum EarlierRequest {
    Run,
    Answered(Vec<u8>),
    Lost,
    Mismatch,
    Wait,
}

/// Runs `work` for a request. Its writes are committed together with the record that the request
/// was carried out.
pub async fn run<F: Future>(turn: &RequestAttempt, work: F) -> F::Output {
    db::idempotency::in_attempt(turn.clone(), work).await
}

/// Begins a request. Waits while the same request is running.
///
/// # Errors
/// `Invalid` for a malformed idempotency key; `IdempotencyMismatch`; `Conflict` when the request
/// was carried out and its response is no longer available; `Unavailable` when the first request
/// still runs after 30 seconds.
#[boxed]
pub async fn begin(services: &Services, viewer: &Viewer, named: &Named) -> Result<RequestStart> {
    check(&named.name)?;
    let turn = RequestAttempt {
        key_id: viewer.key_id,
        name: stored_name(viewer, named),
        holder: randomness::uuid(services.now()).to_string(),
    };
    let mut waited = Duration::ZERO;
    while waited < WAIT_MAX {
        match look(services, &turn, &named.request_hash).await? {
            EarlierRequest::Run => return Ok(RequestStart::Run(turn)),
            EarlierRequest::Answered(sealed) => return opened(services, &turn, &sealed).map(RequestStart::Answered),
            EarlierRequest::Lost => return Err(lost()),
            EarlierRequest::Mismatch => return Err(Error::IdempotencyMismatch),
            EarlierRequest::Wait => tokio::time::sleep(LOOK_EVERY).await,
        }
        waited += LOOK_EVERY;
    }
    let cause = "the first request of its name is still running".to_owned();
    Err(Error::Unavailable { retry_after: Duration::from_secs(1), cause })
}

/// Ends a request: stores the response if the request wrote anything, and forgets the request
/// otherwise.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn end(services: &Services, viewer: &Viewer, turn: RequestAttempt, answer: &str) -> Result<()> {
    let answer = &stored_answer(services, viewer, answer);
    let sealed = (answer.len() <= ANSWER_BYTES_MAX).then(|| {
        sealer::seal(&services.settings.secret_key, Purpose::IdempotentResponse, context(&turn).as_bytes(), answer)
    });
    services
        .db
        .write(move |c| Box::pin(async move { Ok(db::idempotency::end(c, &turn, sealed.as_deref()).await?) }))
        .await
}

/// Deletes requests that were first sent longer ago than [`KEPT_FOR`]. Returns their number.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn delete_expired(services: &Services) -> Result<usize> {
    let before = services.now().minus(KEPT_FOR);
    batches::delete_before(services, "deletion of expired idempotent requests", before, |c, before, limit| {
        Box::pin(db::idempotency::delete_before(c, before, limit))
    })
    .await
}

async fn look(services: &Services, turn: &RequestAttempt, request_hash: &str) -> Result<EarlierRequest> {
    let (turn, hash, now) = (turn.clone(), request_hash.to_owned(), services.now());
    let until = now.plus(HELD_FOR);
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                if db::idempotency::reserve(c, &turn, &hash, now, until).await? {
                    return Ok(EarlierRequest::Run);
                }
                // The request may have been deleted in between. The next check then finds its key
                // unused.
                let known = db::idempotency::known(c, turn.key_id, &turn.name).await?;
                let look = known.map_or(EarlierRequest::Wait, |known| judge(known, &hash, now));
                if let EarlierRequest::Run = look {
                    db::idempotency::take_over(c, &turn, &hash, now, until).await?;
                }
                Ok(look)
            })
        })
        .await
}

fn opened(services: &Services, turn: &RequestAttempt, sealed: &[u8]) -> Result<String> {
    // Opening fails only when the secret key of the installation was changed without a rotation.
    let open = |key| sealer::open(key, Purpose::IdempotentResponse, context(turn).as_bytes(), sealed);
    services.settings.accepted_keys().find_map(open).ok_or_else(lost)
}

/// Decides how to proceed, given an earlier request with the same idempotency key.
fn judge(known: IdempotentRequest, hash: &str, now: Timestamp) -> EarlierRequest {
    let is_held = known.held_until > now;
    if known.created_at.plus(KEPT_FOR) <= now && !is_held {
        return EarlierRequest::Run;
    }
    if known.request_hash != hash {
        return EarlierRequest::Mismatch;
    }
    match known.answer {
        Some(answer) => EarlierRequest::Answered(answer),
        None if is_held => EarlierRequest::Wait,
        None if known.is_carried_out => EarlierRequest::Lost,
        None => EarlierRequest::Run,
    }
}

fn lost() -> Error {
    Error::Conflict("A request with this Idempotency-Key already succeeded, but its response is no longer stored. Query the current state instead.".into())
}

fn check(name: &str) -> Result<()> {
    let is_one = (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    let message = format!("An idempotency key must have 1 to {NAME_CHARS_MAX} visible ASCII characters.");
    if is_one { Ok(()) } else { Err(Invalid::new("idempotencyKey", message).into()) }
}

/// Returns the stored form of an idempotency key: a hash, because the key may be long and readers
/// of the database must not learn it.
fn stored_name(viewer: &Viewer, named: &Named) -> String {
    // Neither a session ID nor a name contains a line break, so different scopes and names differ.
    let scope = match (viewer.kind, viewer.session_id()) {
        (KeyKind::Widget, Some(session)) => session.to_owned(),
        (KeyKind::Widget, None) => {
            format!("\n{}", named.address.map_or_else(String::new, |address| address.to_canonical().to_string()))
        }
        (KeyKind::Secret | KeyKind::Member | KeyKind::SignIn | KeyKind::Legacy | KeyKind::Operator, _) => String::new(),
    };
    access::hash(&format!("{scope}\n{}", named.name))
}

/// Returns the response as it is stored. For a visitor without a session token, it contains no
/// session token: another visitor with the same address could get it by the same request.
fn stored_answer(services: &Services, viewer: &Viewer, answer: &str) -> String {
    if viewer.kind != KeyKind::Widget || viewer.session.is_some() {
        return answer.to_owned();
    }
    let Some(site) = viewer.site_id else { return answer.to_owned() };
    let Ok(mut value) = serde_json::from_str(answer) else { return answer.to_owned() };
    let now = services.now();
    let is_token = |text: &str| {
        services.settings.accepted_keys().any(|key| session_token::session(key, site, text, now).is_some())
    };
    remove(&mut value, &is_token);
    value.to_string()
}

/// Replaces all strings of a JSON value that are secret by null.
fn remove(value: &mut serde_json::Value, is_secret: &impl Fn(&str) -> bool) {
    use serde_json::Value;
    match value {
        Value::String(text) if is_secret(text) => *value = Value::Null,
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, is_secret)),
        Value::Object(fields) => fields.values_mut().for_each(|field| remove(field, is_secret)),
        _ => {}
    }
}

fn context(turn: &RequestAttempt) -> String {
    format!("{}\n{}", turn.key_id, turn.name)
}

#[cfg(test)]
mod tests {
    use helpbot_domain::ids::KeyId;
    use uuid::Uuid;

    use super::*;
    use crate::ProvedSession;

    const NOW: Timestamp = Timestamp::from_ms(1_772_366_400_000);

    fn known() -> IdempotentRequest {
        IdempotentRequest {
            request_hash: "hash".into(),
            holder: "first".into(),
            held_until: NOW.plus(HELD_FOR),
            is_carried_out: false,
            answer: None,
            created_at: NOW,
        }
    }

    fn verdict(known: IdempotentRequest, hash: &str, after: Duration) -> &'static str {
        match judge(known, hash, NOW.plus(after)) {
            EarlierRequest::Run => "run",
            EarlierRequest::Answered(_) => "answered",
            EarlierRequest::Lost => "lost",
            EarlierRequest::Mismatch => "mismatch",
            EarlierRequest::Wait => "wait",
        }
    }

    #[test]
    fn a_request_is_repeated_only_when_nothing_was_written() {
        let second = Duration::from_secs(1);
        let answered = IdempotentRequest { answer: Some(Vec::new()), is_carried_out: true, held_until: NOW, ..known() };
        let died_late = IdempotentRequest { is_carried_out: true, ..known() };

        assert_eq!(verdict(known(), "hash", second), "wait");
        assert_eq!(verdict(known(), "other", second), "mismatch");
        assert_eq!(verdict(known(), "hash", HELD_FOR), "run", "the process died before it wrote");
        assert_eq!(verdict(died_late.clone(), "hash", second), "wait");
        assert_eq!(verdict(died_late.clone(), "hash", HELD_FOR), "lost");
        assert_eq!(verdict(answered.clone(), "hash", KEPT_FOR - second), "answered");
        assert_eq!(verdict(answered.clone(), "other", KEPT_FOR - second), "mismatch");
        assert_eq!(verdict(answered, "other", KEPT_FOR), "run");
        assert_eq!(verdict(died_late, "hash", KEPT_FOR), "run");
    }

    #[test]
    fn an_idempotency_key_is_visible_ascii_of_limited_length() {
        assert!(check("0b7c").is_ok());
        assert!(check(&"x".repeat(NAME_CHARS_MAX)).is_ok());
        for bad in ["", "a b", "a\n", "ü", &"x".repeat(NAME_CHARS_MAX + 1)] {
            assert!(matches!(check(bad), Err(Error::Invalid(_))), "{bad:?}");
        }
    }

    #[test]
    fn visitors_who_share_a_widget_key_have_separate_idempotency_keys() {
        let viewer = |kind, session: Option<&str>| Viewer {
            kind,
            session: session.map(|id| ProvedSession { id: id.to_owned(), token_id: Uuid::nil() }),
            ..Viewer::operator(KeyId::from_uuid(Uuid::from_u128(1)))
        };
        let widget = |session| viewer(KeyKind::Widget, session);
        let secret = |session| viewer(KeyKind::Secret, session);
        let stored = |viewer: Viewer, last: u8| {
            let address = Some(IpAddr::from([192, 0, 2, last]));
            stored_name(&viewer, &Named { name: "n".into(), request_hash: String::new(), address })
        };

        assert_ne!(stored(widget(Some("a")), 1), stored(widget(Some("b")), 1));
        assert_ne!(stored(widget(None), 1), stored(widget(Some("a")), 1));
        assert_ne!(stored(widget(None), 1), stored(widget(None), 2));
        assert_eq!(stored(widget(None), 1), stored(widget(None), 1));
        assert_eq!(stored(widget(Some("a")), 1), stored(widget(Some("a")), 2), "a visitor may change networks");
        assert_eq!(stored(secret(None), 1), stored(secret(Some("a")), 2), "a secret key has one scope");
    }
}
