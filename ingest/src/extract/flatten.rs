//! [`Dom`] to [`Flow`]: one pass in document order, without recursion.
//!
//! Scripts, styles, templates and form fields are dropped here for good, except for ticks and fixed values. Images are
//! replaced by their alternative text. What a page merely hides, such as a closed accordion, is kept, because
//! hidden answers are answers.

mod flattener;
mod lists;
mod math;
mod text;
mod titles;

use html5ever::local_name;

use super::dom::{Dom, NONE, NodeId, NodeKind, ROOT};
use super::element::{self, Display};
use super::flow::{Flow, Marker, Run, Style};
use super::markdown::decoded_mail;
use super::script::{self, Script};
use super::{boilerplate, cells, feedback, images, jumps, media, page_notes, previews, rearrange, tabs, words};
use flattener::Flattener;
use text::collapse;

/// Turns a tree into blocks and marks the boilerplate among them.
pub(crate) fn flatten(mut dom: Dom) -> Flow {
    rearrange::rearrange(&mut dom);
    cells::complete(&mut dom);
    let mut flattener = Flattener::new(dom);
    flattener.run();
    let mut flow = flattener.flow;
    // An element counts the block that is open at its end, which may turn out to be blank.
    let len = flow.len();
    for (from, to) in &mut flow.ranges {
        (*from, *to) = ((*from).min(len), (*to).min(len));
    }
    boilerplate::mark(&mut flow);
    jumps::mark(&mut flow);
    feedback::mark(&mut flow);
    page_notes::mark(&mut flow);
    previews::mark(&mut flow);
    flow
}

impl Flattener {
    fn run(&mut self) {
        let mut at = ROOT;
        loop {
            let child = self.flow.dom.node(at).first_child;
            if self.enter(at) && child != NONE {
                at = child;
                continue;
            }
            loop {
                self.leave(at);
                if at == ROOT {
                    return;
                }
                let node = self.flow.dom.node(at);
                if node.next != NONE {
                    at = node.next;
                    break;
                }
                at = node.parent;
            }
        }
    }

    /// Reads a node's start; false when its children are to be stepped over.
    fn enter(&mut self, id: NodeId) -> bool {
        self.saved.push(self.context);
        let kind = self.flow.dom.node(id).kind;
        match kind {
            NodeKind::Text => {
                self.enter_text(id);
                return false;
            }
            NodeKind::Document => return true,
            NodeKind::Foreign if self.context.is_math || *self.flow.dom.name(id) == local_name!("math") => {
                return self.enter_math(id);
            }
            NodeKind::Foreign => {
                if let Some(text) = images::alternative(&self.flow.dom, id) {
                    self.add_text(&text, Style { is_alt: true, ..self.context.style });
                }
                return false;
            }
            NodeKind::Element => {}
        }
        self.note_anchors(id);
        if let Some(mail) = self.flow.dom.attribute_named(id, "data-cfemail").and_then(decoded_mail) {
            self.add_text(&mail, self.context.style);
            return false;
        }
        if self.is_left_out(id) {
            return false;
        }
        let display = element::display(&self.flow.dom, id);
        match display {
            Display::None => {
                if let Some(title) = media::title(&self.flow.dom, id) {
                    self.add_text(&title, Style { is_alt: true, link: id, ..self.context.style });
                } else if let Some(text) = images::alternative(&self.flow.dom, id) {
                    let style = Style { is_alt: true, ..self.context.style };
                    self.add_text(&text, style);
                }
                return false;
            }
            Display::Break | Display::Block if self.is_line_of_code(id) => self.end_line_of_code(),
            Display::Break => {
                let has_text = self.flow.text.len() as u32 > self.open.0;
                self.flush();
                self.is_continued = has_text || self.is_continued;
                return false;
            }
            Display::Block => {
                self.flush();
                self.is_continued = false;
                self.context.node = id;
            }
            Display::Inline => {}
        }
        self.flow.ranges[id as usize].0 = self.flow.len();
        self.style(id, display);
        if *self.flow.dom.name(id) == local_name!("q") {
            self.add_text("“", self.context.style);
        }
        if display == Display::Block
            && let Some(label) = words::split_text(&self.flow.dom, id).map(str::to_owned)
        {
            self.add_text(&label, self.context.style);
            return false;
        }
        true
    }

