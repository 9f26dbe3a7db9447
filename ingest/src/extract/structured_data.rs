//! Questions that a page declares: FAQPage and QAPage in JSON-LD, Question in microdata.
//!
//! JSON-LD gives texts of its own, and `html` adds those that the page does not show; microdata
//! marks what is shown. Called by `html` and `facts`.

use std::collections::{BTreeMap, HashMap};

use html5ever::local_name;
use serde_json::Value;
use url::Url;

use super::candidate::{FaqCandidate, Group, Source};
use super::dom::NodeId;
use super::flow::Flow;
use super::{fragment, lenient_json};

/// The most JSON-LD that is read of one script, in bytes.
const JSON_LIMIT_BYTES: usize = 1024 * 1024;

/// How many nodes of an item of microdata are searched for a property.
const ITEM_LIMIT_NODES: usize = 5000;

/// The most questions that are taken from one page's JSON-LD or microdata.
const QUESTION_LIMIT: usize = 2000;

/// A question with its answer as declared in JSON-LD.
#[derive(Debug)]
pub(crate) struct Declared {
    pub question: String,
    /// Restricted Markdown.
    pub answer: String,
}

/// The questions of all JSON-LD scripts of a page, in document order.
pub(crate) fn declared(flow: &Flow, base: Option<&Url>) -> Vec<Declared> {
    let mut found = Vec::new();
    let values = values(flow);
    let nodes = nodes(&values);
    for value in &values {
        collect(value, &nodes, base, &mut found);
    }
    found
}

/// The parts that have a text and a name that other parts may refer to, by that name.
fn nodes(values: &[Value]) -> HashMap<&str, &Value> {
    let mut nodes = HashMap::new();
    let mut rest: Vec<&Value> = values.iter().collect();
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(values) => rest.extend(values),
            Value::Object(fields) => {
                if let Some(name) = fields.get("@id").and_then(Value::as_str)
                    && text(field(value, "text")).is_some()
                {
                    nodes.insert(name, value);
                }
                rest.extend(fields.values().filter(|value| value.is_array() || value.is_object()));
            }
            _ => {}
        }
    }
    nodes
}

/// A field of a part, with or without the name of its vocabulary.
fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    static NONE: Value = Value::Null;
    let Value::Object(fields) = value else { return &NONE };
    fields.get(name).unwrap_or_else(|| {
        let is_name = |key: &str| key.strip_suffix(name).is_some_and(|start| PREFIXES.contains(&start));
        fields.iter().find(|(key, _)| is_name(key)).map_or(&NONE, |(_, value)| value)
    })
}

/// What may stand before the names of fields.
const PREFIXES: [&str; 3] = ["schema:", "http://schema.org/", "https://schema.org/"];

/// The contents of all JSON-LD scripts of a page that can be read, in document order.
pub(crate) fn values(flow: &Flow) -> Vec<Value> {
    let mut found = Vec::new();
    for id in 0..flow.dom.nodes.len() as NodeId {
        if *flow.dom.name(id) != local_name!("script") || !is_json_ld(flow, id) {
            continue;
        }
        let text = flow.dom.raw_text(id, JSON_LIMIT_BYTES);
        if text.len() <= JSON_LIMIT_BYTES {
            found.extend(lenient_json::read(&text));
        }
    }
    found
}

fn is_json_ld(flow: &Flow, id: NodeId) -> bool {
    flow.dom
        .attribute(id, &local_name!("type"))
        .is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("application/ld+json"))
}

fn collect(value: &Value, nodes: &HashMap<&str, &Value>, base: Option<&Url>, found: &mut Vec<Declared>) {
    // Reversed on a stack of our own, so that questions come out in their order.
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(values) => rest.extend(values.iter().rev()),
            Value::Object(fields) => {
                if is_type(value, "Question")
                    && let Some(declared) = question(value, nodes, base)
                    && found.len() < QUESTION_LIMIT
                {
                    found.push(declared);
                    continue;
                }
                rest.extend(fields.values().filter(|value| value.is_array() || value.is_object()));
            }
            _ => {}
        }
    }
}

fn is_type(value: &Value, wanted: &str) -> bool {
    let is_wanted = |value: &Value| value.as_str().is_some_and(|name| name.rsplit(['/', ':']).next() == Some(wanted));
    match &value["@type"] {
        Value::Array(names) => names.iter().any(is_wanted),
        name => is_wanted(name),
    }
}

fn question(value: &Value, nodes: &HashMap<&str, &Value>, base: Option<&Url>) -> Option<Declared> {
    let name = text(field(value, "name")).or_else(|| text(field(value, "text")))?;
    let answer = ["acceptedAnswer", "suggestedAnswer"].into_iter().find_map(|key| {
        let answer = match field(value, key) {
            Value::Array(answers) => answers.first()?,
            answer => answer,
        };
        let answer = if answer["@list"].is_array() { answer["@list"].get(0)? } else { answer };
        let named =
            || answer["@id"].as_str().and_then(|name| nodes.get(name)).and_then(|node| text(field(node, "text")));
        text(field(answer, "text")).or_else(|| text(answer)).or_else(named)
    })?;
    let question = fragment::line(&fragment::unescaped(&name));
    let answer = fragment::markdown(&fragment::unescaped(&answer), base);
    (!question.is_empty() && !answer.is_empty()).then_some(Declared { question, answer })
}

/// A value as text: a string, a string with its language, or several paragraphs; `None` when it is empty.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => fields.get("@value")?.as_str()?.to_owned(),
        Value::Array(parts) => {
            let parts = parts.iter().take(PARTS_LIMIT).filter_map(Value::as_str);
            parts.collect::<Vec<_>>().join("\n\n")
        }
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// The most paragraphs that one value may have.
const PARTS_LIMIT: usize = 200;

/// The questions that microdata marks, as one group.
pub(crate) fn marked(flow: &Flow) -> Option<Group> {
    let mut questions: BTreeMap<NodeId, FaqCandidate> = BTreeMap::new();
    for id in 0..flow.dom.nodes.len() as NodeId {
        let kind = flow.dom.attribute(id, &local_name!("itemtype")).unwrap_or_default();
        if questions.len() == QUESTION_LIMIT {
            break;
        }
        if kind.trim_end_matches('/').ends_with("schema.org/Question")
            && let Some(candidate) = marked_question(flow, id)
        {
            questions.insert(id, candidate);
        }
    }
    let candidates: Vec<_> = questions.into_values().collect();
    (!candidates.is_empty()).then(|| Group::new(Source::Microdata, 0.0, candidates))
}

fn marked_question(flow: &Flow, item: NodeId) -> Option<FaqCandidate> {
    let property = |top: NodeId, wanted: &str| {
        flow.dom.descendants(top).take(ITEM_LIMIT_NODES).find(|&id| {
            flow.dom
                .attribute(id, &local_name!("itemprop"))
                .is_some_and(|names| names.split_ascii_whitespace().any(|name| name == wanted))
        })
    };
    let name = property(item, "name")?;
    let answer = property(item, "acceptedAnswer").or_else(|| property(item, "suggestedAnswer"))?;
    let text = property(answer, "text").unwrap_or(answer);
    FaqCandidate::new(flow, flow.range(name), Some(flow.range(text)))
}
