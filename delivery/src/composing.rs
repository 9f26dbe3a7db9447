//! Composing the mail of a job: from what the use cases know to the content that [`mails`](crate::mails)
//! writes. `worker` calls it for each attempt.

use helpbot_domain::conversation::{Author, Conversation, Message};
use helpbot_domain::job::Job;
use helpbot_domain::limit::LimitKind;
use helpbot_domain::site::Site;
use helpbot_domain::webhook::DisabledReason;
use helpbot_outbound::Mail;
use helpbot_services::conversations::reply_mails::ReplyContent;
use helpbot_services::runtime::mail::MailContent;
use url::Url;

use crate::mails;

/// Composes the mail of a job. It has the ID of the job, so that a mail program can drop a duplicate. A reply has the
/// ID of its record, by which the answer to it is recognized.
///
/// # Errors
/// When an address in the content is not a URL.
pub(crate) fn compose(job: &Job, content: &MailContent, public_url: &Url) -> Result<Mail, url::ParseError> {
    let id = job.id.to_string();
    Ok(match content {
        MailContent::Handoff { site, conversations, others } => {
            return handoffs(id, site, conversations, *others, public_url);
        }
        MailContent::WebhookDisabled { site, webhook, reason, failing_since } => {
            let reason = match reason {
                DisabledReason::Gone => mails::DisabledCause::Gone,
                DisabledReason::Failing | DisabledReason::Owner => mails::DisabledCause::FailingSince(*failing_since),
            };
            let disabled = mails::EndpointDisabledContent {
                site_name: &site.name,
                endpoint_url: &Url::parse(&webhook.url)?,
                reason,
                webhooks_url: &public_url.join(&format!("dashboard/webhooks/{}", webhook.id))?,
            };
            mails::endpoint_disabled(id, site.owner_email.clone(), &disabled)
        }
        MailContent::SourceFailing { site, source } => {
            let failing = mails::SourceFailingContent {
                site_name: &site.name,
                source: &source.url,
                reason: source.error.as_deref().unwrap_or_default(),
                source_url: &public_url.join(&format!("dashboard/sources/{}", source.id))?,
            };
            mails::source_failing(id, site.owner_email.clone(), &failing)
        }
        MailContent::Transcript { site, to, messages } => transcript(id, site, to, messages),
        MailContent::Reply { site, reply } => self::reply(site, reply),
        MailContent::TranscriptCode { site, to, code } => mails::transcript_code(id, to.clone(), &site.name, code),
        MailContent::SignIn { site, member, token, is_invitation } => {
            // The part after `#` is not sent to the server, so no proxy or log contains the link.
            let mut url = public_url.join("dashboard")?;
            url.set_fragment(Some(&format!("sign-in={token}")));
            let (to, name) = (member.email.clone(), site.name.as_str());
            match is_invitation {
                true => mails::invitation(id, to, name, &url),
                false => mails::sign_in(id, to, name, &url),
            }
        }
        MailContent::Limit { site, kind } => {
            let limit = mails::LimitContent {
                site_name: &site.name,
                what: sentence(*kind),
                dashboard_url: &public_url.join("dashboard")?,
            };
            mails::limit(id, site.owner_email.clone(), &limit)
        }
    })
}

fn handoffs(
    id: String,
    site: &Site,
    conversations: &[Conversation],
    others: i64,
    public_url: &Url,
) -> Result<Mail, url::ParseError> {
    let url = |conversation: &Conversation| public_url.join(&format!("dashboard/inbox/{}", conversation.id));
    let urls = conversations.iter().map(url).collect::<Result<Vec<_>, _>>()?;
    let content = |(conversation, inbox_url)| {
        let conversation: &Conversation = conversation;
        mails::HandoffContent {
            site_name: &site.name,
            question: &conversation.question,
            answer: &conversation.answer,
            customer_email: conversation.customer_email.as_deref(),
            inbox_url,
        }
    };
    let contents: Vec<_> = conversations.iter().zip(&urls).map(content).collect();
    let to = site.owner_email.clone();
    match contents.as_slice() {
        [only] if others == 0 => Ok(mails::handoff(id, to, only)),
        all => Ok(mails::handoff_digest(id, to, &site.name, all, others, &public_url.join("dashboard/inbox")?)),
    }
}

fn transcript(id: String, site: &Site, to: &str, messages: &[Message]) -> Mail {
    let author = |message: &Message| match message.author {
        Author::Visitor => "You".to_owned(),
        Author::Bot => site.widget.bot_name.clone(),
        Author::Agent => message.agent_name.clone().unwrap_or_else(|| site.name.clone()),
    };
    let authors: Vec<String> = messages.iter().map(author).collect();
    let messages: Vec<(&str, &str)> =
        authors.iter().map(String::as_str).zip(messages.iter().map(|it| it.text.as_str())).collect();
    let transcript = mails::TranscriptContent { site_name: &site.name, messages: &messages };
    mails::transcript(id, to.to_owned(), &transcript)
}

fn reply(site: &Site, reply: &ReplyContent) -> Mail {
    let author = |message: &Message| message.agent_name.clone().unwrap_or_else(|| site.name.clone());
    let authors: Vec<String> = reply.messages.iter().map(author).collect();
    let messages: Vec<(&str, &str)> =
        authors.iter().map(String::as_str).zip(reply.messages.iter().map(|it| it.text.as_str())).collect();
    let content = mails::ReplyMailContent {
        site_name: &site.name,
        messages: &messages,
        reply_to: reply.reply_to.as_deref(),
        thread: &reply.thread,
    };
    mails::reply(reply.id.to_string(), reply.to.clone(), &content)
}

/// What happened, for the owner.
fn sentence(kind: LimitKind) -> &'static str {
    match kind {
        LimitKind::MonthlyCredits => {
            "All credits of this month are used. Visitors get no answers until the next month begins (UTC)."
        }
        LimitKind::DailyCredits => {
            "The credits that you allow per day are used. Visitors get no answers until the next day begins (UTC)."
        }
        LimitKind::AddressCredits => {
            "A client address has used the credits that you allow per address and day. Other visitors are not affected."
        }
        LimitKind::QuestionRate => {
            "A visitor has asked more questions per minute than the installation allows. Other visitors are not affected."
        }
        LimitKind::HandoffMails => {
            "A visitor has asked for a human more often than mails report. The inbox shows all requests."
        }
        LimitKind::TranscriptMails => {
            "A visitor was refused because too many codes or transcripts were sent by mail today."
        }
        LimitKind::ReplyMails => {
            "Messages to a visitor were not mailed because too many mails were sent today. The chat shows them."
        }
    }
}
