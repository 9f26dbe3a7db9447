//! Runs the command of the REST reference page unchanged with the real `curl`: without a content type and with no header
//! except the key.

use std::process::Stdio;

use helpbot_tests::{TestApp, on_both_backends};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::rest::{ENTRY_ANSWER, ENTRY_QUESTION, ENTRY_URL, with_entry};

on_both_backends!(
    the_quick_start_of_the_reference_page_works_unchanged,
    a_key_in_the_address_or_in_the_body_works_from_the_shell,
);

/// The page's own words, to the letter.
const QUICK_START: &str = r#"curl -X POST /api/v1/chat \
  -H "Authorization: Bearer YOUR_KEY" \
  -d '{"question":"How do I get started?"}'"#;

/// Runs lines of a shell on the server, which the page leaves to its reader to name.
async fn shell(app: &TestApp, key: &str, lines: &str) -> Value {
    let base = app.url("/").to_string();
    let lines = lines.replace(" /api", &format!(" {}/api", base.trim_end_matches('/'))).replace("YOUR_KEY", key);
    let mut command = Command::new("sh");
    // The user's own curl configuration is ignored.
    command.args(["-c", &lines]).env("CURL_HOME", "/nonexistent").env("no_proxy", "*").stderr(Stdio::piped());
    let ended = command.output().await.expect("a shell");
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{lines}: {err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

async fn the_quick_start_of_the_reference_page_works_unchanged(app: &TestApp) {
    let site = app.site().create().await;

    let answer = shell(app, &site.secret_key, QUICK_START).await;

    assert!(answer["answer"].as_str().is_some_and(|answer| !answer.is_empty()), "{answer}");
    assert!(answer["conversationId"].as_str().is_some_and(|id| id.starts_with("conv_")), "{answer}");
    assert!(answer["sources"].is_array(), "{answer}");
    let page = app.anonymous().get("/docs").await.text();
    let shown = page.replace("&quot;", "\"").replace("&#39;", "'");
    assert!(shown.contains(QUICK_START), "our own page shows the same lines");
}

async fn a_key_in_the_address_or_in_the_body_works_from_the_shell(app: &TestApp) {
    let site = app.site().create().await;
    with_entry(app, &site).await;
    let in_body = json!({"question": ENTRY_QUESTION, "apiKey": site.widget_key});

    let config = shell(app, &site.widget_key, "curl -sS -G /api/v1/config -d apiKey=YOUR_KEY").await;
    let answer = shell(app, "", &format!("curl -sS -X POST /api/v1/chat -d '{in_body}'")).await;

    assert_eq!(config["botName"], "HelpBot");
    assert_eq!((&answer["answer"], &answer["sources"]), (&json!(ENTRY_ANSWER), &json!([ENTRY_URL])));
}