    /// Whether an element is no part of the title, link or code around it.
    fn is_left_out(&self, id: NodeId) -> bool {
        let (dom, context) = (&self.flow.dom, &self.context);
        let open = || &self.flow.text[self.open.0 as usize..];
        if context.heading > 0 || element::is_title(dom, context.node) {
            let is_button = *dom.name(id) == local_name!("button") && element::is_behind_title(dom, id);
            if is_button || words::is_badge(dom, id, open()) {
                return true;
            }
        }
        let is_line_start = || open().is_empty() || open().ends_with('\n');
        context.is_preformatted && is_line_start() && words::is_line_number(dom, id) || words::is_spoken_only(dom, id)
    }

    fn enter_text(&mut self, id: NodeId) {
        if self.context.is_math {
            return self.add_math_text(id);
        }
        let mut source = self.flow.dom.text_of(id).to_owned();
        if self.context.is_reversed {
            source = source.chars().rev().collect();
        }
        let is_title = self.context.heading > 0 || element::is_title(&self.flow.dom, self.context.node);
        if self.context.keeps_breaks && !is_title && !self.context.is_preformatted && source.contains('\n') {
            return self.add_lines(&source);
        }
        let source = self.end_bold_question(&source);
        self.add_text(source, self.context.style);
    }

    /// Whether an element is only a line of the code around it.
    fn is_line_of_code(&self, id: NodeId) -> bool {
        let is_line = matches!(*self.flow.dom.name(id), local_name!("div") | local_name!("p") | local_name!("br"));
        self.context.is_preformatted && is_line
    }

    fn end_line_of_code(&mut self) {
        let text = &self.flow.text[self.open.0 as usize..];
        if !text.is_empty() && !text.ends_with('\n') {
            self.add_text("\n", self.context.style);
        }
    }

    fn leave(&mut self, id: NodeId) {
        let Some(before) = self.saved.pop() else { return };
        let kind = self.flow.dom.node(id).kind;
        if kind == NodeKind::Text {
            return;
        }
        if kind == NodeKind::Foreign && self.context.is_math {
            self.leave_math(id);
        }
        if kind == NodeKind::Element && self.is_line_of_code(id) {
            self.end_line_of_code();
        }
        if *self.flow.dom.name(id) == local_name!("q") {
            self.add_text("”", self.context.style);
        }
        if self.context.style.link == id && self.context.link_from == self.flow.text.len() as u32 {
            self.add_link_label(id);
        }
        if before.node != self.context.node || id == ROOT {
            self.flush();
            self.is_continued = false;
            if matches!(
                *self.flow.dom.name(id),
                local_name!("ul") | local_name!("ol") | local_name!("menu") | local_name!("dir")
            ) {
                self.counters.pop();
            }
        }
        if *self.flow.dom.name(id) == local_name!("li") {
            // An item without text gives its marker to no other.
            self.marker = Marker::None;
        }
        let is_open = self.flow.text.len() as u32 > self.open.0;
        let range = &mut self.flow.ranges[id as usize];
        range.1 = self.flow.blocks.len() as u32 + u32::from(is_open);
        self.context = before;
    }

    fn note_anchors(&mut self, id: NodeId) {
        let dom = &self.flow.dom;
        let name = (*dom.name(id) == local_name!("a")).then(|| dom.attribute(id, &local_name!("name"))).flatten();
        for anchor in [dom.attribute(id, &local_name!("id")), name].into_iter().flatten() {
            if !anchor.is_empty() && !self.flow.anchors.contains_key(anchor) {
                self.flow.anchors.insert(anchor.to_owned(), id);
            }
        }
        let at = self.flow.len();
        self.flow.ranges[id as usize] = (at, at);
    }

