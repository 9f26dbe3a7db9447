//! XML of office files as a stream of events without prefixes.
//!
//! Called by the readers of Word, spreadsheets, slides and OpenDocument. Nothing is built in memory:
//! nesting costs nothing, entities of the file's own are never expanded, and names are compared
//! without their namespace prefix, because programs choose prefixes freely.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::archive::unreadable;
use crate::extract::ExtractError;

/// What comes next in a part.
#[derive(Debug)]
pub(super) enum XmlNode<'a> {
    /// An element begins; an empty element begins and ends.
    Open(BytesStart<'a>),
    /// The element of this name ends.
    Close(String),
    /// Text with the references for `&`, `<`, `>` and quotes resolved.
    Text(String),
}

/// Calls `visit` for each node of a part, in document order.
///
/// # Errors
/// `Unreadable` when the XML is broken; what was visited before stays visited.
pub(super) fn read(xml: &str, mut visit: impl FnMut(XmlNode<'_>)) -> Result<(), ExtractError> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => visit(XmlNode::Open(element)),
            Ok(Event::Empty(element)) => {
                let name = name(&element);
                visit(XmlNode::Open(element));
                visit(XmlNode::Close(name));
            }
            Ok(Event::End(element)) => visit(XmlNode::Close(element.local_name().as_ref().to_owned())),
            Ok(Event::Text(text)) => visit(XmlNode::Text(text.to_string())),
            Ok(Event::CData(text)) => visit(XmlNode::Text(text.to_string())),
            Ok(Event::GeneralRef(reference)) => {
                let character = reference.resolve_char_ref().ok().flatten();
                let text = character.map_or_else(|| entity(&reference).to_owned(), String::from);
                visit(XmlNode::Text(text));
            }
            Ok(Event::Eof) => return Ok(()),
            Ok(_) => {}
            Err(_) => return Err(unreadable("its XML is broken")),
        }
    }
}

/// The name of an element without its prefix.
pub(super) fn name(element: &BytesStart<'_>) -> String {
    element.local_name().as_ref().to_owned()
}

/// The value of an attribute by its name without prefix.
pub(super) fn value(element: &BytesStart<'_>, name: &str) -> Option<String> {
    element
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .and_then(|attribute| attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned()))
}

/// Whether an element of Word that switches a property on does so: it may say "off" instead.
pub(super) fn is_on(element: &BytesStart<'_>) -> bool {
    !matches!(value(element, "val").as_deref(), Some("0" | "false" | "off" | "none"))
}

/// The five entities of XML. Entities that a file defines are never expanded.
pub(crate) fn entity(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}

/// Text as HTML that shows it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
