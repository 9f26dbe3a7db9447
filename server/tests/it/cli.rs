//! Tests of the command line: they run the built program with real directories and a local web site.

use std::net::TcpListener;

use crate::support::{Home, Pages};

const HELP: &str = r#"<html lang="en"><title>Help</title><h1>Help</h1>
    <details><summary>How do I return a parcel?</summary><p>Put the slip into the box and post it.</p></details>
    <details><summary>Where is my order?</summary><p>Open the link in the mail that we sent you.</p></details>
    <details><summary>Do you ship to Norway?</summary><p>Yes, within five working days.</p></details>"#;

#[test]
fn an_added_page_is_synced_and_answers_questions() {
    let (home, pages) = (Home::new(), Pages::serve(&[("/help", "text/html", HELP)]));
    home.site();

    let added = home.run(&["source", "add", &pages.url("/help"), "--wait"]);
    let asked = home.json(&["ask", "How can I return my parcel?"]);

    assert_eq!(added.code, 0, "{}", added.stderr);
    assert!(added.stderr.contains(&format!("indexed   {} (3 entries)", pages.url("/help"))), "{}", added.stderr);
    assert!(added.stdout.contains("indexed"), "{}", added.stdout);
    assert_eq!(asked["answer"], "Put the slip into the box and post it.");
    assert_eq!(asked["sources"], serde_json::json!([pages.url("/help")]));
    assert_eq!(asked["outcome"], "answered");
}

#[test]
fn the_test_questions_of_a_file_decide_the_exit_code() {
    let (home, pages) = (Home::new(), Pages::serve(&[("/help", "text/html", HELP)]));
    let site = home.site();
    home.run(&["source", "add", &pages.url("/help"), "--wait"]);
    let right = serde_json::json!({ "question": "return my parcel", "url": pages.url("/help") });
    let wrong = serde_json::json!({ "question": "Where is my order?", "entry": "Do you ship to Norway?" });
    let (good, bad) =
        (home.file("good.jsonl", &right.to_string()), home.file("bad.jsonl", &format!("{right}\n{wrong}\n")));

    let passed = home.json(&["eval", "--site", &site, &good]);
    let failed = home.run(&["eval", &bad]);
    let saved = home.run(&["eval", "--site", &site]);

    assert_eq!((&passed["passed"], &passed["failed"]), (&1.into(), &0.into()), "{passed}");
    assert_eq!(passed["questions"][0]["rank"], 1, "{passed}");
    assert_eq!(failed.code, 1);
    assert!(failed.stdout.ends_with("1 passed, 1 failed\n") && failed.stdout.contains("FAIL"), "{}", failed.stdout);
    assert_eq!((saved.code, saved.stdout.contains("0 passed, 0 failed")), (0, true), "{}", saved.stdout);
}

