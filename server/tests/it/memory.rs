//! Resident memory: no upload, no page and no request of a visitor raises that of the server by more than a bound. Read from
//! `/proc`, so these tests run on Linux alone. What the child process needs while it reads is limited by its address space.
#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Home, Pages, Serving};

const MIB: usize = 1024 * 1024;
/// How much the resident memory may rise. docs/security.md promises it.
const RISE_MAX_MIB: usize = 64;
/// Close to the largest upload.
const FILE_BYTES: usize = 19 * MIB;
/// Close to the largest page.
const PAGE_BYTES: usize = 9 * MIB + MIB / 2;
/// A page with close to the most text that is read. It must be read, or its memory would say nothing.
const LONG_PAGE: &str = "/long";
/// Long enough for the child's limit of time, which ends some of these inputs.
const DEADLINE: Duration = Duration::from_secs(120);

fn start(home: &Home) -> Serving {
    let mut command = home.command(&["--listen", "127.0.0.1:0"]);
    command.env("HELPBOT_LOG", "off").env("HELPBOT_METRICS_LISTEN", "off");
    Serving::begin(command)
}

/// Returns a value of `/proc/PID/status` in MiB.
fn status_mib(server: &Serving, name: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process_id())).expect("/proc is there");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the value is there");
    let kilobytes: usize = line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().expect("a number of kB");
    kilobytes / 1024
}

/// Runs `work` and returns by how many MiB the resident memory rose at its highest.
fn rise_of(server: &Serving, work: impl FnOnce()) -> usize {
    // Resets the highest value that the kernel has seen.
    std::fs::write(format!("/proc/{}/clear_refs", server.process_id()), "5").expect("the peak is reset");
    let before = status_mib(server, "VmRSS");
    work();
    status_mib(server, "VmHWM").saturating_sub(before)
}

fn graphql(server: &Serving, key: &str, query: &str, variables: &Value) -> Value {
    post(server, key, &json!({ "query": query, "variables": variables }).to_string())
}

