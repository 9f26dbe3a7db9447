//! Drafts of replies: what the site's own index says about the messages of a visitor who talks with the team.
//!
//! A member asks for a draft, changes it and sends it as any other message. The rules of answering are those of
//! [`ask`](super::ask): what the site does not know gives no draft. Nothing is stored, no credit is used and no statistics
//! are counted, because it is the team that asks. A model server may write the text, as it may write answers; the pace of
//! each key limits what that costs.

use std::num::NonZeroU32;

use helpbot_db as db;
use helpbot_domain::conversation::{
    Author, Citation, Conversation, Message, OPENING_MESSAGES, Outcome, QUESTION_MAX_CHARS,
};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;
use helpbot_domain::text;
use helpbot_engine::{Ask, Exchange, human_request};

use crate::accounts::sites;
use crate::conversations::question_session::HISTORY;
use crate::conversations::{lookup, messages};
use crate::knowledge::{indexes, promises};
use crate::runtime::rate_buckets::RateLimit;
use crate::sources::names;
use crate::{Error, Result, Services, Viewer, boxed};

/// Number of drafts that one key may ask for per minute. A member who works through a full inbox asks for a few; each can
/// cost three answers of a model server.
const DRAFTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(20).expect("20 is not zero");
/// Number of the visitor's last messages that a draft answers. People split one question over two or three messages.
const QUESTIONS_MAX: usize = 3;
/// Number of the last messages that are read, with those of the team. They contain the questions and what came before.
const MESSAGES_READ: i64 = 20;

/// A text for the team to change and send.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplyDraft {
    /// Messages of the visitor that the text answers, oldest first.
    pub questions: Vec<String>,
    /// The text as restricted Markdown.
    pub text: String,
    /// The passages that the text is based on, in the order of the questions.
    pub citations: Vec<Citation>,
}

/// Drafts a reply to the last messages of a conversation's visitor: those after the last message of the team, or else the
/// visitor's last message. Returns the conversation, and no draft when the site knows no answer.
///
/// # Errors
/// `Forbidden`; `NotFound`; `RateLimited` when the key asks for too many drafts.
#[boxed]
pub async fn draft(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
) -> Result<(Conversation, Option<ReplyDraft>)> {
    viewer.require(Scope::ReadConversations)?;
    viewer.require(Scope::WriteConversations)?;
    let conversation = lookup::visible(services, viewer, named, id).await?;
    let rates = services.rates();
    let caller = rates.caller(RateLimit::ReplyDrafts, (viewer.key_id, conversation.site_id));
    let counted = rates.count(caller, DRAFTS_PER_MINUTE, NonZeroU32::MIN).await;
    counted.map_err(|retry_after| Error::RateLimited { retry_after })?;
    let site = sites::get(services, viewer, Some(conversation.site_id)).await?;
    let thread = thread(services, &conversation).await?;
    let draft = answered(services, &site, &thread).await?;
    Ok((conversation, draft))
}

/// The last messages of a conversation, oldest first.
async fn thread(services: &Services, conversation: &Conversation) -> Result<Vec<Message>> {
    let (site, id) = (conversation.site_id, conversation.id);
    let mut thread = Vec::from(messages::opening(conversation));
    if conversation.message_count > OPENING_MESSAGES {
        let page = PageRequest { from: None, is_backward: true, limit: MESSAGES_READ };
        let last = db::messages::page(&mut services.db.reader_of(site).await?, site, &[id], page).await?;
        thread.extend(last.into_iter().rev());
    }
    Ok(thread)
}

async fn answered(services: &Services, site: &Site, thread: &[Message]) -> Result<Option<ReplyDraft>> {
    let settings = promises::policy(services, site).await?;
    let index = indexes::current_or_previous(services, site).await?;
    let mut draft = ReplyDraft { questions: Vec::new(), text: String::new(), citations: Vec::new() };
    for at in open_questions(thread) {
        let question = asked(&thread[at]);
        if question.is_empty() || human_request(question).is_some() {
            continue;
        }
        let ask = Ask {
            question: question.to_owned(),
            language: None,
            site_language: site.widget.ai_language.clone(),
            history: history(&thread[..at]),
            settings: settings.clone(),
        };
        let answer = services.engine.answer(&index, &ask, None).await.map_err(Error::internal)?;
        // Small talk is answered by people, and a suggestion is a question to the visitor.
        if answer.outcome == Outcome::Answered {
            draft.add(question, &answer.text, answer.citations);
        }
    }
    names::add_to(services, site.id, &mut draft.citations).await?;
    Ok((!draft.questions.is_empty()).then_some(draft))
}