#[test]
fn a_labeled_data_set_is_measured_for_each_tenant_without_a_database() {
    let home = Home::new();
    std::fs::create_dir(home.path("set")).expect("a directory");
    let (question, tenants) = ("Is there a warranty?", ["one", "two"]);
    let entry = |tenant: &str| serde_json::json!({ "id": format!("{tenant}-warranty"), "tenant": tenant, "question": question, "text": "Two years." });
    let query = |id: &str, text: &str, tenant: &str, relevant: &[&str]| serde_json::json!({ "id": id, "text": text, "tenant": tenant, "relevant": relevant });
    home.file("set/corpus.jsonl", &tenants.map(|tenant| entry(tenant).to_string()).join("\n"));
    let queries = [
        query("a", "is there a waranty", "one", &["one-warranty"]),
        query("b", question, "two", &["two-warranty"]),
        query("c", "Who won the world cup?", "two", &[]),
    ];
    home.file("set/queries.jsonl", &queries.map(|query| query.to_string()).join("\n"));

    let told = home.json(&["eval", "--corpus", &home.path("set"), "--run", &home.path("run.jsonl")]);
    let broken = home.file("set/corpus.jsonl", "{}");
    let refused = home.run(&["eval", "--corpus", &home.path("set"), "--run", &home.path("other.jsonl")]);

    assert_eq!(told, serde_json::json!({ "queries": 3, "answered": 2, "firstIsRelevant": 2 }));
    let run = std::fs::read_to_string(home.path("run.jsonl")).expect("written");
    let lines: Vec<serde_json::Value> = run.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ranked: Vec<_> = lines.iter().map(|line| (&line["query_id"], &line["ranked"], &line["answered"])).collect();
    let [a, b, c] = [("a", "one-warranty", true), ("b", "two-warranty", true), ("c", "two-warranty", false)]
        .map(|(id, first, answered)| (id.into(), serde_json::json!([first]), answered.into()));
    assert_eq!(ranked, [(&a.0, &a.1, &a.2), (&b.0, &b.1, &b.2), (&c.0, &c.1, &c.2)]);
    assert!(lines.iter().all(|line| line["score"].as_f64().is_some_and(|score| (0.0..=1.0).contains(&score))), "{run}");
    assert!(lines[1]["score"].as_f64() > lines[2]["score"].as_f64());
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("line 1") && refused.stderr.contains(&broken), "{}", refused.stderr);
    assert!(!std::path::Path::new(&home.path("helpbot-data")).exists());
}

#[test]
fn an_answer_is_explained_as_a_table_and_as_json() {
    let (home, pages) = (Home::new(), Pages::serve(&[("/help", "text/html", HELP)]));
    home.site();
    home.run(&["source", "add", &pages.url("/help"), "--wait"]);

    let table = home.run(&["ask", "How can I retrun my parcel?", "--explain"]);
    let json = home.json(&["ask", "How can I retrun my parcel?", "--explain"]);

    assert_eq!(table.code, 0, "{}", table.stderr);
    for expected in [
        "Put the slip into the box and post it.",
        "Outcome Answered, confidence 0.",
        "written by Extractive",
        "SCORE",
        "WORDS",
        "MEANING",
        "How do I return a parcel?",
        "Do you ship to Norway?",
    ] {
        assert!(table.stdout.contains(expected), "{expected} is not in {}", table.stdout);
    }
    let explain = &json["explain"];
    assert_eq!(explain["composer"], "extractive");
    assert_eq!(explain["decision"]["outcome"], "answered");
    assert_eq!(explain["retrieval"]["repairs"], serde_json::json!([["retrun", "return"]]));
    let found = explain["retrieval"]["candidates"].as_array().expect("what was found");
    assert_eq!(found.len(), 3);
    for number in ["score", "lexical", "semantic", "coverage", "gap"] {
        assert!(found.iter().all(|found| found[number].is_f64()), "{number}: {explain}");
    }
    assert!(found[0]["score"].as_f64() >= found[1]["score"].as_f64());
    assert!(json["confidence"].as_f64() >= explain["threshold"].as_f64());
    assert!(home.json(&["ask", "How can I return my parcel?"]).get("explain").is_none());
}

#[test]
fn a_source_that_cannot_be_read_fails_with_the_actual_reason() {
    let (home, pages) = (
        Home::new(),
        Pages::serve(&[
            ("/empty", "text/html", "<html><body></body></html>"),
            ("/picture", "image/png", "x"),
            ("/good", "text/html", HELP),
        ]),
    );
    home.site();
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let unreachable = format!("http://{closed}/");
    let broken = home.file("broken.pdf", "%PDF-1.7\nnot a pdf");

    let urls =
        [pages.url("/gone"), pages.url("/empty"), pages.url("/picture"), pages.url("/good"), unreachable, broken];
    let arguments: Vec<&str> =
        ["source", "add", "--wait", "--json"].into_iter().chain(urls.iter().map(String::as_str)).collect();
    let added = home.run(&arguments);

    assert_eq!(added.code, 1, "some failed");
    let value: serde_json::Value = serde_json::from_str(&added.stdout).expect("JSON despite failures");
    let error = |at: usize| value["sources"][at]["error"].as_str().unwrap_or("none").to_owned();
    assert_eq!(error(0), "There is no page at this address (HTTP 404)");
    assert!(error(1).starts_with("The page"), "{}", error(1));
    assert_eq!(error(2), "The address returns \"image/png\", which is not a supported format");
    assert_eq!(error(3), "none");
    assert_eq!(error(4), "The page could not be fetched: the server refused the connection or could not be reached");
    assert_eq!(error(5), "The file could not be read: the PDF is damaged");
}

