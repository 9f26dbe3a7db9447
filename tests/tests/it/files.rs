//! Tests of files through the public interfaces: uploads, imports and exports.

use std::collections::BTreeSet;
use std::io::Write as _;

use helpbot_tests::{Client, TestApp, TestSite, on_both_backends, wait_for};
use reqwest::Method;
use serde_json::{Value, json};

on_both_backends!(
    an_uploaded_file_is_read_replaced_and_read_again,
    a_pdf_and_a_word_document_answer_questions,
    a_bomb_fails_with_a_reason_and_others_are_read,
    a_typed_text_is_read_and_replaced,
    uploads_that_are_not_as_they_must_be_are_refused,
    a_key_without_permission_uploads_and_imports_nothing,
    entries_go_out_and_come_back_as_they_were,
    an_import_changes_what_is_there_and_adds_what_is_not,
    an_import_with_a_bad_row_changes_nothing,
    exports_are_for_those_who_may_read_sources,
    a_search_among_entries_counts_what_it_finds,
);

const UPLOAD: &str = "mutation ($file: Upload!, $name: String) {
    uploadSource(input: { file: $file, name: $name }) {
        isNew source { id kind url status } userErrors { field code message }
    }
}";
const SOURCE: &str = "query ($id: ID!) { node(id: $id) { ... on Source { status error chunkCount } } }";
const IMPORT: &str = "mutation ($file: Upload!, $format: EntryFormat) {
    importFaqEntries(input: { file: $file, format: $format }) {
        added updated unchanged userErrors { field code message }
    }
}";
const REREAD: &str = "mutation ($id: ID!) {
    syncSource(input: { sourceId: $id }) { source { status } userErrors { field code } }
}";

async fn read(owner: &Client, id: &Value) -> Value {
    wait_for("the end of the sync", async || {
        let mut found = owner.graphql(SOURCE, json!({ "id": id })).await.ok();
        let is_read = matches!(found["node"]["status"].as_str(), Some("INDEXED" | "FAILED"));
        is_read.then(|| found["node"].take())
    })
    .await
}

async fn ask(site: &TestSite<'_>, question: &str) -> String {
    let reply = site.visitor().post("/api/v1/chat", &json!({ "question": question })).await.ok();
    reply["answer"].as_str().expect("an answer").to_owned()
}

async fn an_uploaded_file_is_read_replaced_and_read_again(app: &TestApp) {
    let site = app.site().create().await;
    let owner = site.owner();
    let first = b"# Help\n\n## How do I return a parcel?\nPut the slip into the box.\n";
    let second = b"# Help\n\n## How do I return a parcel?\nBring it to the shop.\n";

    let added = owner.upload(UPLOAD, json!({ "file": null }), "help.md", first).await.ok();
    let added = &added["uploadSource"];
    assert_eq!([&added["isNew"], &added["source"]["kind"]], [&json!(true), &json!("FILE")], "{added}");
    let id = &added["source"]["id"];
    assert_eq!(read(&owner, id).await, json!({ "status": "INDEXED", "error": null, "chunkCount": 1 }));
    assert_eq!(ask(&site, "How can I return my parcel?").await, "Put the slip into the box.");

    let replaced = owner.upload(UPLOAD, json!({ "file": null, "name": "help.md" }), "x.bin", second).await.ok();
    assert_eq!(replaced["uploadSource"]["isNew"], false);
    assert_eq!(&replaced["uploadSource"]["source"]["id"], id);
    assert_eq!(read(&owner, id).await["status"], "INDEXED");
    assert_eq!(ask(&site, "How can I return my parcel?").await, "Bring it to the shop.");

    let again = owner.graphql(REREAD, json!({ "id": id })).await.ok();
    assert_eq!(again["syncSource"]["source"]["status"], "PENDING");
    assert_eq!(read(&owner, id).await, json!({ "status": "INDEXED", "error": null, "chunkCount": 1 }));
    // The contract of REST: a file is not scraped.
    let scraped = owner.post("/api/v1/sources/rescrape", &json!({ "sourceId": id })).await;
    assert_eq!(scraped.status, 400);
}

/// A Word document, or anything else that is a ZIP archive, with this text in its main part.
fn word(xml: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).expect("a new part");
    writer.write_all(xml).expect("a vector takes everything");
    writer.finish().expect("a complete archive").into_inner()
}

/// Uploads a file and returns the result.
async fn uploaded(owner: &Client, name: &str, file: &[u8]) -> Value {
    let added = owner.upload(UPLOAD, json!({ "file": null }), name, file).await.ok();
    read(owner, &added["uploadSource"]["source"]["id"]).await
}

