//! A page of the conversations of a site, with the citations, sources and messages that are selected.

use std::collections::HashMap;

use helpbot_domain::conversation::{Conversation, Message as StoredMessage, OPENING_MESSAGES};
use helpbot_domain::conversation_order::ConversationOrder;
use helpbot_domain::conversation_parts::ConversationParts;
use helpbot_domain::ids::{ConversationId, SourceId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;
use helpbot_domain::source::Source;
use helpbot_services::conversations::{self, ListPage, messages};
use helpbot_services::sources;

use super::DirectQuery;
use super::arguments::Arguments;
use super::connection::{ConnectionPage, ConnectionTypes, has_cursor, node_selections};
use super::writer::JsonWriter;
use crate::gateway::guard::plan::{PlannedField, TYPE_NAME};
use crate::schema::conversations::{self as listed, Position, filter, message_page, plain};
use crate::schema::enums::HandoffStatus;
use crate::schema::page::PageRows;
use crate::schema::plain::PlainValue as _;
use crate::schema::scalars::int;

/// The messages of each conversation.
type MessagesById = HashMap<ConversationId, Vec<StoredMessage>>;

const CONVERSATIONS: ConnectionTypes =
    ConnectionTypes { connection: "ConversationConnection", edge: "ConversationEdge" };
const MESSAGES: ConnectionTypes = ConnectionTypes { connection: "MessageConnection", edge: "MessageEdge" };

/// Bytes that the JSON text of a conversation needs beside its texts, about.
const CONVERSATION_BYTES: usize = 320;

/// A page of the list with what is selected of it.
pub(super) struct ConversationPage {
    rows: PageRows<Conversation>,
    order: ConversationOrder,
    total: Option<i32>,
    sources: HashMap<SourceId, Source>,
    /// The stored messages of the conversations, for each different page of them that is selected.
    messages: Vec<(PageRequest<i64>, MessagesById)>,
}

impl ConversationPage {
    /// Reads everything that the field `conversations` of a site selects.
    pub async fn read(query: DirectQuery<'_>, site: &Site, field: &PlannedField) -> Option<Self> {
        let arguments = Arguments { field, variables: query.variables };
        let filter = arguments.get("filter")?;
        let list = filter::query(query.services.now(), filter, arguments.get("orderBy")?);
        let number = arguments.get::<Option<i32>>("page")?;
        let part = arguments.page()?.request::<Position>().ok()?;
        let (from, limit) = (listed::start(&part, number), part.limit);
        let page = ListPage { from, limit, parts: parts(&field.fields, list.order) };
        let found = conversations::list(query.services, query.viewer, site, &list, page).await.ok()?;
        let mut rows = PageRows::of(&part, found);
        rows.has_previous |= number.is_some_and(|number| number > 1);
        let total = match field.fields.iter().any(|field| field.name == "totalCount") {
            true => Some(int(conversations::total(query.services, query.viewer, site, &list).await.ok()?)),
            false => None,
        };
        let (sources, messages) = (HashMap::new(), Vec::new());
        let mut read = Self { rows, order: list.order, total, sources, messages };
        read.read_sources(query, site, &field.fields).await?;
        read.read_messages(query, site, &field.fields).await?;
        Some(read)
    }

    async fn read_sources(&mut self, query: DirectQuery<'_>, site: &Site, fields: &[PlannedField]) -> Option<()> {
        let citations = node_selections(fields).flatten().filter(|field| field.name == "citations");
        if !citations.flat_map(|field| &field.fields).any(|field| field.name == "source") {
            return Some(());
        }
        let cited = self.rows.rows.iter().flat_map(|row| &row.citations).map(|citation| citation.source_id);
        let mut ids: Vec<SourceId> = cited.collect();
        ids.sort_unstable();
        ids.dedup();
        if !ids.is_empty() {
            let found = sources::by_ids(query.services, query.viewer, Some(site.id), &ids).await.ok()?;
            self.sources = found.into_iter().map(|source| (source.id, source)).collect();
        }
        Some(())
    }

    async fn read_messages(&mut self, query: DirectQuery<'_>, site: &Site, fields: &[PlannedField]) -> Option<()> {
        let long = self.rows.rows.iter().filter(|row| row.message_count > OPENING_MESSAGES);
        let ids: Vec<ConversationId> = long.map(|row| row.id).collect();
        for field in node_selections(fields).flatten().filter(|field| field.name == "messages") {
            let part = message_part(query, field)?;
            if self.messages.iter().any(|(known, _)| *known == part) {
                continue;
            }
            let mut stored: HashMap<ConversationId, Vec<StoredMessage>> = HashMap::new();
            if !ids.is_empty() {
                let found = messages::page(query.services, query.viewer, Some(site.id), &ids, part).await.ok()?;
                for message in found {
                    stored.entry(message.conversation_id).or_default().push(message);
                }
            }
            self.messages.push((part, stored));
        }
        Some(())
    }

    /// Bytes that the JSON text needs, about.
    pub fn room(&self) -> usize {
        let of_row = |row: &Conversation| CONVERSATION_BYTES + row.question.len() + row.answer.len();
        self.rows.rows.iter().map(of_row).sum()
    }

    /// Writes the page as the value of `field`.
    pub fn write(&self, query: DirectQuery<'_>, json: &mut JsonWriter, field: &PlannedField) -> Option<()> {
        let connection = ConnectionPage { types: &CONVERSATIONS, rows: &self.rows, total: self.total };
        let position = |row: &Conversation| listed::position(self.order, row);
        connection.write(json, &field.fields, |json, row, fields| self.conversation(query, json, row, fields), position)
    }

    fn conversation(
        &self,
        query: DirectQuery<'_>,
        json: &mut JsonWriter,
        row: &Conversation,
        fields: &[PlannedField],
    ) -> Option<()> {
        json.object(fields, |json, field| {
            if let Some(written) = plain::conversation(row, &field.name, &mut *json) {
                return written;
            }
            match field.name.as_str() {
                "citations" => self.citations(json, row, &field.fields),
                "sources" => {
                    json.list(conversations::public_sources(&row.citations), |json, source| json.string(&source))
                }
                "messages" => self.message_list(query, json, row, field),
                "handoff" => handoff(json, row, &field.fields),
                TYPE_NAME => json.word("Conversation"),
                _ => None,
            }
        })
    }

    fn citations(&self, json: &mut JsonWriter, row: &Conversation, fields: &[PlannedField]) -> Option<()> {
        json.list(&row.citations, |json, citation| {
            json.object(fields, |json, field| match field.name.as_str() {
                "source" => match self.sources.get(&citation.source_id) {
                    Some(source) => json.object(&field.fields, |json, field| match field.name.as_str() {
                        TYPE_NAME => json.word("Source"),
                        name => plain::source(source, name, json)?,
                    }),
                    None => json.null(),
                },
                TYPE_NAME => json.word("Citation"),
                name => plain::citation(citation, name, json)?,
            })
        })
    }

    fn message_list(
        &self,
        query: DirectQuery<'_>,
        json: &mut JsonWriter,
        row: &Conversation,
        field: &PlannedField,
    ) -> Option<()> {
        use crate::schema::plain::PlainFields as _;

        let part = message_part(query, field)?;
        let (_, stored) = self.messages.iter().find(|(known, _)| *known == part)?;
        let stored = stored.get(&row.id).cloned().unwrap_or_default();
        let rows = message_page(&part, row, stored, None);
        let connection = ConnectionPage { types: &MESSAGES, rows: &rows, total: Some(int(row.message_count)) };
        let node = |json: &mut JsonWriter, message: &listed::Message, fields: &[PlannedField]| {
            json.object(fields, |json, field| match field.name.as_str() {
                TYPE_NAME => json.word("Message"),
                name => message.plain_field(name, json)?,
            })
        };
        connection.write(json, &field.fields, node, |message| message.position())
    }
}

fn message_part(query: DirectQuery<'_>, field: &PlannedField) -> Option<PageRequest<i64>> {
    Arguments { field, variables: query.variables }.page()?.request().ok()
}

fn handoff(json: &mut JsonWriter, row: &Conversation, fields: &[PlannedField]) -> Option<()> {
    let Some(status) = row.handoff else { return json.null() };
    json.object(fields, |json, field| match field.name.as_str() {
        "status" => json.choice(HandoffStatus::from(status)),
        "customerEmail" => json.optional(row.customer_email.as_deref()),
        "requestedAt" => json.word(row.handoff_at.unwrap_or(row.created_at)),
        TYPE_NAME => json.word("Handoff"),
        _ => None,
    })
}

/// The parts of the conversations that the fields of the connection need.
fn parts(fields: &[PlannedField], order: ConversationOrder) -> ConversationParts {
    let of_cursors = if has_cursor(fields) { order.key_part() } else { ConversationParts::ID };
    node_selections(fields).flatten().fold(of_cursors, |parts, field| parts.with(plain::parts_of(&field.name)))
}