impl ReplyDraft {
    /// Adds the answer to one more message. Two messages can have the same answer, which is then in the text once.
    fn add(&mut self, question: &str, answer: &str, citations: Vec<Citation>) {
        self.questions.push(question.to_owned());
        if self.text.split("\n\n").any(|part| part == answer) || self.text == answer {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        self.text.push_str(answer);
        for citation in citations {
            if self.citations.iter().all(|known| known.chunk_id != citation.chunk_id) {
                self.citations.push(citation);
            }
        }
    }
}

/// The positions of the messages to answer, in order.
fn open_questions(thread: &[Message]) -> Vec<usize> {
    let replied = thread.iter().rposition(|message| message.author == Author::Agent).map_or(0, |at| at + 1);
    let of_visitor = |at: &usize| thread[*at].author == Author::Visitor;
    let mut open: Vec<usize> = (replied..thread.len()).filter(of_visitor).collect();
    // HelpBot has answered the first question already, so it is drafted only when nothing was written after it.
    if open.len() > 1 && open[0] == 0 {
        open.remove(0);
    }
    if open.is_empty() {
        open.extend((0..replied).rev().find(of_visitor));
    }
    open.split_off(open.len().saturating_sub(QUESTIONS_MAX))
}

/// The text of a message as a question, whose length the engine expects to be limited.
fn asked(message: &Message) -> &str {
    text::cut(message.text.trim(), QUESTION_MAX_CHARS).trim_end()
}

/// The last exchanges before a message: what the visitor wrote, and what the site or the team wrote after it.
fn history(before: &[Message]) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for message in before {
        match (message.author, exchanges.last_mut()) {
            (Author::Visitor, _) => {
                exchanges.push(Exchange { question: asked(message).to_owned(), answer: String::new() })
            }
            (Author::Bot | Author::Agent, Some(last)) if last.answer.is_empty() => {
                last.answer.clone_from(&message.text)
            }
            (Author::Bot | Author::Agent, _) => {}
        }
    }
    exchanges.split_off(exchanges.len().saturating_sub(HISTORY.into()))
}

#[cfg(test)]
mod tests {
    use helpbot_domain::Timestamp;
    use helpbot_domain::ids::MessageId;
    use uuid::Uuid;

    use super::*;

    fn thread(authors: &str) -> Vec<Message> {
        let message = |(at, author): (usize, char)| Message {
            site_id: SiteId::from_uuid(Uuid::nil()),
            conversation_id: ConversationId::from_uuid(Uuid::nil()),
            seq: i64::try_from(at).unwrap_or_default() + 1,
            id: MessageId::from_uuid(Uuid::nil()),
            author: match author {
                'v' => Author::Visitor,
                'b' => Author::Bot,
                _ => Author::Agent,
            },
            member_id: None,
            agent_name: None,
            text: format!("{author}{at}"),
            created_at: Timestamp::from_ms(0),
        };
        authors.chars().enumerate().map(message).collect()
    }

    #[test]
    fn the_messages_after_the_last_reply_are_answered() {
        for (authors, expected) in [
            ("vb", vec![0]),
            ("vbv", vec![2]),
            ("vbvv", vec![2, 3]),
            ("vbavv", vec![3, 4]),
            ("vbva", vec![2]),
            ("vba", vec![0]),
            ("vbvvvv", vec![3, 4, 5]),
        ] {
            assert_eq!(open_questions(&thread(authors)), expected, "{authors}");
        }
    }

    #[test]
    fn a_message_refers_to_the_exchanges_before_it() {
        let history: Vec<_> =
            history(&thread("vbavva")).into_iter().map(|one| format!("{} {}", one.question, one.answer)).collect();

        assert_eq!(history, ["v0 b1", "v3 ", "v4 a5"]);
    }

    #[test]
    fn the_same_answer_is_drafted_once() {
        let mut draft = ReplyDraft { questions: Vec::new(), text: String::new(), citations: Vec::new() };

        draft.add("Open on Sundays?", "From 8 to 11.", Vec::new());
        draft.add("And where?", "In the **old** town.", Vec::new());
        draft.add("Hello? Sundays?", "From 8 to 11.", Vec::new());

        assert_eq!(draft.text, "From 8 to 11.\n\nIn the **old** town.");
        assert_eq!(draft.questions.len(), 3);
    }
}
