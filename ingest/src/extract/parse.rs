//! HTML text to [`Dom`]: html5gum's tokens, html5ever's tree construction, our own flat tree.
//!
//! html5ever's tokenizer is left out on purpose: it compares each attribute of a tag with all
//! before it, and it cannot be stopped inside a piece of input, so that one tag with a million
//! attributes, or a million open elements, costs minutes. Here the number of kept attributes is
//! small, and depth and node count are looked at after every tag.

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Doctype, Tag, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{Attribute, LocalName, QualName, ns};
use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Emitter, ForwardingEmitter, Span, State, Tokenizer};

use super::dom::{Dom, NodeId};
use super::error::ExtractError;
use super::sink::ArenaSink;

/// The longest attribute value that is kept, in bytes: addresses above it are data, not links.
const VALUE_LIMIT: usize = 8 * 1024;

/// Attributes that extraction or the tree construction reads; the others are never stored.
const KEPT: [&[u8]; 48] = [
    b"id",
    b"name",
    b"class",
    b"href",
    b"role",
    b"style",
    b"hidden",
    b"rel",
    b"content",
    b"http-equiv",
    b"type",
    b"lang",
    b"start",
    b"itemprop",
    b"itemtype",
    b"itemscope",
    b"aria-controls",
    b"aria-expanded",
    b"aria-hidden",
    b"aria-labelledby",
    b"data-target",
    b"data-bs-target",
    b"data-toggle",
    b"data-bs-toggle",
    b"open",
    b"for",
    b"color",
    b"size",
    b"encoding",
    b"alt",
    b"src",
    b"aria-label",
    b"slot",
    b"shadowrootmode",
    b"title",
    b"action",
    b"width",
    b"data-cfemail",
    b"hreflang",
    b"value",
    b"reversed",
    b"data-src",
    b"data",
    b"rowspan",
    b"colspan",
    b"checked",
    b"readonly",
    b"dir",
];

/// Attributes that are only kept of elements of a page's own making, which show them as text or play them.
const KEPT_OF_COMPONENTS: [&[u8]; 9] =
    [b"summary", b"heading", b"header", b"header-text", b"label", b"question", b"answer", b"videoid", b"playlabel"];

/// Builds the tree of a document.
///
/// # Errors
/// `TooDeep` and `TooManyElements`, as soon as the limit is passed.
pub(crate) fn document(html: &str) -> Result<Dom, ExtractError> {
    let sink = ArenaSink::with_capacity(html.len());
    let tree = TreeBuilder::new(sink, TreeBuilderOpts::default());
    let feeder = Feeder { tree: &tree, tag: None, skips_value: false, next_state: None };
    let emitter = TreeEmitter { inner: CallbackEmitter::new(feeder) };
    // The reader of a string has no error: what comes out, if anything, is a broken limit.
    if let Some(Ok(error)) = Tokenizer::new_with_emitter(html, emitter).next() {
        return Err(error);
    }
    Ok(tree.sink.into_dom())
}

/// Turns html5gum's events into html5ever's tokens.
struct Feeder<'a> {
    tree: &'a TreeBuilder<NodeId, ArenaSink>,
    tag: Option<Tag>,
    skips_value: bool,
    next_state: Option<State>,
}

impl Feeder<'_> {
    fn send(&mut self, token: Token) {
        self.next_state = match self.tree.process_token(token, 1) {
            TokenSinkResult::Continue | TokenSinkResult::EncodingIndicator(_) => return,
            TokenSinkResult::Script(_) => Some(State::Data),
            TokenSinkResult::Plaintext => Some(State::PlainText),
            TokenSinkResult::RawData(RawKind::Rcdata) => Some(State::RcData),
            TokenSinkResult::RawData(RawKind::Rawtext) => Some(State::RawText),
            TokenSinkResult::RawData(_) => Some(State::ScriptData),
        };
    }

    fn send_tag(&mut self, tag: Tag) -> Option<ExtractError> {
        self.send(Token::TagToken(tag));
        self.tree.sink.broken_limit()
    }

    fn add_attribute(&mut self, name: &[u8]) {
        let Some(tag) = &mut self.tag else { return };
        let is_kept = tag.attrs.len() < KEPT.len()
            && (KEPT.contains(&name) || KEPT_OF_COMPONENTS.contains(&name) && tag.name.contains('-'));
        let name = local_name(if is_kept { name } else { b"" });
        self.skips_value = !is_kept || tag.attrs.iter().any(|attr| attr.name.local == name);
        if !self.skips_value {
            let name = QualName::new(None, ns!(), name);
            tag.attrs.push(Attribute { name, value: StrTendril::new() });
        }
    }

    fn set_value(&mut self, value: &[u8]) {
        let attribute = self.tag.as_mut().and_then(|tag| tag.attrs.last_mut());
        if let (Some(attribute), false, true) = (attribute, self.skips_value, value.len() <= VALUE_LIMIT) {
            attribute.value = tendril(value);
        }
    }
}

impl Callback<ExtractError, ()> for Feeder<'_> {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<ExtractError> {
        match event {
            CallbackEvent::OpenStartTag { name } => self.tag = Some(tag(TagKind::StartTag, name)),
            CallbackEvent::AttributeName { name } => self.add_attribute(name),
            CallbackEvent::AttributeValue { value } => self.set_value(value),
            CallbackEvent::CloseStartTag { self_closing } => {
                let mut tag = self.tag.take()?;
                tag.self_closing = self_closing;
                return self.send_tag(tag);
            }
            CallbackEvent::EndTag { name } => {
                self.tag = None;
                return self.send_tag(tag(TagKind::EndTag, name));
            }
            CallbackEvent::String { value } => {
                for part in value.split(|&byte| byte == 0).filter(|part| !part.is_empty()) {
                    self.send(Token::CharacterTokens(tendril(part)));
                }
            }
            CallbackEvent::Doctype { name, public_identifier, system_identifier, force_quirks } => {
                self.send(Token::DoctypeToken(Doctype {
                    name: Some(tendril(name)).filter(|name| !name.is_empty()),
                    public_id: public_identifier.map(tendril),
                    system_id: system_identifier.map(tendril),
                    force_quirks,
                }));
            }
            CallbackEvent::Comment { .. } | CallbackEvent::Error(_) => {}
        }
        None
    }
}

fn tag(kind: TagKind, name: &[u8]) -> Tag {
    Tag { kind, name: local_name(name), self_closing: false, attrs: Vec::new(), had_duplicate_attributes: false }
}

fn tendril(bytes: &[u8]) -> StrTendril {
    StrTendril::from_slice(&String::from_utf8_lossy(bytes))
}

fn local_name(bytes: &[u8]) -> LocalName {
    LocalName::from(&*String::from_utf8_lossy(bytes))
}

/// The callback emitter, with the tree's word on which state the tokenizer goes to.
struct TreeEmitter<'a> {
    inner: CallbackEmitter<Feeder<'a>, ExtractError>,
}

impl ForwardingEmitter for TreeEmitter<'_> {
    type Token = ExtractError;

    fn inner(&mut self) -> &mut impl Emitter<Token = Self::Token> {
        &mut self.inner
    }

    fn emit_eof(&mut self) {
        self.inner.emit_eof();
        let feeder = self.inner.callback_mut();
        feeder.send(Token::EOFToken);
        feeder.tree.end();
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        // Without naive state switching the inner emitter never names a state.
        let _none = self.inner.emit_current_tag();
        self.inner.callback_mut().next_state.take()
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        self.inner.callback_mut().tree.adjusted_current_node_present_but_not_in_html_namespace()
    }
}