async fn a_pdf_and_a_word_document_answer_questions(app: &TestApp) {
    let site = app.site().create().await;
    let owner = site.owner();
    let pdf = helpbot_tests::pdf::document(&[
        "How do I reset my password?",
        "Open the settings and choose Reset.",
        "Where is my invoice?",
        "It is sent by mail on the first day of the month.",
    ]);
    let paragraph = |style: &str, text: &str| format!("<w:p><w:pPr>{style}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>");
    let heading = "<w:pStyle w:val=\"Heading2\"/>";
    let document = [
        paragraph(heading, "Do you ship to Norway?"),
        paragraph("", "Yes, within five working days."),
        paragraph(heading, "Can I change my delivery address?"),
        paragraph("", "Until the parcel has left our fixture."),
    ];
    let xml = format!("<w:document><w:body>{}</w:body></w:document>", document.concat());

    let (manual, guide) =
        (uploaded(&owner, "manual.pdf", &pdf).await, uploaded(&owner, "guide.docx", &word(xml.as_bytes())).await);

    assert_eq!(manual, json!({ "status": "INDEXED", "error": null, "chunkCount": 2 }));
    assert_eq!(guide, json!({ "status": "INDEXED", "error": null, "chunkCount": 2 }));
    assert_eq!(ask(&site, "How can I reset my password?").await, "Open the settings and choose Reset.");
    assert_eq!(ask(&site, "Do you ship parcels to Norway?").await, "Yes, within five working days.");
}

async fn a_bomb_fails_with_a_reason_and_others_are_read(app: &TestApp) {
    let site = app.site().create().await;
    let owner = site.owner();
    let spaces = vec![b' '; 60 * 1024 * 1024];

    let zip = uploaded(&owner, "bomb.docx", &word(&spaces)).await;
    let other = uploaded(&owner, "other.docx", &word(b"<w:p>")[..60]).await;
    let good = uploaded(&owner, "good.md", b"## When are you open?\nFrom six to noon.\n").await;

    let reason = |source: &Value| source["error"].as_str().unwrap_or_default().to_owned();
    assert_eq!([&zip["status"], &other["status"], &good["status"]], ["FAILED", "FAILED", "INDEXED"]);
    assert!(
        reason(&zip).starts_with("The file could not be read: ") && reason(&zip).contains("200 times its size"),
        "{zip}"
    );
    assert!(reason(&other).contains("the archive is damaged"), "{other}");
}

async fn a_typed_text_is_read_and_replaced(app: &TestApp) {
    const ADD: &str = "mutation ($title: String!, $text: String!) {
        addTextSource(input: { title: $title, text: $text }) { isNew source { id kind } userErrors { field code } }
    }";
    let site = app.site().create().await;
    let owner = site.owner();
    let add = async |title: &str, text: &str| {
        owner.graphql(ADD, json!({ "title": title, "text": text })).await.ok()["addTextSource"].take()
    };

    let added = add("Opening hours", "## When are you open?\nFrom six to noon.").await;
    assert_eq!([&added["isNew"], &added["source"]["kind"]], [&json!(true), &json!("TEXT")], "{added}");
    assert_eq!(read(&owner, &added["source"]["id"]).await["chunkCount"], 1);
    assert_eq!(ask(&site, "When are you open?").await, "From six to noon.");
    let replaced = add("Opening hours", "## When are you open?\nAll day.").await;
    assert_eq!(replaced["source"]["id"], added["source"]["id"]);
    read(&owner, &added["source"]["id"]).await;
    assert_eq!(ask(&site, "When are you open?").await, "All day.");
    let taken = add("Written answers", "x").await;
    assert_eq!(taken["userErrors"], json!([{ "field": ["input", "title"], "code": "BAD_USER_INPUT" }]));
}

