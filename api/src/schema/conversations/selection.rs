//! Which parts of the conversations a query selects, so that a list reads only those.
//!
//! The resolver of the list asks before it reads. A selection that is not understood selects everything.

use async_graphql::Context;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use helpbot_domain::conversation_order::ConversationOrder;
use helpbot_domain::conversation_parts::ConversationParts;

use super::plain;

/// The parts that the field `conversations` of the request needs for a list with this order.
pub(crate) fn parts(ctx: &Context<'_>, order: ConversationOrder) -> ConversationParts {
    let mut selected = SelectedParts { ctx, order, parts: ConversationParts::ID };
    selected.add(&ctx.item.node.selection_set.node, Level::Connection);
    selected.parts
}

/// The object that a selection set belongs to.
#[derive(Debug, Clone, Copy)]
enum Level {
    Connection,
    Edge,
    PageInfo,
    Conversation,
}

struct SelectedParts<'a, 'c> {
    ctx: &'a Context<'c>,
    order: ConversationOrder,
    parts: ConversationParts,
}

impl SelectedParts<'_, '_> {
    fn add(&mut self, set: &SelectionSet, level: Level) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => self.add_field(&field.node, level),
                Selection::InlineFragment(fragment) => self.add(&fragment.node.selection_set.node, level),
                Selection::FragmentSpread(spread) => {
                    match self.ctx.query_env.fragments.get(&spread.node.fragment_name.node) {
                        Some(fragment) => self.add(&fragment.node.selection_set.node, level),
                        None => self.parts = ConversationParts::ALL,
                    }
                }
            }
        }
    }

    fn add_field(&mut self, field: &Field, level: Level) {
        let set = &field.selection_set.node;
        match (level, field.name.node.as_str()) {
            (Level::Connection, "nodes") | (Level::Edge, "node") => self.add(set, Level::Conversation),
            (Level::Connection, "edges") => self.add(set, Level::Edge),
            (Level::Connection, "pageInfo") => self.add(set, Level::PageInfo),
            (Level::Edge, "cursor") | (Level::PageInfo, "startCursor" | "endCursor") => {
                self.parts = self.parts.with(self.order.key_part());
            }
            (Level::Connection | Level::Edge | Level::PageInfo, _) => {}
            (Level::Conversation, name) => self.parts = self.parts.with(plain::parts_of(name)),
        }
    }
}