#[test]
fn a_forbidden_address_is_refused_before_anything_is_stored() {
    let home = Home::new();
    home.site();

    for (address, code, reason) in [
        ("http://10.0.0.1/", 1, "the address is private or reserved"),
        ("http://169.254.169.254/latest/meta-data", 1, "the address is private or reserved"),
        ("https://ann:pw@shop.example/", 1, "must not contain a user name or password"),
        ("ftp://shop.example/", 2, "only http and https addresses can be added"),
        ("missing.md", 1, "cannot read missing.md"),
        ("http://localhost/", 1, "local network"),
    ] {
        let ended = home.run(&["source", "add", address]);
        assert_eq!(ended.code, code, "{address}: {}", ended.stderr);
        assert!(ended.stderr.contains(reason), "{address}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "one sentence: {}", ended.stderr);
    }
    assert_eq!(home.json(&["source", "list"])["sources"], serde_json::json!([]));
}

#[test]
fn a_key_is_shown_once_and_can_be_revoked() {
    let home = Home::new();
    home.site();

    let made = home.json(&["key", "create", "--kind", "secret", "--scopes", "read_sources,chat"]);
    let id = made["id"].as_str().expect("an id");
    let revoked = home.run(&["key", "revoke", id]);
    let listed = home.json(&["key", "list"]);

    let key = made["key"].as_str().expect("the key");
    assert!(key.starts_with("sk_live_") && key.len() == 8 + 38, "{key}");
    assert_eq!(revoked.code, 0, "{}", revoked.stderr);
    assert_eq!(listed["keys"][0]["scopes"], serde_json::json!(["read_sources", "chat"]));
    assert!(listed["keys"][0]["revokedAt"].is_string());
    assert!(!listed.to_string().contains(key));
}

#[test]
fn sites_are_created_updated_listed_and_deleted() {
    let home = Home::new();
    let site = home.site();

    let changed = home.json(&["site", "set-plan", &site, "growth", "--credits", "50"]);
    let refused = home.run(&["site", "delete", &site]);
    let deleted = home.run(&["site", "delete", &site, "--yes"]);
    let gone = home.run(&["source", "list", "--site", &site]);

    assert_eq!((&changed["plan"], &changed["creditLimit"]), (&"GROWTH".into(), &50.into()));
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("add --yes"), "{}", refused.stderr);
    assert_eq!(deleted.code, 0, "{}", deleted.stderr);
    assert_eq!((gone.code, gone.stderr.as_str()), (1, "helpbot: Site not found\n"));
}