async fn uploads_that_are_not_as_they_must_be_are_refused(app: &TestApp) {
    let site = app.site().create().await;
    let owner = site.owner();
    let operations = json!({ "query": UPLOAD, "variables": { "file": null } }).to_string();
    let map = r#"{"0":["variables.file"]}"#;
    let good = [("operations", None, operations.as_bytes()), ("map", None, map.as_bytes())];
    let file = ("0", Some("a.md"), &b"# Why?\nSo.\n"[..]);
    let send = async |parts: &[helpbot_tests::Part<'_>], preflight: bool| {
        let request = owner.multipart("/graphql/upload", parts);
        let request = if preflight { request.header("apollo-require-preflight", "1") } else { request };
        let reply = owner.send(request).await;
        (reply.status.as_u16(), reply.text())
    };

    assert_eq!(send(&[good[0], good[1], file], true).await.0, 200);
    let refused = send(&[good[0], good[1], file], false).await;
    assert!(refused.0 == 400 && refused.1.contains("GraphQL-Require-Preflight"), "{refused:?}");
    assert_eq!(send(&[good[0], good[1]], true).await.0, 400);
    assert_eq!(send(&[good[1], good[0], file], true).await.0, 400);
    assert_eq!(send(&[good[0], good[1], file, ("1", Some("b.md"), b"x")], true).await.0, 400);
    for map in [
        r#"{"0":["variables.other"]}"#,
        r#"{"0":["query"]}"#,
        r#"{"0":[]}"#,
        "[]",
        r#"{"0":["variables.file","variables.file"]}"#,
    ] {
        assert_eq!(send(&[good[0], ("map", None, map.as_bytes()), file], true).await.0, 400, "{map}");
    }
    let large = vec![b'a'; 20 * 1024 * 1024 + 1];
    let refused = send(&[good[0], good[1], ("0", Some("a.txt"), &large)], true).await;
    assert!(refused.0 == 413 && refused.1.contains("larger than 20 MiB"), "{}", refused.1);
    let long = json!({ "query": UPLOAD, "variables": { "file": null, "name": "x".repeat(70_000) } }).to_string();
    assert_eq!(send(&[("operations", None, long.as_bytes()), good[1], file], true).await.0, 413);
    let json = owner.request(Method::POST, "/graphql/upload").header("content-type", "application/json");
    assert_eq!(owner.send(json.header("graphql-require-preflight", "1").body(operations.clone())).await.status, 415);
    assert_eq!(owner.get("/graphql/upload").await.status, 405);

    let named = owner.upload(UPLOAD, json!({ "file": null }), "../../etc/passwd.md", b"x").await.ok();
    assert_eq!(named["uploadSource"]["userErrors"][0]["code"], "BAD_USER_INPUT");
    let plain = owner.graphql(UPLOAD, json!({ "file": "0" })).await.ok();
    assert_eq!(plain["uploadSource"]["userErrors"][0]["field"], json!(["input", "file"]));
}

async fn a_key_without_permission_uploads_and_imports_nothing(app: &TestApp) {
    let site = app.site().create().await;

    for document in [UPLOAD, IMPORT] {
        let visitor =
            site.visitor().upload(document, json!({ "file": null }), "a.csv", b"question,answer\na,b\n").await;
        assert_eq!(visitor.codes(), ["FORBIDDEN"]);
        let nobody = app.anonymous().upload(document, json!({ "file": null }), "a.csv", b"x").await;
        assert_eq!((nobody.reply.status.as_u16(), nobody.codes()), (401, vec!["UNAUTHENTICATED"]));
    }
}

const TABLE: &str = "question,answer,url,phrasings,categories\r\n\
    How do I return a parcel?,\"Put the slip\ninto the box\",https://shop.example/help#return,\"Send it back?\nReturns?\",\"Orders\nReturns\"\r\n\
    '=1+1?,'=HYPERLINK(\"\"https://evil.example\"\"),,,\r\n\
    How do I return a parcel?,\"Another answer, elsewhere\",,,Shop\r\n";

async fn import(owner: &Client, name: &str, file: &[u8]) -> Value {
    owner.upload(IMPORT, json!({ "file": null }), name, file).await.ok()["importFaqEntries"].take()
}

/// The exported rows without their ids.
async fn exported(owner: &Client) -> BTreeSet<String> {
    let reply = owner.get("/graphql/export/faq-entries.jsonl").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let without_id = |line: &str| {
        let mut row: Value = serde_json::from_str(line).expect("JSON lines");
        row.as_object_mut().expect("an object").remove("id").expect("an id");
        row.to_string()
    };
    reply.text().lines().map(without_id).collect()
}

async fn entries_go_out_and_come_back_as_they_were(app: &TestApp) {
    let (site, other, third) = (app.site().create().await, app.site().create().await, app.site().create().await);
    let owner = site.owner();

    let none = json!([]);
    let imported = import(&owner, "faq.csv", TABLE.as_bytes()).await;
    assert_eq!(imported, json!({ "added": 3, "updated": 0, "unchanged": 0, "userErrors": none }));
    let csv = owner.get("/graphql/export/faq-entries.csv").await;
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"faq-entries.csv\""));
    assert!(csv.text().contains("'=1+1?"), "{}", csv.text());
    let lines = owner.get("/graphql/export/faq-entries.jsonl").await;

    for (owner, name, file) in [(other.owner(), "a.csv", &csv.bytes), (third.owner(), "a.jsonl", &lines.bytes)] {
        assert_eq!(import(&owner, name, file).await["added"], 3);
        assert_eq!(exported(&owner).await, exported(&site.owner()).await);
        let again = import(&owner, name, file).await;
        assert_eq!(again, json!({ "added": 0, "updated": 0, "unchanged": 3, "userErrors": none }));
    }
    let again = import(&owner, "a.csv", &csv.bytes).await;
    assert_eq!(again, json!({ "added": 0, "updated": 0, "unchanged": 3, "userErrors": none }));
}

