//! Receives the nodes of html5ever's tree construction and puts them into the flat tree of `dom`.
//!
//! Called by `parse` only. Nothing is freed before the end, so a node that was moved or removed keeps its
//! index.

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, Namespace, QualName, ns};

use super::dom::{self, DEPTH_LIMIT, Dom, DomNode, NODE_LIMIT, NONE, NodeId, NodeKind, ROOT};
use super::error::ExtractError;

/// Bytes of HTML for each node, measured on help pages. Determines the first allocation.
const BYTES_PER_NODE: usize = 24;

pub(crate) struct ArenaSink {
    arena: RefCell<Arena>,
}

struct Arena {
    dom: Dom,
    deepest: u32,
}

/// A tag name with its namespace, as html5ever needs it.
#[derive(Debug)]
pub(crate) struct OwnedName {
    namespace: Namespace,
    local: LocalName,
}

impl ElemName for OwnedName {
    fn ns(&self) -> &Namespace {
        &self.namespace
    }

    fn local_name(&self) -> &LocalName {
        &self.local
    }
}

impl ArenaSink {
    pub fn with_capacity(html_bytes: usize) -> Self {
        let mut dom = Dom::default();
        dom.nodes.reserve(html_bytes / BYTES_PER_NODE);
        dom.text.reserve(html_bytes / 2);
        dom.nodes.push(new_node(NodeKind::Document, LocalName::default(), (0, 0)));
        Self { arena: RefCell::new(Arena { dom, deepest: 0 }) }
    }

    pub fn into_dom(self) -> Dom {
        self.arena.into_inner().dom
    }

    /// Returns the limit that the tree exceeds, if any.
    pub fn broken_limit(&self) -> Option<ExtractError> {
        let arena = self.arena.borrow();
        if arena.deepest > DEPTH_LIMIT {
            return Some(ExtractError::TooDeep { limit: DEPTH_LIMIT });
        }
        (arena.dom.nodes.len() > NODE_LIMIT as usize).then_some(ExtractError::TooManyElements { limit: NODE_LIMIT })
    }
}

fn new_node(kind: NodeKind, name: LocalName, span: (u32, u32)) -> DomNode {
    DomNode {
        kind,
        name,
        span,
        parent: NONE,
        first_child: NONE,
        last_child: NONE,
        previous: NONE,
        next: NONE,
        depth: 0,
    }
}

impl Arena {
    fn node(&mut self, id: NodeId) -> &mut DomNode {
        &mut self.dom.nodes[id as usize]
    }

    fn push(&mut self, node: DomNode) -> NodeId {
        self.dom.nodes.push(node);
        (self.dom.nodes.len() - 1) as NodeId
    }

    fn push_text(&mut self, text: &str) -> (u32, u32) {
        let from = self.dom.text.len() as u32;
        self.dom.text.push_str(text);
        (from, self.dom.text.len() as u32)
    }

    fn push_attributes(&mut self, attributes: Vec<Attribute>) -> (u32, u32) {
        let from = self.dom.attributes.len() as u32;
        for attribute in attributes {
            let value = self.push_text(&attribute.value);
            self.dom.attributes.push(dom::Attribute { name: attribute.name.local, value });
        }
        (from, self.dom.attributes.len() as u32)
    }

    /// Puts a node under `parent`, before `before` or at the end (`NONE`).
    fn attach(&mut self, id: NodeId, parent: NodeId, before: NodeId) {
        self.dom.detach(id);
        let previous = if before == NONE { self.node(parent).last_child } else { self.node(before).previous };
        let depth = self.node(parent).depth + 1;
        self.deepest = self.deepest.max(depth);
        let node = self.node(id);
        (node.parent, node.previous, node.next, node.depth) = (parent, previous, before, depth);
        if previous == NONE {
            self.node(parent).first_child = id;
        } else {
            self.node(previous).next = id;
        }
        if before == NONE {
            self.node(parent).last_child = id;
        } else {
            self.node(before).previous = id;
        }
    }