    /// Takes over what the element says about the text within it.
    fn style(&mut self, id: NodeId, display: Display) {
        let dom = &self.flow.dom;
        let context = &mut self.context;
        context.is_boilerplate |= boilerplate::is_landmark(dom, id);
        context.style.is_bold |= element::is_bold(dom, id);
        context.style.is_deleted |= element::is_deleted(dom, id);
        if display == Display::Block {
            context.style.mark = NONE;
        } else if element::sets_apart(dom, id) {
            context.style.mark = id;
        }
        context.heading = element::heading(dom, id).unwrap_or(context.heading);
        context.is_note |= boilerplate::is_footnotes(dom, id);
        context.keeps_breaks = text::keeps_breaks(dom, id).unwrap_or(context.keeps_breaks);
        context.is_reversed |= element::is_reversed(dom, id);
        if display == Display::Inline {
            context.script = element::script_by_style(dom, id).unwrap_or(context.script);
        }
        match *dom.name(id) {
            local_name!("a") if dom.attribute(id, &local_name!("href")).is_some() && !tabs::is_tab(dom, id) => {
                // A raised link into the page is the mark of a footnote: the mark says it all.
                let is_footnote = context.script == Script::Raised && is_jump(dom, id);
                context.style.link = if is_footnote { NONE } else { id };
                context.link_from = self.flow.text.len() as u32;
            }
            local_name!("sup") => {
                context.script = Script::Raised;
                if context.style.link != NONE && is_jump(dom, context.style.link) {
                    context.style.link = NONE;
                }
            }
            local_name!("sub") => context.script = Script::Lowered,
            local_name!("code") | local_name!("kbd") | local_name!("tt") | local_name!("samp") => {
                context.style.is_code = true;
            }
            local_name!("pre") | local_name!("textarea") => context.is_preformatted = true,
            local_name!("tr") => context.row = id,
            local_name!("button") => {
                context.is_control = display == Display::Block
                    && context.heading == 0
                    && !element::opens_something(dom, id)
                    && !element::is_in_title(dom, id)
                    && !tabs::is_tab(dom, id);
            }
            local_name!("ol") => self.enter_list(id, true),
            local_name!("ul") | local_name!("menu") | local_name!("dir") => self.enter_list(id, false),
            local_name!("li") => self.enter_item(id),
            _ => {}
        }
    }

    fn add_text(&mut self, source: &str, style: Style) {
        let before = self.flow.text.len();
        let (flow, context) = (&mut self.flow, &self.context);
        if context.is_preformatted {
            flow.text.push_str(source);
        } else {
            let is_start = before as u32 == self.open.0;
            let last = flow.text[self.open.0 as usize..].chars().next_back().filter(|_| !self.has_space);
            let signs = script::plain_signs(source);
            let signs = match context.script {
                Script::Normal => signs,
                Script::Raised if let Some(cents) = script::cents(&flow.text[self.open.0 as usize..], &signs) => {
                    cents.into()
                }
                raised_or_lowered => script::written(&signs, raised_or_lowered, last).into(),
            };
            self.has_space = collapse(&mut flow.text, &signs, self.has_space && !is_start, is_start);
        }
        let span = (before as u32, flow.text.len() as u32);
        if span.0 == span.1 {
            return;
        }
        let has_open_run = flow.runs.len() as u32 > self.open.1;
        match flow.runs.last_mut() {
            Some(last) if has_open_run && last.style == style => last.span.1 = span.1,
            _ => flow.runs.push(Run { span, style }),
        }
    }

    /// Ends the open block; drops it when it is blank.
    fn flush(&mut self) {
        self.has_space = false;
        if self.flow.text.len() as u32 == self.open.0 {
            return;
        }
        if element::is_title(&self.flow.dom, self.context.node) || self.context.heading > 0 {
            self.drop_asides();
        }
        let (text_from, runs_from) = self.open;
        let text_to = self.flow.text.len() as u32;
        if is_blank(self.flow.slice((text_from, text_to))) {
            self.flow.text.truncate(text_from as usize);
            self.flow.runs.truncate(runs_from as usize);
            return;
        }
        let titles = self.run_ins(runs_from);
        if titles.len() >= titles::RUN_INS_MIN {
            self.push_run_ins(&titles, text_to);
        } else if let Some(split) = self.lead_in(runs_from) {
            let middle = self.flow.runs[split as usize].span.0;
            self.push_block((text_from, middle), (runs_from, split));
            self.is_continued = true;
            self.push_block((middle, text_to), (split, self.flow.runs.len() as u32));
        } else {
            let runs = (runs_from, self.flow.runs.len() as u32);
            self.push_block((text_from, text_to), runs);
        }
        self.open = (text_to, self.flow.runs.len() as u32);
    }
}

/// Whether a link leads to a place on its own page.
fn is_jump(dom: &Dom, link: NodeId) -> bool {
    dom.attribute(link, &local_name!("href")).is_some_and(|href| href.trim_start().starts_with('#'))
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || script::is_soft(c) || matches!(c, '\u{200c}'..='\u{200f}'))
}
