//! Formulas in MathML as text on one line: raised and lowered parts, fractions with a slash, brackets and roots.
//!
//! Called by [`flatten`](super) for the elements and texts within `math`, in document order.

use super::super::dom::{Dom, NodeId, NodeKind};
use super::super::script::Script;
use super::flattener::Flattener;

/// Signs between two parts, with a space on both sides.
const INFIX: [&str; 16] = ["=", "<", ">", "≤", "≥", "≠", "≈", "+", "-", "−", "±", "×", "·", "→", "∈", "⇒"];

impl Flattener {
    /// Reads the start of an element of a formula; false when its children are to be stepped over.
    pub(super) fn enter_math(&mut self, id: NodeId) -> bool {
        self.context.is_math = true;
        let dom = &self.flow.dom;
        let above = &**dom.name(dom.node(id).parent);
        let is_bracketed = is_bracketed(dom, id);
        match (above, place(dom, id)) {
            ("msup" | "mover", 1) | ("msubsup" | "munderover", 2) => self.context.script = Script::Raised,
            ("msub" | "munder", 1) | ("msubsup" | "munderover", 1) => self.context.script = Script::Lowered,
            ("mfrac", 1) => self.add_math("/"),
            _ => {}
        }
        match &**self.flow.dom.name(id) {
            // The same formula once more, in TeX.
            "annotation" | "annotation-xml" | "mphantom" => return false,
            "msqrt" | "mroot" => self.add_math("√"),
            _ => {}
        }
        if is_bracketed {
            self.add_math("(");
        }
        true
    }

    /// Reads the end of an element of a formula.
    pub(super) fn leave_math(&mut self, id: NodeId) {
        if is_bracketed(&self.flow.dom, id) {
            self.add_math(")");
        }
        if matches!(&**self.flow.dom.name(id), "mtr" | "mtd") {
            self.add_math(" ");
        }
    }

    /// Reads a text of a formula.
    pub(super) fn add_math_text(&mut self, id: NodeId) {
        let dom = &self.flow.dom;
        let text = dom.text_of(id).trim().to_owned();
        let sign = dom.node(id).parent;
        let is_infix = INFIX.contains(&text.as_str()) && place(dom, sign) > 0 && self.context.script == Script::Normal;
        self.add_math(&if is_infix { format!(" {text} ") } else { text });
    }

    fn add_math(&mut self, text: &str) {
        self.add_text(text, self.context.style);
    }
}

/// The place of an element among its siblings, at most 3.
fn place(dom: &Dom, id: NodeId) -> usize {
    let before = |&id: &NodeId| dom.nodes.get(id as usize).map(|node| node.previous);
    let siblings = std::iter::successors(before(&id), before);
    siblings
        .take(8)
        .filter(|&id| dom.nodes.get(id as usize).is_some_and(|node| node.kind == NodeKind::Foreign))
        .take(3)
        .count()
}

/// Whether a part of several parts needs brackets on one line: above or below a fraction, or under a root.
fn is_bracketed(dom: &Dom, id: NodeId) -> bool {
    let is_part = &**dom.name(dom.node(id).parent) == "mfrac" || &**dom.name(id) == "msqrt";
    let parts = dom.children(id).filter(|&id| dom.node(id).kind == NodeKind::Foreign);
    is_part && &**dom.name(id) != "math" && parts.take(2).count() > 1
}