async fn an_import_changes_what_is_there_and_adds_what_is_not(app: &TestApp) {
    let site = app.site().create().await;
    let owner = site.owner();
    import(&owner, "faq.csv", TABLE.as_bytes()).await;
    let mut rows: Vec<Value> = owner
        .get("/graphql/export/faq-entries.jsonl")
        .await
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON lines"))
        .collect();

    // By its id another question; by its question another answer; a new one.
    rows[0]["question"] = json!("How do I send a parcel back?");
    rows[1]["answer"] = json!("2");
    rows[1].as_object_mut().expect("an object").remove("id");
    rows[2] = json!({ "question": "Do you ship to Norway?", "answer": "Yes, within a week." });
    let file: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let imported = import(&owner, "faq.jsonl", file.as_bytes()).await;

    assert_eq!(imported, json!({ "added": 1, "updated": 2, "unchanged": 0, "userErrors": [] }));
    assert_eq!(exported(&owner).await.len(), 4);
    assert_eq!(ask(&site, "Do you ship to Norway?").await, "Yes, within a week.");
}

async fn an_import_with_a_bad_row_changes_nothing(app: &TestApp) {
    let site = app.site().create().await;
    let owner = site.owner();

    let bad = "question,answer,url\nWhy?,So.,\nHow?,,\nWhen?,Now.,ftp://shop.example/\n";
    let refused = import(&owner, "faq.csv", bad.as_bytes()).await;

    let message = "Line 3: Missing answer; Line 4: url must start with http:// or https://. Nothing was changed.";
    let error = json!({ "field": ["input", "file"], "code": "BAD_USER_INPUT", "message": message });
    assert_eq!(refused["userErrors"], json!([error]));
    assert!(exported(&owner).await.is_empty());
    let unnamed = import(&owner, "faq", bad.as_bytes()).await;
    assert_eq!(unnamed["userErrors"][0]["field"], json!(["input", "format"]));
    let nul = import(&owner, "faq.jsonl", br#"{"question":"a\u0000b","answer":"c"}"#).await;
    assert!(nul["userErrors"][0]["message"].as_str().is_some_and(|message| message.contains("U+0000")), "{nul}");
}

async fn exports_are_for_those_who_may_read_sources(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let path = "/graphql/export/faq-entries.csv";

    assert_eq!(app.anonymous().get(path).await.status, 401);
    assert_eq!(site.visitor().get(path).await.status, 403);
    assert_eq!(site.owner().get(&format!("{path}?siteId={}", other.id)).await.status, 404);
    assert_eq!(app.operator_client().get(&format!("{path}?siteId={}", site.id)).await.status, 200);
    assert_eq!(site.owner().get("/graphql/export/keys.csv").await.status, 404);
    assert_eq!(site.owner().post(path, &json!({})).await.status, 405);
}

async fn a_search_among_entries_counts_what_it_finds(app: &TestApp) {
    const FIND: &str = "query ($search: String) {
        site { faqEntries(search: $search, first: 1) { totalCount nodes { question } pageInfo { hasNextPage } } }
    }";
    let site = app.site().create().await;
    let csv = "question,answer\nOpen on Sundays?,From 8.\nHow much is a Roll?,A euro.\nAny rolls left?,100% gone.\n";
    site.owner().upload(IMPORT, json!({ "file": null }), "faq.csv", csv.as_bytes()).await.ok();
    let found = async |search: Value| {
        let found = site.owner().graphql(FIND, json!({ "search": search })).await.ok()["site"]["faqEntries"].take();
        (found["totalCount"].as_i64(), found["pageInfo"]["hasNextPage"].as_bool())
    };

    assert_eq!(found(Value::Null).await, (Some(3), Some(true)));
    assert_eq!(found(json!("")).await, (Some(3), Some(true)));
    assert_eq!(found(json!("roll")).await, (Some(2), Some(true)));
    assert_eq!(found(json!("from 8")).await, (Some(1), Some(false)), "in the answer");
    assert_eq!(found(json!("0%")).await, (Some(1), Some(false)), "as it is written");
    assert_eq!(found(json!("submarine")).await, (Some(0), Some(false)));
}
