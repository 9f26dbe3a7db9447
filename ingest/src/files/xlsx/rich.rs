//! Texts of cells whose parts are set differently: struck out, raised or lowered.
//!
//! Called by the reader of workbooks for shared texts and for texts within cells. What is set alike is plain text.

use super::super::sheets;
use super::super::xml::{self, XmlNode};
use super::unescaped;
use crate::extract::ExtractError;

/// A text while it is read.
#[derive(Debug, Default)]
pub(super) struct RichText {
    plain: String,
    html: String,
    /// The element around the open part, if its style changes what it says.
    tag: &'static str,
    has_marks: bool,
    is_text: bool,
    is_reading_aid: bool,
}

impl RichText {
    pub(super) fn visit(&mut self, node: &XmlNode<'_>) {
        match node {
            XmlNode::Open(element) => match xml::name(element).as_str() {
                "r" => self.tag = "",
                "t" => self.is_text = true,
                "rPh" => self.is_reading_aid = true,
                "strike" if xml::is_on(element) => self.tag = "del",
                "vertAlign" => match xml::value(element, "val").as_deref() {
                    Some("superscript") => self.tag = "sup",
                    Some("subscript") => self.tag = "sub",
                    _ => {}
                },
                _ => {}
            },
            XmlNode::Close(name) => match name.as_str() {
                "r" => self.tag = "",
                "t" => self.is_text = false,
                "rPh" => self.is_reading_aid = false,
                _ => {}
            },
            XmlNode::Text(text) if self.is_text && !self.is_reading_aid => self.add(text),
            XmlNode::Text(_) => {}
        }
    }

    fn add(&mut self, text: &str) {
        self.plain.push_str(text);
        let html = xml::escaped(&unescaped(text)).replace('\n', "<br>");
        if self.tag.is_empty() {
            self.html.push_str(&html);
        } else {
            self.has_marks = true;
            self.html.push_str(&format!("<{0}>{html}</{0}>", self.tag));
        }
    }

    /// Ends the text.
    pub(super) fn take(&mut self) -> String {
        let text = std::mem::take(self);
        if text.has_marks { sheets::rich(&text.html) } else { unescaped(&text.plain) }
    }
}

/// The texts that cells share.
pub(super) fn shared_texts(xml: &str) -> Result<Vec<String>, ExtractError> {
    let (mut texts, mut text) = (Vec::new(), RichText::default());
    xml::read(xml, |node| {
        text.visit(&node);
        if matches!(&node, XmlNode::Close(name) if name == "si") {
            texts.push(text.take());
        }
    })?;
    Ok(texts)
}
