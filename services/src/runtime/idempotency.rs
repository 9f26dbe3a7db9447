//! Requests that are carried out at most once, however often they are sent.
//!
//! A caller names a request (`Idempotency-Key`). The first one of a name runs; the same request
//! again waits while that is so, and then gets the same answer, for [`KEPT_FOR`]; another request
//! under the name is refused. A request that was refused or failed without having written
//! anything is forgotten at once, so that it can be put right and sent again under its name.
//!
//! Names belong to the API key, and behind a widget's key to the visitor's session. That a request
//! was carried out is written in the transaction that does so (`helpbot_db::idempotency`): when the
//! process dies in between, the request is not carried out twice, and the worst is that its answer
//! is lost, which the caller is then told. Answers are sealed, since some show a new key's secret.

use std::time::Duration;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use helpbot_db as db;
use helpbot_db::idempotency::{Known, Turn};
use helpbot_domain::{Invalid, Timestamp};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::accounts::access;
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, boxed};

/// For how long an answer is kept.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 3_600);
/// Characters of a name at most.
pub const NAME_CHARS_MAX: usize = 255;

/// An attempt that has not ended by then belongs to a dead process, or has waited longer than any
/// caller: another one may take over, and what the first still writes is refused.
const HELD_FOR: Duration = Duration::from_secs(60);
/// How long one request waits for the answer to another: as long as REST's own deadline.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// How often a waiting request looks whether the other has ended, on this node or another.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// An answer larger than this is not kept: a caller could fill the disk with them.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
const NONCE_BYTES: usize = 24;

/// A request as its caller named it.
#[derive(Debug, Clone)]
pub struct Named {
    /// The `Idempotency-Key`.
    pub name: String,
    /// A hash of everything that was asked: two requests are the same when these are.
    pub request_hash: String,
}

/// What is to be done with a named request.
#[derive(Debug)]
pub enum Attempt {
    /// It is to be run, inside [`run`], and ended by [`Services::end_attempt`].
    Run(Turn),
    /// It was carried out before, with this answer.
    Answered(String),
}

/// How a look at a named request ended.
enum Look {
    Run,
    Answered(Vec<u8>),
    Lost,
    Mismatch,
    Wait,
}

/// Runs `work` as that attempt: what it writes is written together with the note that it was.
pub async fn run<F: Future>(turn: &Turn, work: F) -> F::Output {
    db::idempotency::in_turn(turn.clone(), work).await
}

impl Services {
    /// Begins a named request of `viewer`; waits while the same one is running.
    ///
    /// # Errors
    /// `Invalid` for a name that is none; `IdempotencyMismatch`; `Conflict` when it was carried
    /// out and its answer is lost; `Unavailable` when the first still runs after half a minute.
    #[boxed]
    pub async fn begin_attempt(&self, viewer: &Viewer, named: &Named) -> Result<Attempt> {
        check(&named.name)?;
        let turn = Turn {
            key_id: viewer.key_id,
            name: stored_name(viewer, &named.name),
            holder: randomness::uuid(self.now()).to_string(),
        };
        let mut waited = Duration::ZERO;
        while waited < WAIT_MAX {
            match self.look(&turn, &named.request_hash).await? {
                Look::Run => return Ok(Attempt::Run(turn)),
                Look::Answered(sealed) => return self.opened(&turn, &sealed).map(Attempt::Answered),
                Look::Lost => return Err(lost()),
                Look::Mismatch => return Err(Error::IdempotencyMismatch),
                Look::Wait => tokio::time::sleep(LOOK_EVERY).await,
            }
            waited += LOOK_EVERY;
        }
        let cause = "the first request of its name is still running".to_owned();
        Err(Error::Unavailable { retry_after: Duration::from_secs(1), cause })
    }

