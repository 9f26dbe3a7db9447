//! Requests for a human without a question: by a button, before the first question, or in words ("I want to talk to a
//! human").
//!
//! Such a request begins a conversation whose question and answer are the site's own texts for the button and its
//! confirmation, or the words of the visitor. It takes no credit, since nothing is answered, and its outcome is small
//! talk, so it is not counted as unanswered. The handoff, its event and its mail are those of every handoff
//! ([`handoffs`](super::handoffs)).

use helpbot_db as db;
use helpbot_db::stats::DailyCounts;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::{Conversation, Outcome};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::site::Site;
use helpbot_domain::{language, text};
use helpbot_engine::engine::{Composer, Explanation};

use crate::accounts::{blocked_visitors, sites, usage};
use crate::conversations::asking::{AskResult, NewQuestion};
use crate::conversations::change;
use crate::conversations::handoff_notices::NewNotice;
use crate::conversations::handoffs::{self, HandoffRequest, ReplyAddress};
use crate::conversations::question_session::{QuestionSession, SessionClaim, token};
use crate::conversations::storing;
use crate::runtime::randomness;
use crate::webhooks::outbox;
use crate::{Error, Result, Services, Viewer, boxed};

/// A visitor who asks for a human without a question.
#[derive(Debug, Clone, Default)]
pub struct NewHumanRequest {
    /// The site. `None` means the site of the key.
    pub site: Option<SiteId>,
    /// Session that the caller has stored. `None` starts a new session.
    pub session_id: Option<String>,
    /// E-mail address at which the visitor can be reached.
    pub email: Option<String>,
}

/// Requests a human in a new conversation. A visitor who waits already, as the session token proves, keeps the
/// conversation. Returns the token of the session as well, if the caller may have it.
///
/// # Errors
/// `Forbidden`; `VisitorBlocked`; `Invalid` for a malformed e-mail address.
#[boxed]
pub async fn begin(
    services: &Services,
    viewer: &Viewer,
    new: NewHumanRequest,
) -> Result<(HandoffRequest, Option<String>)> {
    viewer.require(Scope::Chat)?;
    let site = sites::get(services, viewer, new.site).await?;
    let session = QuestionSession::of(services, viewer, &site, new.session_id.as_deref()).await?;
    if let Some(open) = session.open {
        let address = new.email.map_or(ReplyAddress::None, ReplyAddress::BySession);
        let requested = handoffs::request(services, viewer, new.site, open.id, address).await?;
        let token = token(services, &Conversation { created_at: services.now(), ..requested.conversation.clone() });
        return Ok((requested, token));
    }
    let given = new.email.as_deref().map(str::trim).filter(|email| !email.is_empty());
    let email = given.map(|email| text::email("customerEmail", email)).transpose()?;
    blocked_visitors::require_open(services, viewer, site.id, Some(&session.id)).await?;
    if let Some(email) = &email {
        blocked_visitors::require_open_mailbox(services, viewer, site.id, email).await?;
    }
    let words = (site.widget.handoff_text.clone(), None);
    let request = Request { words, email, is_new: true };
    let conversation = store(services, viewer, &site, session, request).await?;
    let token = token(services, &conversation);
    Ok((HandoffRequest { conversation, is_address_ignored: false }, token))
}

/// Requests a human for a visitor whose question asks for one. A visitor who waits already keeps the earlier request.
///
/// # Errors
/// `VisitorBlocked`; `Conflict` while a member is in a conversation with the visitor.
pub(super) async fn in_words(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    new: NewQuestion,
    language: &str,
) -> Result<AskResult> {
    let session = QuestionSession::of(services, viewer, site, new.session_id.as_deref()).await?;
    blocked_visitors::require_open(services, viewer, site.id, Some(&session.id)).await?;
    session.require_bot()?;
    let words = (new.question.trim().to_owned(), Some(language.to_owned()));
    let request = Request { words, email: None, is_new: session.open.is_none() };
    let conversation = store(services, viewer, site, session, request).await?;
    services.metrics.asked(conversation.outcome);
    Ok(AskResult {
        credits: usage::credits(services, site).await?,
        suggestions: Vec::new(),
        session_token: token(services, &conversation),
        conversation,
        explain: Explanation {
            retrieval: None,
            decision: None,
            threshold: sites::parsed_settings(site).target_precision,
            composer: Composer::BuiltIn,
            model_problem: None,
        },
    })
}

/// What a request stores.
struct Request {
    /// What the visitor said, with its language when it is known.
    words: (String, Option<String>),
    /// Address of the visitor, who begins the conversation with it.
    email: Option<String>,
    /// Whether a human is requested. Otherwise the visitor waits already.
    is_new: bool,
}

async fn store(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    session: QuestionSession,
    request: Request,
) -> Result<Conversation> {
    let now = services.now();
    let id = ConversationId::from_uuid(randomness::uuid(now));
    let (question, spoken) = request.words;
    let conversation = Conversation {
        question,
        answer: site.widget.handoff_sent_text.clone(),
        outcome: Outcome::SmallTalk,
        language: spoken.or_else(|| language::primary(&site.widget.ai_language)),
        address_key: viewer.visitor_address_key(&services.settings.hash_key, site.id),
        ..Conversation::beginning(site.id, id, session.id, now)
    };
    let notice = request.is_new.then(|| NewNotice {
        address_key: conversation.address_key.clone(),
        interval: services.settings.handoff_mail_interval,
    });
    let (claim, email) = (session.claim, request.email);
    let stored =
        services.db.write(move |c| Box::pin(async move { insert(c, conversation, claim, email, notice, now).await }));
    let (stored, appended) = stored.await?;
    for events in appended {
        events.publish(services);
    }
    outbox::wake(services);
    Ok(stored)
}

/// Stores the conversation, then requests the human, each with its event.
async fn insert(
    c: &mut db::Conn,
    mut new: Conversation,
    claim: SessionClaim,
    email: Option<String>,
    notice: Option<NewNotice>,
    now: Timestamp,
) -> Result<(Conversation, Vec<outbox::Appended>)> {
    new.token_id = claim.token(c, &new).await?;
    db::conversations::insert(c, &new).await?;
    let counts = DailyCounts { questions: 1, ..DailyCounts::default() };
    db::stats::add(c, new.site_id, now.day(), counts).await?;
    let mut appended = vec![outbox::append(c, new.site_id, now, storing::asked_events(&new)).await?];
    if let Some(notice) = notice {
        let change = handoffs::requested(&mut new, email, notice, now);
        appended.push(change::keep(c, &mut new, change, now).await?);
    }
    Ok::<_, Error>((new, appended))
}
