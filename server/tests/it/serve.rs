//! Tests of the running server: the first start, later starts, its log, and a kill.

use crate::support::{Home, Pages, Serving, free_address, request};

#[test]
fn the_keys_of_the_first_start_work_and_only_their_owner_can_read_them() {
    let home = Home::new();
    let first = home.serve();
    let widget_key = first.word("wk_live_");

    let (status, answer) = first.ask(&widget_key, "How do I add the widget to my site?");
    let first_printed = first.printed.clone();
    let (code, log) = first.terminate();
    let second = home.serve();
    let (again, _) = second.ask(&widget_key, "How do I revoke an API key?");

    assert_eq!(status, 200, "{answer}");
    assert!(answer["answer"].as_str().is_some_and(|text| text.contains("widget.js")), "{answer}");
    assert_eq!(answer["sources"], serde_json::json!(["helpbot-faq.md"]));
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(again, 200);
    assert!(!second.printed.contains("wk_live_") && !second.printed.contains("sk_live_"), "{}", second.printed);
    for secret in ["sk_live_", "adm_"] {
        assert!(first_printed.contains("first-keys.txt") && !first_printed.contains(secret), "{first_printed}");
    }
    #[cfg(unix)]
    for (name, mode) in [("", 0o700), ("first-keys.txt", 0o600), ("secret.key", 0o600), ("helpbot.db", 0o600)] {
        use std::os::unix::fs::PermissionsExt;
        let path = home.path(&format!("helpbot-data/{name}"));
        let permissions = std::fs::metadata(&path).expect("it exists").permissions();
        assert_eq!(permissions.mode() & 0o777, mode, "{path}");
    }
}

#[test]
fn the_demo_page_can_be_turned_off() {
    let demo = |setting: &str| {
        let home = Home::new();
        let mut command = home.command(&["--listen", "127.0.0.1:0"]);
        command.env("HELPBOT_DEMO", setting);
        let server = Serving::begin(command);
        let is_listed = server.get("/").body.contains("href=\"/demo\"");
        (server.get("/demo").status != 404, is_listed, server.printed.contains("/demo"))
    };

    assert_eq!(demo("on"), (true, true, true));
    assert_eq!(demo("off"), (false, false, false));
}

#[test]
fn keys_and_visitor_texts_are_not_logged() {
    let home = Home::new();
    let mut command = home.command(&["--listen", "127.0.0.1:0"]);
    let address = free_address();
    command.env("HELPBOT_METRICS_LISTEN", address.to_string());
    let server = Serving::begin(command);
    let key = server.word("wk_live_");

    server.ask(&key, "My address is ann@example.com, where is my parcel?");
    let config = server.get(&format!("/api/v1/config?apiKey={key}"));
    server.get("/api/v1/config?apiKey=wk_live_wrongwrongwrong");
    let metrics = request(address, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").body;
    let of_visitors = server.get("/metrics").status;
    let (_, log) = server.terminate();

    assert_eq!(config.status, 200, "{}", config.body);
    assert!(log.contains("/api/v1/config?apiKey=***"), "{log}");
    for secret in [key.as_str(), "wrongwrong", "ann@example.com", "parcel"] {
        assert!(!log.contains(secret), "{secret} in {log}");
        assert!(!metrics.contains(secret), "{secret} in {metrics}");
    }
    assert_eq!(of_visitors, 404, "visitors must not see the metrics");
    assert!(
        metrics.contains("helpbot_http_requests_total{method=\"POST\",route=\"/api/v1/chat\",status=\"200\"} 1"),
        "{metrics}"
    );
}

#[test]
fn a_server_starts_without_metrics_only_when_their_default_address_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let home = Home::new();
    let start = |setting: &str| {
        let mut command = home.command(&["--listen", "127.0.0.1:0"]);
        command.env("HELPBOT_METRICS_LISTEN", setting);
        command
    };

    let refused = start(&address).output().expect("the program starts");
    let without = Serving::begin(start("off")).get("/healthz").status;

    let told = String::from_utf8(refused.stderr).expect("text");
    assert!(!refused.status.success() && told.contains("metrics_listen") && told.contains(&address), "{told}");
    assert_eq!(without, 200);
}

#[test]
fn every_response_has_a_request_id_and_bad_requests_get_a_json_error() {
    let home = Home::new();
    let server = home.serve();

    let health = server.get("/healthz");
    let ready = server.get("/readyz");
    let missing = server.get("/nowhere");
    let named = server.send("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\nConnection: close\r\n\r\n");
    let large = server.send(&format!(
        "POST /api/v1/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\nConnection: close\r\n\r\n{}",
        "x".repeat(70_000)
    ));
    let malformed =
        server.send("POST /api/v1/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\n{");
    let keyless = server.ask("", "Anything?").0;

    assert_eq!((health.status, ready.status, missing.status), (200, 200, 404));
    assert!(missing.body.contains("\"code\":\"NOT_FOUND\""), "{}", missing.body);
    assert!(missing.head.contains("x-request-id: ") && missing.head.contains("x-content-type-options: nosniff"));
    assert!(named.head.contains("x-request-id: mine-1"), "{}", named.head);
    assert_eq!((large.status, malformed.status, keyless), (413, 400, 401), "{}", large.body);
}

#[test]
fn a_command_and_a_running_server_share_one_database() {
    let (home, pages) = (Home::new(), Pages::serve(&[("/", "text/html", SHOP)]));
    let server = home.serve();
    let key = server.word("wk_live_");

    let added = home.run(&["source", "add", &pages.url("/"), "--wait"]);
    let (status, answer) = server.ask(&key, "Do you sell left-handed scissors?");

    assert_eq!(added.code, 0, "{}", added.stderr);
    assert_eq!(status, 200);
    assert_eq!(answer["answer"], "Yes, in steel and in blue.");
    assert_eq!(answer["sources"], serde_json::json!([pages.url("/")]));
}

#[test]
fn answered_conversations_survive_a_kill() {
    let home = Home::new();
    let server = home.serve();
    let key = server.word("wk_live_");
    let answered: Vec<String> = (0..20)
        .map(|_| {
            let (status, answer) = server.ask(&key, "What is HelpBot?");
            assert_eq!(status, 200);
            answer["conversationId"].as_str().expect("an id").to_owned()
        })
        .collect();
    let secret = server.word("sk_live_");

    server.kill();
    let server = home.serve();
    let listed = server.send(&format!(
        "GET /api/v1/conversations?limit=100 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\n\
         Connection: close\r\n\r\n"
    ));

    assert_eq!(listed.status, 200);
    for id in answered {
        assert!(listed.body.contains(&id), "{id} was acknowledged and is gone");
    }
}

const SHOP: &str = r#"<html lang="en"><title>Shop</title><dl>
    <dt>Do you sell left-handed scissors?</dt><dd>Yes, in steel and in blue.</dd>
    <dt>Can I sharpen scissors at home?</dt><dd>Better let a grinder do it.</dd>
    <dt>How do I store scissors?</dt><dd>Dry, and closed.</dd></dl>"#;
