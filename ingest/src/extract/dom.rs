//! A compact document tree in three flat vectors, built by `parse` and read by all other steps.
//!
//! Nodes are indices, so no operation recurses, however deep the page is. Only attributes that extraction
//! reads are stored.

use std::borrow::Cow;

use html5ever::{LocalName, local_name};

/// Index of a node in its [`Dom`].
pub(crate) type NodeId = u32;

/// No node, for example the parent of the document.
pub(crate) const NONE: NodeId = NodeId::MAX;

/// The document node.
pub(crate) const ROOT: NodeId = 0;

/// The deepest nesting that is read. Blink flattens what is deeper than 512; real pages with
/// unclosed tags pass that, and the tree construction costs time in proportion to it.
pub(crate) const DEPTH_LIMIT: u32 = 1024;

/// The most nodes that are read: ten times a very long page (the HTML standard on one page has
/// about 600,000), and at about 60 bytes each some 60 MB.
pub(crate) const NODE_LIMIT: u32 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeKind {
    Document,
    /// An element of HTML.
    Element,
    /// An element of SVG or MathML.
    Foreign,
    Text,
}

#[derive(Debug)]
pub(crate) struct DomNode {
    pub kind: NodeKind,
    /// Tag name; empty for documents and text.
    pub name: LocalName,
    pub parent: NodeId,
    pub first_child: NodeId,
    pub last_child: NodeId,
    pub previous: NodeId,
    pub next: NodeId,
    /// Elements: a range of `Dom::attributes`. Text: a range of `Dom::text`.
    pub span: (u32, u32),
    pub depth: u32,
}

#[derive(Debug)]
pub(crate) struct Attribute {
    pub name: LocalName,
    /// Range of `Dom::text`.
    pub value: (u32, u32),
}

#[derive(Debug, Default)]
pub(crate) struct Dom {
    pub nodes: Vec<DomNode>,
    pub attributes: Vec<Attribute>,
    /// All text and attribute values in one string.
    pub text: String,
}

impl Dom {
    pub fn node(&self, id: NodeId) -> &DomNode {
        &self.nodes[id as usize]
    }

    pub fn name(&self, id: NodeId) -> &LocalName {
        &self.node(id).name
    }

    pub fn is_element(&self, id: NodeId) -> bool {
        self.node(id).kind == NodeKind::Element
    }

    /// The text of a text node; empty for every other node.
    pub fn text_of(&self, id: NodeId) -> &str {
        let node = self.node(id);
        match node.kind {
            NodeKind::Text => self.slice(node.span),
            _ => "",
        }
    }

    /// The value of an attribute of an element; `Some("")` when it has no value.
    pub fn attribute(&self, id: NodeId, name: &LocalName) -> Option<&str> {
        self.value(id, |attribute| attribute.name == *name)
    }

    /// Like [`Dom::attribute`], for a name without a constant in html5ever. `LocalName::from` would look it up in a table that
    /// all threads share.
    pub fn attribute_named(&self, id: NodeId, name: &str) -> Option<&str> {
        self.value(id, |attribute| *attribute.name == *name)
    }

    fn value(&self, id: NodeId, is_wanted: impl Fn(&Attribute) -> bool) -> Option<&str> {
        let node = self.node(id);
        if !matches!(node.kind, NodeKind::Element | NodeKind::Foreign) {
            return None;
        }
        let (from, to) = node.span;
        let attributes = &self.attributes[from as usize..to as usize];
        attributes.iter().find(|&attribute| is_wanted(attribute)).map(|attribute| self.slice(attribute.value))
    }

    fn slice(&self, (from, to): (u32, u32)) -> &str {
        &self.text[from as usize..to as usize]
    }