    /// Ends an attempt: keeps `answer` if anything was written, forgets the request if not.
    ///
    /// # Errors
    /// Only the database's own.
    #[boxed]
    pub async fn end_attempt(&self, turn: Turn, answer: &str) -> Result<()> {
        let sealed = (answer.len() <= ANSWER_BYTES_MAX).then(|| seal(&self.settings.secret_key, &turn, answer));
        self.db
            .write(move |c| Box::pin(async move { Ok(db::idempotency::end(c, &turn, sealed.as_deref()).await?) }))
            .await
    }

    /// Forgets requests that were first sent longer ago than [`KEPT_FOR`]; how many.
    ///
    /// # Errors
    /// Only the database's own.
    #[boxed]
    pub async fn forget_old_requests(&self) -> Result<usize> {
        let before = self.now().minus(KEPT_FOR);
        self.db.write(move |c| Box::pin(async move { Ok(db::idempotency::delete_before(c, before).await?) })).await
    }

    async fn look(&self, turn: &Turn, request_hash: &str) -> Result<Look> {
        let (turn, hash, now) = (turn.clone(), request_hash.to_owned(), self.now());
        let until = now.plus(HELD_FOR);
        self.db
            .write(move |c| {
                Box::pin(async move {
                    if db::idempotency::reserve(c, &turn, &hash, now, until).await? {
                        return Ok(Look::Run);
                    }
                    // It can have been forgotten since, and is then free the next time.
                    let known = db::idempotency::known(c, turn.key_id, &turn.name).await?;
                    let look = known.map_or(Look::Wait, |known| judge(known, &hash, now));
                    if let Look::Run = look {
                        db::idempotency::take_over(c, &turn, &hash, now, until).await?;
                    }
                    Ok(look)
                })
            })
            .await
    }

    fn opened(&self, turn: &Turn, sealed: &[u8]) -> Result<String> {
        // Only an installation whose secret key was changed cannot read its own answers.
        open(&self.settings.secret_key, turn, sealed).ok_or_else(lost)
    }
}

/// What an earlier request of the same name means for one that asks for `hash`.
fn judge(known: Known, hash: &str, now: Timestamp) -> Look {
    let is_held = known.held_until > now;
    if known.created_at.plus(KEPT_FOR) <= now && !is_held {
        return Look::Run;
    }
    if known.request_hash != hash {
        return Look::Mismatch;
    }
    match known.answer {
        Some(answer) => Look::Answered(answer),
        None if is_held => Look::Wait,
        None if known.is_carried_out => Look::Lost,
        None => Look::Run,
    }
}

fn lost() -> Error {
    Error::Conflict("This request was carried out, and its answer is not kept: read the present state".into())
}

fn check(name: &str) -> Result<()> {
    let is_one = (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    let message = format!("An idempotency key has 1 to {NAME_CHARS_MAX} visible ASCII characters");
    if is_one { Ok(()) } else { Err(Invalid::new("idempotencyKey", message).into()) }
}

/// Hashed, because it may be long, and whoever reads the database need not learn it.
fn stored_name(viewer: &Viewer, name: &str) -> String {
    // A name has no line break: no session and name look like another pair.
    access::hash(&format!("{}\n{name}", viewer.session.as_deref().unwrap_or_default()))
}

fn seal(key: &[u8; 32], turn: &Turn, answer: &str) -> Vec<u8> {
    let random = randomness::bytes();
    let mut nonce = [0; NONCE_BYTES];
    nonce.copy_from_slice(&random[..NONCE_BYTES]);
    let sealed = cipher(key)
        .encrypt(&XNonce::from(nonce), Payload { msg: answer.as_bytes(), aad: bound_to(turn).as_bytes() })
        .expect("an answer is within the cipher's limit");
    [nonce.as_slice(), &sealed].concat()
}

fn open(key: &[u8; 32], turn: &Turn, sealed: &[u8]) -> Option<String> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    let bound = bound_to(turn);
    let payload = Payload { msg: sealed, aad: bound.as_bytes() };
    String::from_utf8(cipher(key).decrypt(&XNonce::from(nonce), payload).ok()?).ok()
}

