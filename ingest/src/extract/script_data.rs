//! What pages embed for their scripts: questions in JSON (`__NEXT_DATA__` and the like), and what
//! `noscript` shows.
//!
//! Called by `html` for pages without any text of their own only, so that nothing is read twice.

use html5ever::local_name;
use serde_json::Value;
use url::Url;

use super::dom::NodeId;
use super::flow::Flow;
use super::page::Item;
use super::{fragment, lenient_json};

/// The most JSON that is read of one script, in bytes.
const JSON_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// The most questions that are taken.
const PAIR_LIMIT: usize = 2000;

/// The shortest text without scripts that is more than the advice to switch them on, in bytes, unless it
/// has a heading.
const SHORTEST_BYTES: usize = 200;

/// Names of questions and answers in the data of pages.
const QUESTIONS: [&str; 5] = ["question", "q", "title", "name", "heading"];
const ANSWERS: [&str; 7] = ["answer", "a", "text", "content", "body", "html", "description"];

/// The questions and answers in the JSON that a page embeds.
pub(super) fn pairs(flow: &Flow, base: Option<&Url>) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for id in 0..flow.dom.nodes.len() as NodeId {
        if *flow.dom.name(id) != local_name!("script") {
            continue;
        }
        let text = flow.dom.raw_text(id, JSON_LIMIT_BYTES);
        if text.len() > JSON_LIMIT_BYTES {
            continue;
        }
        let value = if is_json(flow, id) { lenient_json::read(&text) } else { assigned(&text) };
        let Some(root) = value else { continue };
        let mut rest = vec![&root];
        while let Some(value) = rest.pop() {
            match value {
                Value::Array(values) => rest.extend(values.iter().rev()),
                Value::Object(fields) => {
                    if let Some(item) = pair(value, &root, base)
                        && items.len() < PAIR_LIMIT
                        && !items.contains(&item)
                    {
                        items.push(item);
                    }
                    rest.extend(fields.values().filter(|value| value.is_array() || value.is_object()));
                }
                _ => {}
            }
        }
    }
    items
}

fn is_json(flow: &Flow, id: NodeId) -> bool {
    flow.dom
        .attribute(id, &local_name!("type"))
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The state that a script assigns to a name: `window.__STATE__ = {…};`. `None` for other scripts.
fn assigned(script: &str) -> Option<Value> {
    let script = script.trim_start();
    let is_state = ["window.", "window[", "self.", "globalThis.", "var ", "const ", "let "]
        .iter()
        .any(|start| script.starts_with(start));
    let (name, value) = script.split_once('=').filter(|(name, _)| is_state && name.len() <= NAME_LIMIT_BYTES)?;
    let value = value.trim_start();
    if name.contains('(') || !value.starts_with(['{', '[']) {
        return None;
    }
    // The first value alone: what follows it is code.
    let strict = serde_json::Deserializer::from_str(value).into_iter::<Value>().next().and_then(Result::ok);
    strict.or_else(|| lenient_json::read(value))
}

/// The longest name that a script assigns its state to, in bytes.
const NAME_LIMIT_BYTES: usize = 100;

/// An object with a question and an answer. Under names that anything may have, the question must end
/// in a question mark. Some frameworks write all values into one list, and their places in it into the
/// objects.
fn pair(value: &Value, root: &Value, base: Option<&Url>) -> Option<Item> {
    let text = |names: &[&'static str]| {
        names.iter().find_map(|&name| {
            let value = &value[name];
            let place = value.as_u64().and_then(|place| root.get(usize::try_from(place).ok()?));
            place.unwrap_or(value).as_str().map(|text| (name, text))
        })
    };
    let (name, question) = text(&QUESTIONS)?;
    let (_, answer) = text(&ANSWERS)?;
    let question = fragment::line(question);
    let is_named = matches!(name, "question" | "q");
    if !is_named && !super::question::ends_in_mark(&question) {
        return None;
    }
    let answer = fragment::markdown(answer, base);
    (!question.is_empty() && !answer.is_empty()).then(|| Item::Pair {
        question,
        answer,
        context: Vec::new(),
        anchor: None,
    })
}

/// The HTML that a page shows without scripts, where that is more than the advice to switch them on.
pub(super) fn without_scripts(flow: &Flow) -> Option<String> {
    let mut html = String::new();
    for id in 0..flow.dom.nodes.len() as NodeId {
        if *flow.dom.name(id) == local_name!("noscript") {
            html.push_str(&flow.dom.raw_text(id, JSON_LIMIT_BYTES));
        }
    }
    let has_heading = html.contains("<h2") || html.contains("<h3");
    ((html.len() >= SHORTEST_BYTES || has_heading) && html.contains('<')).then_some(html)
}

#[cfg(test)]
mod tests {
    use crate::extract::{ExtractError, Item, html};

    #[test]
    fn embedded_questions_are_read_when_the_page_has_no_text() {
        let page = html(
            br#"<html><body><div id="app"></div><script id="__NEXT_DATA__" type="application/json">
            {"props":{"faqs":[{"question":"Is it open?","answer":"<p>Every day.</p>"}],"nav":[{"title":"Home","text":"x"}]}}</script>"#,
            None,
            None,
        )
        .expect("a page");

        assert!(
            matches!(&page.items[..], [Item::Pair { question, answer, .. }] if question == "Is it open?" && answer == "Every day.")
        );
    }

    #[test]
    fn states_of_scripts_and_lists_of_values_are_read() {
        let pairs = |script: &str| {
            let page = html(format!("<div id=app></div>{script}").as_bytes(), None, None).expect("a page");
            page.pairs().count()
        };

        let state = r#"<script>window.__STATE__ = {"faq":[{"q":"Is it open?","a":"Daily."}]};window.x=1</script>"#;
        let list =
            r#"<script type="application/json">[{"a":1},[2],{"title":3,"content":4},"Is it new?","Yes."]</script>"#;
        assert_eq!((pairs(state), pairs(list)), (1, 1));
    }

    #[test]
    fn a_page_that_only_scripts_fill_says_so() {
        let page = html(b"<body><noscript>Please enable JavaScript.</noscript><script src=a.js></script>", None, None);

        assert_eq!(page, Err(ExtractError::NeedsScripts));
    }
}