    /// The children of a node, first to last.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let mut next = self.node(id).first_child;
        std::iter::from_fn(move || {
            let id = (next != NONE).then_some(next)?;
            next = self.node(id).next;
            Some(id)
        })
    }

    /// The nearest following sibling that is an element of HTML.
    pub fn next_element(&self, id: NodeId) -> Option<NodeId> {
        let mut next = self.node(id).next;
        while next != NONE {
            if self.is_element(next) {
                return Some(next);
            }
            next = self.node(next).next;
        }
        None
    }

    /// The nearest sibling before a node that is an element of HTML.
    pub fn previous_element(&self, id: NodeId) -> Option<NodeId> {
        let mut previous = self.node(id).previous;
        while previous != NONE && !self.is_element(previous) {
            previous = self.node(previous).previous;
        }
        (previous != NONE).then_some(previous)
    }

    /// The parent, its parent and so on, up to the document.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let mut at = id;
        std::iter::from_fn(move || {
            let parent = self.node(at).parent;
            at = (parent != NONE).then_some(parent)?;
            Some(at)
        })
    }

    /// The node behind `id` in document order within `top`, or `None` at its end.
    ///
    /// With `descend` false the children of `id` are stepped over.
    pub fn following(&self, id: NodeId, top: NodeId, descend: Descend) -> Option<NodeId> {
        if descend == Descend::Into && self.node(id).first_child != NONE {
            return Some(self.node(id).first_child);
        }
        let mut at = id;
        while at != top {
            if self.node(at).next != NONE {
                return Some(self.node(at).next);
            }
            at = self.node(at).parent;
            if at == NONE {
                return None;
            }
        }
        None
    }

    /// All nodes within `top` in document order, without `top` itself.
    pub fn descendants(&self, top: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let mut at = top;
        std::iter::from_fn(move || {
            at = self.following(at, top, Descend::Into)?;
            Some(at)
        })
    }

    /// Takes a node out of its place; it stays a node without a parent.
    pub fn detach(&mut self, id: NodeId) {
        let DomNode { parent, previous, next, .. } = *self.node(id);
        if previous != NONE {
            self.nodes[previous as usize].next = next;
        } else if parent != NONE {
            self.nodes[parent as usize].first_child = next;
        }
        if next != NONE {
            self.nodes[next as usize].previous = previous;
        } else if parent != NONE {
            self.nodes[parent as usize].last_child = previous;
        }
        let node = &mut self.nodes[id as usize];
        (node.parent, node.previous, node.next) = (NONE, NONE, NONE);
    }

    /// Replaces the text of a text node.
    pub fn set_text(&mut self, id: NodeId, text: &str) {
        let from = self.text.len() as u32;
        self.text.push_str(text);
        self.nodes[id as usize].span = (from, self.text.len() as u32);
    }

    /// Gives an element an attribute that it does not have.
    pub fn add_attribute(&mut self, id: NodeId, name: LocalName, value: &str) {
        let (from, to) = self.node(id).span;
        let start = self.attributes.len() as u32;
        for index in from..to {
            let Attribute { name, value } = &self.attributes[index as usize];
            let copy = Attribute { name: name.clone(), value: *value };
            self.attributes.push(copy);
        }
        let text_from = self.text.len() as u32;
        self.text.push_str(value);
        self.attributes.push(Attribute { name, value: (text_from, self.text.len() as u32) });
        self.nodes[id as usize].span = (start, self.attributes.len() as u32);
    }

    /// A new element without attributes, which has no place yet.
    pub fn push_element(&mut self, name: LocalName) -> NodeId {
        self.push_node(NodeKind::Element, name, (0, 0))
    }

    /// A new text node, which has no place yet.
    pub fn push_text(&mut self, text: &str) -> NodeId {
        let from = self.text.len() as u32;
        self.text.push_str(text);
        self.push_node(NodeKind::Text, LocalName::default(), (from, self.text.len() as u32))
    }

    fn push_node(&mut self, kind: NodeKind, name: LocalName, span: (u32, u32)) -> NodeId {
        let (parent, first_child, last_child, previous, next) = (NONE, NONE, NONE, NONE, NONE);
        self.nodes.push(DomNode { kind, name, parent, first_child, last_child, previous, next, span, depth: 0 });
        (self.nodes.len() - 1) as NodeId
    }

    /// Gives an element another name.
    pub fn rename(&mut self, id: NodeId, name: LocalName) {
        self.nodes[id as usize].name = name;
    }

    /// Makes a node the first child of another one, which must not be within it.
    pub fn move_to_front(&mut self, id: NodeId, parent: NodeId) {
        self.detach(id);
        let next = self.node(parent).first_child;
        let node = &mut self.nodes[id as usize];
        (node.parent, node.next) = (parent, next);
        self.nodes[parent as usize].first_child = id;
        if next == NONE {
            self.nodes[parent as usize].last_child = id;
        } else {
            self.nodes[next as usize].previous = id;
        }
    }

    /// Makes a node the last child of another one, which must not be within it.
    pub fn move_to_back(&mut self, id: NodeId, parent: NodeId) {
        self.detach(id);
        let previous = self.node(parent).last_child;
        let node = &mut self.nodes[id as usize];
        (node.parent, node.previous) = (parent, previous);
        self.nodes[parent as usize].last_child = id;
        if previous == NONE {
            self.nodes[parent as usize].first_child = id;
        } else {
            self.nodes[previous as usize].next = id;
        }
    }

    /// The text within a node as it is in the source, at most `limit_bytes` of it.
    pub fn raw_text(&self, top: NodeId, limit_bytes: usize) -> String {
        let mut out = String::new();
        for id in self.descendants(top) {
            if out.len() > limit_bytes {
                break;
            }
            out.push_str(self.text_of(id));
        }
        out
    }
}

/// Whether an iteration enters the children of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Descend {
    Into,
    Over,
}

/// The words of an element's `class` and `id`, lower case.
pub(crate) fn names(dom: &Dom, id: NodeId) -> impl Iterator<Item = Cow<'_, str>> {
    [local_name!("class"), local_name!("id")]
        .into_iter()
        .filter_map(move |name| dom.attribute(id, &name))
        .flat_map(str::split_ascii_whitespace)
        .map(in_lower_case)
}

/// A word in lower case. Most of them are, and are not copied.
fn in_lower_case(word: &str) -> Cow<'_, str> {
    match word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(word.to_ascii_lowercase()),
        false => Cow::Borrowed(word),
    }
}
