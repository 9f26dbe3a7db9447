//! The session of a question: which one it is, what proves it, and what came before. [`asking`](super::asking) and
//! [`human_requests`](super::human_requests) begin with it.

use helpbot_db as db;
use helpbot_domain::conversation::{self as rules, Conversation, HandoffStatus};
use helpbot_domain::site::Site;
use helpbot_engine::Exchange;
use uuid::Uuid;

use crate::accounts::access;
use crate::accounts::session_token;
use crate::accounts::viewer::ProvedSession;
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer};

/// Number of earlier exchanges of the session that an answer may refer to.
pub(super) const HISTORY: u8 = 3;

/// Returns a token for the session of a conversation that was begun with proof or began the session.
pub(super) fn token(services: &Services, conversation: &Conversation) -> Option<String> {
    let session = ProvedSession { id: conversation.session_id.clone(), token_id: conversation.token_id? };
    let (key, now) = (&services.settings.secret_key, conversation.created_at);
    Some(session_token::issue(key, conversation.site_id, &session, now))
}

/// The session that a question belongs to.
pub(super) struct QuestionSession {
    /// ID of the session.
    pub(super) id: String,
    /// How the asker is related to it.
    pub(super) claim: SessionClaim,
    /// The last questions of the session with their answers, as far as the asker may refer to them.
    pub(super) history: Vec<Exchange>,
    /// The newest of the visitor's last conversations in which a human was requested and that is not resolved.
    pub(super) open: Option<Conversation>,
    /// Whether a member has taken one of the visitor's last conversations and not closed it.
    pub(super) is_with_agent: bool,
}

/// How the asker is related to the session.
#[derive(Debug, Clone, Copy)]
pub(super) enum SessionClaim {
    /// The server chose the ID, so that nobody else knows it. The value is the ID of its token.
    New(Uuid),
    /// The asker named the ID without proof. The value is the ID of its token if the ID is unused.
    Named(Uuid),
    /// The token with this ID proves that the session is the asker's.
    Proved(Uuid),
}

impl QuestionSession {
    /// The session of a question that names `named`.
    pub(super) async fn of(services: &Services, viewer: &Viewer, site: &Site, named: Option<&str>) -> Result<Self> {
        let now = services.now();
        let mut c = services.db.reader_of(site.id).await?;
        let (id, claim, last) = match (&viewer.session, rules::session_id(named)) {
            (Some(ProvedSession { id, token_id }), _) => {
                let last = db::conversations::last_proved(&mut c, site.id, id, *token_id, HISTORY.into()).await?;
                (id.clone(), SessionClaim::Proved(*token_id), last)
            }
            // Without proof, the ID itself must be a secret. Otherwise the answer to a follow-up question
            // would reveal what somebody else asked. The operator, who tries questions on the command
            // line, can read all conversations anyway.
            (None, Some(id)) if viewer.is_operator() || rules::is_unguessable(&id) => {
                let last = db::conversations::last_of_session(&mut c, site.id, &id, HISTORY.into()).await?;
                (id, SessionClaim::Named(randomness::uuid(now)), last)
            }
            (None, Some(id)) => (id, SessionClaim::Named(randomness::uuid(now)), Vec::new()),
            (None, None) => (randomness::uuid(now).to_string(), SessionClaim::New(randomness::uuid(now)), Vec::new()),
        };
        let is_open = |found: &&Conversation| found.handoff.is_some_and(HandoffStatus::is_open);
        let is_proved = matches!(claim, SessionClaim::Proved(_));
        let open = last.iter().filter(is_open).max_by_key(|found| found.created_at).filter(|_| is_proved).cloned();
        let is_with_agent = is_proved && last.iter().any(|found| found.handoff == Some(HandoffStatus::Assigned));
        let history = last.into_iter().map(|c| Exchange { question: c.question, answer: c.answer }).collect();
        Ok(Self { id, claim, history, open, is_with_agent })
    }
}

impl QuestionSession {
    /// Checks that no member is in the conversation with the visitor, because the bot is silent then.
    ///
    /// # Errors
    /// `Conflict`.
    pub(super) fn require_bot(&self) -> Result<()> {
        if self.is_with_agent {
            let message = "A member of the team is in this conversation. Send a message with sendMessage instead.";
            return Err(Error::Conflict(message.into()));
        }
        Ok(())
    }
}

impl SessionClaim {
    /// Returns the ID of the token that proves the question, inside the transaction that stores it.
    /// Only one of several concurrent first questions of a session gets one.
    ///
    /// # Errors
    /// `Unauthenticated` when the session was erased after the request was authenticated.
    pub(super) async fn token(self, c: &mut db::Conn, new: &Conversation) -> Result<Option<Uuid>> {
        let (site, session) = (new.site_id, &new.session_id);
        match self {
            Self::Proved(token) => match db::sessions::seen(c, site, session, token, new.created_at).await? {
                true => Ok(Some(token)),
                false => Err(access::INVALID_TOKEN),
            },
            Self::New(token) => {
                Ok(db::sessions::begin(c, site, session, token, new.created_at).await?.then_some(token))
            }
            Self::Named(token) => {
                let is_begun = db::sessions::begin(c, site, session, token, new.created_at).await?;
                // Imported conversations and those of earlier versions have no row in the table of sessions.
                let is_fresh = is_begun && !db::conversations::has_session(c, site, session).await?;
                Ok(is_fresh.then_some(token))
            }
        }
    }
}
