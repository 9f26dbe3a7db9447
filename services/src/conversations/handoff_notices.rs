//! Mails about handoffs, collected: the owner gets the first one at once, and what follows within a few
//! minutes in one digest, so that nobody can fill the owner's mailbox.
//!
//! Each handoff stores a *notice*, which names the mail that mentions it. The first notice of a mail also
//! queues the job that sends the mail, and the job reads all notices of its mail when it runs. When a session, a mailbox or
//! a client address requests a human too often, the mail only counts its further handoffs; the inbox shows
//! all of them.

use std::time::Duration;

use helpbot_db as db;
use helpbot_db::handoff_notices::HandoffNotice;
use helpbot_domain::conversation::Conversation;
use helpbot_domain::limit::LimitKind;
use helpbot_domain::{Timestamp, mailbox};

use crate::accounts::limit_notices;
use crate::runtime::batches;
use crate::runtime::job_kinds::{HANDOFF_MAIL, HandoffMail};
use crate::runtime::jobs::NewJob;
use crate::runtime::randomness;
use crate::{Result, Services, boxed};

/// Number of mails in a day from which on [`SLOW_FACTOR`] applies, so that a long flood causes one mail
/// per hour.
const FREQUENT_MAILS: usize = 12;
/// By how much the interval between two mails grows then.
const SLOW_FACTOR: u32 = 6;
/// Longest time between reading the clock and the commit of a handoff. A mail that is due earlier may
/// have been sent without the handoff.
const COMMIT_MARGIN: Duration = Duration::from_secs(15);
/// Handoffs of one session that mails list within [`DAY`].
const PER_SESSION: usize = 5;
/// Handoffs with one mailbox that mails list within [`DAY`].
const PER_MAILBOX: usize = 5;
/// Handoffs from one client address that mails list within [`DAY`]. Several visitors may share an address.
const PER_CLIENT: usize = 20;
const DAY: Duration = Duration::from_secs(86_400);
/// Time after which notices are deleted. A mail that waits for a mail server is given up earlier.
const KEPT_FOR: Duration = Duration::from_secs(14 * 86_400);

/// A handoff that the owner must be notified of.
pub(crate) struct NewNotice {
    /// Keyed hash of the client address of the request.
    pub address_key: Option<String>,
    /// Time between two mails.
    pub interval: Duration,
}

/// Stores the notice of a handoff, and plans a mail when none will be sent soon. Runs in the transaction of
/// the handoff, after its event: the log of the site is its lock.
pub(super) async fn plan(c: &mut db::Conn, conversation: &Conversation, new: NewNotice, now: Timestamp) -> Result<()> {
    let mut notice = HandoffNotice {
        site_id: conversation.site_id,
        id: randomness::uuid(now),
        conversation_id: conversation.id,
        session_id: conversation.session_id.clone(),
        mailbox: conversation.customer_email.as_deref().map(mailbox::of),
        address_key: new.address_key,
        is_listed: true,
        mail: None,
        created_at: now,
    };
    let earlier = db::handoff_notices::requesters_since(c, notice.site_id, now.minus(DAY)).await?;
    let counts = notice.requester().counts(&earlier);
    notice.is_listed = counts.session < PER_SESSION && counts.mailbox < PER_MAILBOX && counts.address < PER_CLIENT;
    notice.mail = match db::handoff_notices::newest_mail(c, notice.site_id).await? {
        Some((id, due)) if due > now.plus(COMMIT_MARGIN.min(new.interval / 2)) => Some((id, due)),
        _ if !notice.is_listed => None,
        last => {
            let mails = db::handoff_notices::mails_since(c, notice.site_id, now.minus(DAY)).await?;
            let interval = if mails < FREQUENT_MAILS { new.interval } else { new.interval * SLOW_FACTOR };
            let due = last.map_or(now, |(_, due)| due.plus(interval).max(now));
            let id = randomness::uuid(now);
            let payload = HandoffMail::of_mail(id);
            NewJob::new(notice.site_id, HANDOFF_MAIL, None, &payload).enqueue_at(c, now, due).await?;
            Some((id, due))
        }
    };
    if !notice.is_listed {
        limit_notices::notify_in(c, notice.site_id, LimitKind::HandoffMails, now).await?;
    }
    Ok(db::handoff_notices::insert(c, &notice).await?)
}

/// Deletes notices whose mails were sent long ago. Returns their number.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn delete_expired(services: &Services) -> Result<usize> {
    let before = services.now().minus(KEPT_FOR);
    batches::delete_before(services, "deletion of old handoff notices", before, |c, before, limit| {
        Box::pin(db::handoff_notices::delete_before(c, before, limit))
    })
    .await
}