/// A key of its own for this purpose: the installation's has others.
fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(b"helpbot kept answers v1");
    let key: [u8; 32] = mac.finalize().into_bytes().into();
    XChaCha20Poly1305::new(&key.into())
}

fn bound_to(turn: &Turn) -> String {
    format!("{}\n{}", turn.key_id, turn.name)
}

#[cfg(test)]
mod tests {
    use helpbot_domain::ids::KeyId;
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_772_366_400_000);

    fn known() -> Known {
        Known {
            request_hash: "hash".into(),
            holder: "first".into(),
            held_until: NOW.plus(HELD_FOR),
            is_carried_out: false,
            answer: None,
            created_at: NOW,
        }
    }

    fn verdict(known: Known, hash: &str, after: Duration) -> &'static str {
        match judge(known, hash, NOW.plus(after)) {
            Look::Run => "run",
            Look::Answered(_) => "answered",
            Look::Lost => "lost",
            Look::Mismatch => "mismatch",
            Look::Wait => "wait",
        }
    }

    #[test]
    fn a_request_is_attempted_again_only_where_nothing_was_written() {
        let second = Duration::from_secs(1);
        let answered = Known { answer: Some(Vec::new()), is_carried_out: true, held_until: NOW, ..known() };
        let died_late = Known { is_carried_out: true, ..known() };

        assert_eq!(verdict(known(), "hash", second), "wait");
        assert_eq!(verdict(known(), "other", second), "mismatch");
        assert_eq!(verdict(known(), "hash", HELD_FOR), "run", "its process died before it wrote");
        assert_eq!(verdict(died_late.clone(), "hash", second), "wait");
        assert_eq!(verdict(died_late.clone(), "hash", HELD_FOR), "lost");
        assert_eq!(verdict(answered.clone(), "hash", KEPT_FOR - second), "answered");
        assert_eq!(verdict(answered.clone(), "other", KEPT_FOR - second), "mismatch");
        assert_eq!(verdict(answered, "other", KEPT_FOR), "run");
        assert_eq!(verdict(died_late, "hash", KEPT_FOR), "run");
    }

    #[test]
    fn a_name_is_visible_ascii_of_modest_length() {
        assert!(check("0b7c").is_ok());
        assert!(check(&"x".repeat(NAME_CHARS_MAX)).is_ok());
        for bad in ["", "a b", "a\n", "ü", &"x".repeat(NAME_CHARS_MAX + 1)] {
            assert!(matches!(check(bad), Err(Error::Invalid(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_sealed_answer_opens_for_its_own_request_alone() {
        let turn = |name: &str| Turn {
            key_id: KeyId::from_uuid(Uuid::from_u128(1)),
            name: name.into(),
            holder: "first".into(),
        };
        let sealed = seal(&[7; 32], &turn("a"), "the new key is sk_live_x");

        assert_eq!(open(&[7; 32], &turn("a"), &sealed).as_deref(), Some("the new key is sk_live_x"));
        assert_eq!(open(&[7; 32], &turn("b"), &sealed), None);
        assert_eq!(open(&[8; 32], &turn("a"), &sealed), None);
        assert_eq!(open(&[7; 32], &turn("a"), &sealed[..9]), None);
    }

    #[test]
    fn visitors_behind_one_key_have_names_of_their_own() {
        let visitor = |session: Option<&str>| Viewer {
            session: session.map(str::to_owned),
            ..Viewer::operator(KeyId::from_uuid(Uuid::from_u128(1)))
        };

        assert_ne!(stored_name(&visitor(Some("a")), "n"), stored_name(&visitor(Some("b")), "n"));
        assert_ne!(stored_name(&visitor(None), "n"), stored_name(&visitor(Some("a")), "n"));
        assert_eq!(stored_name(&visitor(None), "n"), stored_name(&visitor(None), "n"));
    }
}