#[test]
fn wrong_usage_exits_with_code_two() {
    let home = Home::new();

    for arguments in [
        &["nonsense"][..],
        &["site", "create"],
        &["site", "set-plan", "site_x", "scale"],
        &["key", "create", "--kind", "golden"],
        &["source", "add"],
        &["--listen", "8080"],
        &["--database", "mysql://x", "site", "list"],
    ] {
        let ended = home.run(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
    assert_eq!(home.run(&["--help"]).code, 0);
    assert_eq!(home.run(&["--version"]).code, 0);
}

#[test]
fn a_failed_start_is_reported_in_one_sentence() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let file = home.file("file", "");
    home.file("helpbot.toml", "database_start_wait_s = '0'");

    for (arguments, reason) in [
        (&["--listen", address.as_str()][..], "cannot listen on"),
        (&["--listen", "127.0.0.1:0", "--data", &format!("{file}/data")], "cannot use the data directory"),
        (
            &["--listen", "127.0.0.1:0", "--database", "postgres://ann:hunter2@127.0.0.1:1/x"],
            "cannot open the database",
        ),
    ] {
        let ended = home.run(arguments);
        assert_eq!(ended.code, 1, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(reason), "{arguments:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    }
    assert!(
        !std::path::Path::new(&home.path("helpbot-data/helpbot.db")).exists(),
        "a port in use leaves no database behind"
    );
}

#[test]
fn doctor_shows_effective_settings_and_no_secret() {
    let home = Home::new();
    home.file("helpbot.toml", "listen = '127.0.0.1:0'\nlog = 'warn'");
    let mut first = home.command(&["site", "create", "--name", "Shop", "--owner-email", "owner@shop.example"]);
    assert!(first.env("HELPBOT_SECRET_KEY", "ab".repeat(32)).output().expect("it runs").status.success());

    let mut command = home.command(&["doctor", "--json"]);
    command.env("HELPBOT_SECRET_KEY", "ab".repeat(32)).env("HELPBOT_LISTN", "typo").env("HELPBOT_LOG", "debug");
    let ended = command.output().expect("it runs");

    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let value: serde_json::Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    let listen = &value["settings"]["listen"];
    assert_eq!((&listen["value"], &listen["origin"]), (&"127.0.0.1:0".into(), &"helpbot.toml".into()));
    assert_eq!(listen["purpose"], "address and port to listen on");
    let log = &value["settings"]["log"];
    assert_eq!((&log["value"], &log["origin"]), (&"debug".into(), &"environment".into()));
    assert_eq!(value["settings"]["secret_key"]["value"], "(set)");
    assert!(value["findings"].to_string().contains("HELPBOT_LISTN matches no setting"));
    assert!(!value.to_string().contains("abab"));
}

#[cfg(unix)]
#[test]
fn doctor_reports_files_that_other_users_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.site();
    let open = |name: &str, mode| {
        let path = home.path(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("changed");
    };

    let private = home.run(&["doctor"]);
    open("helpbot-data", 0o755);
    open("helpbot-data/helpbot.db", 0o644);
    let readable = home.run(&["doctor"]);

    assert_eq!(private.code, 0, "{}", private.stdout);
    assert!(private.stdout.contains("only its owner can access"), "{}", private.stdout);
    assert!(private.stdout.contains("accepts new files"), "{}", private.stdout);
    assert!(private.stdout.contains("\n    name of the model at llm_base_url\n"), "{}", private.stdout);
    assert_eq!(readable.code, 1, "{}", readable.stdout);
    assert!(readable.stdout.contains("other users can read ./helpbot-data/helpbot.db"), "{}", readable.stdout);
}

#[test]
fn schema_openapi_and_extract_need_no_database() {
    let home = Home::new();
    let page = home.file("help.html", HELP);

    let schema = home.run(&["schema"]);
    let openapi = home.run(&["openapi"]);
    let pairs = home.run(&["extract", &page, "--json"]);

    assert!(schema.stdout.contains("type Mutation"), "{}", schema.stderr);
    assert!(openapi.stdout.contains("\"openapi\""), "{}", openapi.stderr);
    let lines: Vec<serde_json::Value> =
        pairs.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2]["page"], "help.html");
    assert_eq!(lines[2]["q"], "Do you ship to Norway?");
    assert_eq!(lines[2]["a"], "Yes, within five working days.");
    assert!(!std::path::Path::new(&home.path("helpbot-data")).exists());
}

#[test]
fn a_section_is_crawled_with_its_options_and_a_file_is_synced_again() {
    let page = |name: &str, links: &str| {
        format!("<html lang=en><title>{name}</title><h2>How is {name} done?</h2><p>As {name} is.</p>{links}")
    };
    let start = page("start", "<a href=a.html>a</a> <a href=b.html>b</a> <a href=/c.html>c</a>");
    let pages = [("/help/", start), ("/help/a.html", page("a", "")), ("/help/b.html", page("b", ""))];
    let pages: Vec<_> = pages.iter().map(|(path, html)| (*path, "text/html", html.as_str())).collect();
    let (home, pages) = (Home::new(), Pages::serve(&pages));
    home.site();
    let (url, file) = (pages.url("/help/"), home.file("faq.md", "# Help\n\n## Why is it so?\nBecause.\n"));

    let options = ["--scope", "section", "--max-pages", "2", "--depth", "1", "--schedule", "weekly", "--wait"];
    let added = home.json(&[&["source", "add", &url], &options[..]].concat());
    let crawl = &added["sources"][0]["crawl"];
    assert_eq!([&crawl["fetched"], &crawl["skipped"], &crawl["failed"]], [2, 1, 0], "{added}");
    let more = home.run(&["source", "add", &url, "--max-pages", "3", "--wait"]);
    assert!(more.stderr.contains("pages: 3 read, 0 unchanged, 0 skipped, 0 failed"), "{}", more.stderr);

    let stored = home.json(&["source", "add", &file, "--wait"])["sources"][0]["id"].clone();
    let again = home.json(&["source", "rescrape", stored.as_str().expect("an id"), "--wait"]);
    assert_eq!(again["sources"][0]["status"], "indexed");
    let refused = home.run(&["source", "add", &file, "--scope", "site"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
}

#[test]
fn a_pending_sync_is_canceled() {
    let (home, pages) = (Home::new(), Pages::serve(&[("/help", "text/html", HELP)]));
    home.site();
    let added = home.json(&["source", "add", &pages.url("/help")]);
    assert_eq!(added["sources"][0]["status"], "pending");
    let id = added["sources"][0]["id"].as_str().expect("an id").to_owned();

    let canceled = home.json(&["source", "cancel", &id]);
    let again = home.json(&["source", "cancel", &id]);

    assert_eq!(canceled["sources"][0]["status"], "failed");
    assert_eq!(
        canceled["sources"][0]["error"],
        "The sync was canceled before it finished. Sync the source to use its content."
    );
    assert_eq!(again, canceled);
}

#[test]
fn exported_entries_can_be_imported_again() {
    let (home, other) = (Home::new(), Home::new());
    home.site();
    other.site();
    let table = home.file("faq.csv", "question,answer\n=1+1?,\"Two, mostly.\"\nWhere are you?,Here.\n");
    let (csv, lines) = (other.path("out.csv"), other.path("out.jsonl"));

    let imported = home.json(&["entries", "import", &table]);
    assert_eq!(imported, serde_json::json!({ "added": 2, "updated": 0, "unchanged": 0 }));
    assert_eq!(home.json(&["ask", "Where are you?"])["answer"], "Here.");
    for file in [&csv, &lines] {
        let exported = home.run(&["entries", "export", file]);
        assert_eq!((exported.code, exported.stdout.as_str()), (0, ""), "{}", exported.stderr);
    }
    assert!(std::fs::read_to_string(&csv).expect("written").contains("'=1+1?"));
    assert_eq!(home.run(&["entries", "export", "--format", "jsonl"]).stdout.lines().count(), 2);
    let counts = |file: &str| other.run(&["entries", "import", file]).stdout;
    assert_eq!(counts(&csv), "2 added, 0 updated, 0 unchanged\n");
    assert_eq!(counts(&lines), "0 added, 0 updated, 2 unchanged\n");

    let bad = home.file("bad.csv", "question,answer\nWhy?,\n");
    let refused = home.run(&["entries", "import", &bad]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("Line 2: Missing answer"), "{}", refused.stderr);
}