    /// Adds text, to the text node before it where that one ends the text store.
    fn attach_text(&mut self, text: &str, parent: NodeId, before: NodeId) {
        let previous = if before == NONE { self.node(parent).last_child } else { self.node(before).previous };
        let (from, to) = self.push_text(text);
        if previous != NONE {
            let node = self.node(previous);
            if node.kind == NodeKind::Text && node.span.1 == from {
                node.span.1 = to;
                return;
            }
        }
        let id = self.push(new_node(NodeKind::Text, LocalName::default(), (from, to)));
        self.attach(id, parent, before);
    }

    fn attach_either(&mut self, child: NodeOrText<NodeId>, parent: NodeId, before: NodeId) {
        match child {
            NodeOrText::AppendNode(id) => self.attach(id, parent, before),
            NodeOrText::AppendText(text) => self.attach_text(&text, parent, before),
        }
    }
}

impl TreeSink for ArenaSink {
    type Handle = NodeId;
    type Output = Self;
    type ElemName<'a> = OwnedName;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        ROOT
    }

    fn elem_name<'a>(&'a self, &id: &'a NodeId) -> OwnedName {
        let arena = self.arena.borrow();
        let node = arena.dom.node(id);
        // SVG and MathML need no telling apart here: what matters is that they are not HTML.
        let namespace = if node.kind == NodeKind::Foreign { ns!(svg) } else { ns!(html) };
        OwnedName { namespace, local: node.name.clone() }
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, _: ElementFlags) -> NodeId {
        let mut arena = self.arena.borrow_mut();
        let span = arena.push_attributes(attrs);
        let kind = if name.ns == ns!(html) { NodeKind::Element } else { NodeKind::Foreign };
        arena.push(new_node(kind, name.local, span))
    }

    fn create_comment(&self, _text: StrTendril) -> NodeId {
        self.create_pi(StrTendril::new(), StrTendril::new())
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> NodeId {
        let mut arena = self.arena.borrow_mut();
        arena.push(new_node(NodeKind::Foreign, LocalName::default(), (0, 0)))
    }

    fn append(&self, &parent: &NodeId, child: NodeOrText<NodeId>) {
        self.arena.borrow_mut().attach_either(child, parent, NONE);
    }

    fn append_before_sibling(&self, &sibling: &NodeId, child: NodeOrText<NodeId>) {
        let mut arena = self.arena.borrow_mut();
        let parent = arena.node(sibling).parent;
        if parent != NONE {
            arena.attach_either(child, parent, sibling);
        }
    }

    fn append_based_on_parent_node(&self, element: &NodeId, previous: &NodeId, child: NodeOrText<NodeId>) {
        let has_parent = self.arena.borrow().dom.node(*element).parent != NONE;
        if has_parent {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    /// The contents of a template are its children here; extraction skips templates.
    fn get_template_contents(&self, &target: &NodeId) -> NodeId {
        target
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn add_attrs_if_missing(&self, &target: &NodeId, mut attrs: Vec<Attribute>) {
        let mut arena = self.arena.borrow_mut();
        attrs.retain(|attr| arena.dom.attribute(target, &attr.name.local).is_none());
        let (from, to) = arena.node(target).span;
        let start = arena.dom.attributes.len() as u32;
        for index in from..to {
            let old = &arena.dom.attributes[index as usize];
            let copy = dom::Attribute { name: old.name.clone(), value: old.value };
            arena.dom.attributes.push(copy);
        }
        let (_, end) = arena.push_attributes(attrs);
        arena.node(target).span = (start, end);
    }

    fn remove_from_parent(&self, &target: &NodeId) {
        self.arena.borrow_mut().dom.detach(target);
    }

    fn reparent_children(&self, &node: &NodeId, &new_parent: &NodeId) {
        let mut arena = self.arena.borrow_mut();
        loop {
            let child = arena.node(node).first_child;
            if child == NONE {
                break;
            }
            arena.attach(child, new_parent, NONE);
        }
    }
}