fn post(server: &Serving, key: &str, body: &str) -> Value {
    let reply = server.send(&format!(
        "POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ));
    serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}", reply.body))
}

/// Waits until a source with this address was read or has failed. Returns its status.
fn wait_until_read(server: &Serving, key: &str, url: &str) -> Value {
    let since = Instant::now();
    loop {
        let found = graphql(server, key, "{ site { sources(first: 50) { nodes { url status } } } }", &json!({}));
        let sources = found["data"]["site"]["sources"]["nodes"].as_array().unwrap_or_else(|| panic!("{found}")).clone();
        let status = sources.iter().find(|source| source["url"] == url).map(|source| source["status"].clone());
        match status {
            Some(status) if status == "INDEXED" || status == "FAILED" => return status,
            _ => {}
        }
        assert!(since.elapsed() < DEADLINE, "{url}: {status:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn upload(server: &Serving, key: &str, name: &str, content: &[u8]) {
    let operations = json!({
        "query": "mutation ($file: Upload!) { uploadSource(input: { file: $file }) { userErrors { message } } }",
        "variables": { "file": null },
    });
    let part =
        |name: &str, text: &str| format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
    let head = part("operations", &operations.to_string())
        + &part("map", r#"{"0":["variables.file"]}"#)
        + &format!("--cut\r\nContent-Disposition: form-data; name=\"0\"; filename=\"{name}\"\r\n\r\n");
    let tail = "\r\n--cut--\r\n";
    let mut stream = TcpStream::connect(server.address).expect("the server listens");
    let length = head.len() + content.len() + tail.len();
    let request = format!(
        "POST /graphql/upload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nGraphQL-Require-Preflight: 1\r\n\
         Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{head}"
    );
    for bytes in [request.as_bytes(), content, tail.as_bytes()] {
        stream.write_all(bytes).expect("sent");
    }
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    assert!(reply.contains(r#""userErrors":[]"#), "{reply}");
}

/// Returns `line` over and over, `bytes` long.
fn filled(line: &str, bytes: usize) -> String {
    line.repeat(bytes / line.len())
}

/// Uploads these files, each of which repeats a line, and checks the memory.
fn upload_all(files: &[(&str, &str)]) {
    let home = Home::new();
    let server = start(&home);
    let key = server.word("sk_live_");
    // What is allocated once, such as the caches of the database.
    upload(&server, &key, "first.html", filled("<p>Some words of a text.</p>", MIB).as_bytes());
    wait_until_read(&server, &key, "first.html");
    upload(&server, &key, "first.csv", filled("question,answer\n", MIB).as_bytes());
    wait_until_read(&server, &key, "first.csv");

    let mut rises = Vec::new();
    for (name, line) in files {
        let content = filled(line, FILE_BYTES);
        let rise = rise_of(&server, || {
            upload(&server, &key, name, content.as_bytes());
            wait_until_read(&server, &key, name);
        });
        rises.push((*name, rise));
    }

    assert!(rises.iter().all(|(_, rise)| *rise <= RISE_MAX_MIB), "MiB: {rises:?}");
}

#[test]
fn no_upload_raises_the_memory_by_much() {
    upload_all(&[
        ("deep.html", "<div>"),
        ("flat.html", "<p>Some words of a text that is read.</p>"),
        ("table.csv", "What is it?,It is a thing.\n"),
        ("words.txt", "Some words of a text.\n\n"),
        ("line.txt", "word "),
    ]);
}

#[test]
fn no_upload_of_markdown_raises_the_memory_by_much() {
    upload_all(&[("quotes.md", ">"), ("brackets.md", "["), ("lists.md", "- a\n")]);
}

#[test]
fn no_page_raises_the_memory_by_much() {
    let home = Home::new();
    let server = start(&home);
    let key = server.word("sk_live_");
    let bodies = [
        ("/first", "text/html", filled("<p>Some words of a text.</p>", MIB)),
        ("/deep", "text/html", filled("<div>", PAGE_BYTES)),
        ("/flat", "text/html", filled("<p>Some words of a text that is read.</p>", PAGE_BYTES)),
        (LONG_PAGE, "text/html", filled("<p>Some words of a text that is read.</p>", 4 * MIB)),
        ("/quotes", "text/markdown", filled(">", PAGE_BYTES)),
        ("/lists", "text/markdown", filled("- a\n", PAGE_BYTES)),
        ("/table", "text/csv", filled("What is it?,It is a thing.\n", PAGE_BYTES)),
        ("/words", "text/plain", filled("Some words of a text.\n\n", PAGE_BYTES)),
    ];
    let listed: Vec<_> = bodies.iter().map(|(path, kind, body)| (*path, *kind, body.as_str())).collect();
    let pages = Pages::serve(&listed);

    let mut rises = Vec::new();
    for (path, ..) in &bodies {
        let rise = rise_of(&server, || {
            let add = "mutation ($url: String!) { addSource(input: { url: $url }) { userErrors { message } } }";
            let added = graphql(&server, &key, add, &json!({ "url": pages.url(path) }));
            assert_eq!(added["data"]["addSource"]["userErrors"], json!([]), "{added}");
            let status = wait_until_read(&server, &key, &pages.url(path));
            assert!(*path != LONG_PAGE || status == "INDEXED", "{path}: {status}");
        });
        rises.push((*path, rise));
    }

    assert!(rises.iter().skip(1).all(|(_, rise)| *rise <= RISE_MAX_MIB), "MiB: {rises:?}");
}

#[test]
fn no_request_of_a_visitor_raises_the_memory_by_much() {
    let home = Home::new();
    let server = start(&home);
    let key = server.word("wk_live_");
    let ask = "mutation ($q: String!) { askQuestion(input: { question: $q }) { conversation { id } sessionToken } }";
    let many: String =
        (0..50).map(|number| format!("a{number}: askQuestion(input: {{ question: $q }}) {{ __typename }} ")).collect();
    let requests = [
        ("a long question", ask.to_owned(), json!({ "q": "word ".repeat(200) })),
        ("a question over the limit", ask.to_owned(), json!({ "q": "x".repeat(900_000) })),
        ("fifty questions", format!("mutation ($q: String!) {{ {many} }}"), json!({ "q": "Do you ship?" })),
        ("a deep document", "{ a".repeat(300_000), json!({})),
        ("a long document", format!("{{ {} }}", "__typename ".repeat(80_000)), json!({})),
        ("a question of brackets", ask.to_owned(), json!({ "q": "[".repeat(900_000) })),
    ];
    let first = graphql(&server, &key, ask, &json!({ "q": "Do you ship?" }));
    assert!(first["data"]["askQuestion"]["sessionToken"].is_string(), "{first}");

    let mut bodies: Vec<(&str, String)> = requests
        .map(|(name, query, variables)| (name, json!({ "query": query, "variables": variables }).to_string()))
        .into();
    // Text, because a value of this depth could not be written recursively.
    let deep = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
    bodies.push(("deep variables", format!(r#"{{"query":"{{ __typename }}","variables":{{"q":{deep}}}}}"#)));

    let mut rises = Vec::new();
    for (name, body) in &bodies {
        rises.push((*name, rise_of(&server, || drop(post(&server, &key, body)))));
    }

    assert!(rises.iter().all(|(_, rise)| *rise <= RISE_MAX_MIB), "MiB: {rises:?}");
}
