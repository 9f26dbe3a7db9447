//! The export of a visitor: a list of records as JSON texts.

use async_graphql::{Enum, ID, Result};
use helpbot_api_macros::OutputObject;
use helpbot_domain as domain;
use helpbot_services::conversations::visitor_records::{self, VisitorRecord as Record};

use crate::schema::access::Access;
use crate::schema::ids;
use crate::schema::page::{self, PageArgs, PageRows, connection};

/// Kind of a record about a visitor, which decides what its body contains.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitorRecordKind {
    /// The record contains a session with the addresses that its visitor has given for transcripts.
    Session,
    /// The record contains a conversation with its messages, notes, tags, transcripts and mails.
    Conversation,
}

/// A part of what a site stores about a visitor.
#[derive(Debug, Clone, OutputObject)]
pub struct VisitorRecord {
    /// Kind of the record, which decides what its body contains.
    kind: VisitorRecordKind,
    /// ID of the session that the record belongs to.
    session_id: String,
    /// Global ID of the conversation. It is null for the record of a session.
    conversation_id: Option<ID>,
    /// The record as the text of a JSON object. Further keys may be added to it.
    body: String,
    #[graphql(skip)]
    position: String,
}

connection! {
    /// A list of the records about a visitor, which is sorted by session. Each session is followed by its
    /// conversations, oldest first. A page ends early when its records are large.
    VisitorRecordConnection,
    /// An edge that connects the list to a record.
    VisitorRecordEdge,
    VisitorRecord
}

impl From<Record> for VisitorRecord {
    fn from(record: Record) -> Self {
        let conversation = record.key.conversation_id;
        Self {
            kind: if conversation.is_some() { VisitorRecordKind::Conversation } else { VisitorRecordKind::Session },
            session_id: record.key.session_id.clone(),
            conversation_id: conversation.map(ids::id),
            body: record.body,
            position: record.key.to_string(),
        }
    }
}

/// A page of the records about a visitor.
pub(crate) async fn list(
    access: &Access,
    site: &domain::site::Site,
    session: Option<&str>,
    email: Option<&str>,
    args: &PageArgs,
) -> Result<VisitorRecordConnection> {
    let visitor = visitor_records::identity(session, email)?;
    let part: domain::page::PageRequest<domain::visitor::VisitorRecordKey> = args.request()?;
    let (is_backward, has_from) = (part.is_backward, part.from.is_some());
    let found = visitor_records::list(&access.services, &access.viewer, site, &visitor, part).await?;
    let mut rows: Vec<VisitorRecord> = found.records.into_iter().map(VisitorRecord::from).collect();
    let (mut has_previous, mut has_next) = (has_from, found.has_more);
    if is_backward {
        rows.reverse();
        std::mem::swap(&mut has_previous, &mut has_next);
    }
    let (counted, of_site) = (access.clone(), site.clone());
    let count = async move { visitor_records::count(&counted.services, &counted.viewer, &of_site, &visitor).await };
    let page = PageRows { rows, has_previous, has_next };
    let position = |_, record: &VisitorRecord| record.position.clone();
    Ok(VisitorRecordConnection::with_positions(page, page::total(count), Box::new(position)))
}
