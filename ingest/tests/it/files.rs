//! Files of each kind, by name and first bytes.

use std::io::Write;

use helpbot_ingest::extract::{ExtractError, Item, Page};
use helpbot_ingest::files;

fn pairs(page: &Page) -> Vec<(&str, &str)> {
    let texts = page.items.iter().filter_map(|item| match item {
        Item::Pair { question, answer, .. } => Some((question.as_str(), answer.as_str())),
        Item::Passage { .. } => None,
    });
    texts.collect()
}

fn read(name: &str, text: &str) -> Page {
    files::extract(name, text.as_bytes()).expect("a readable file")
}

const TWO: [(&str, &str); 2] =
    [("How do I reset my password?", "Open the settings."), ("Where is my invoice?", "It comes by mail.")];

#[test]
fn csv_with_any_separator_and_order_of_columns() {
    let comma = "How do I reset my password?,Open the settings.\nWhere is my invoice?,It comes by mail.\n";
    let semicolon = "\u{feff}Antwort;Frage\r\n\"Open the settings.\";How do I reset my password?\r\n\
        It comes by mail.;\"Where is my invoice?\"\r\n;Empty?\r\n";
    let tab =
        "question\tanswer\nQ: How do I reset my password?\tOpen the settings.\nWhere is my invoice?\tIt comes by mail.";

    for text in [comma, semicolon, tab] {
        assert_eq!(pairs(&read("faq.csv", text)), TWO);
    }
}

#[test]
fn csv_keeps_html_line_breaks_and_the_address() {
    let text = "question,answer,url\nHow?,\"<p>Do <b>this</b>.</p>\nThen *that*.\",https://example.com/how\nWhy?,\"a\nb\",ftp://x\n";
    let page = read("faq.csv", text);

    assert_eq!(
        pairs(&page),
        [("How?", "Do **this**.\n\nThen \\*that*.\n\n[example.com/how](https://example.com/how)"), ("Why?", "a\nb"),]
    );
    assert_eq!(page.links.len(), 1);
}

#[test]
fn csv_with_title_rows_and_an_unknown_head_gives_its_entries_alone() {
    let text = "FAQ export of the shop\n\nCategory,Subject,Body\nReturns,How do I return it?,Send it back.\n\
        Payment,Can I pay by card?,Yes.\n";

    let page = read("faq.csv", text);

    let questions: Vec<&str> = pairs(&page).into_iter().map(|(question, _)| question).collect();
    assert_eq!(questions, ["How do I return it?", "Can I pay by card?"]);
}

#[test]
fn csv_without_answers_says_so() {
    assert!(matches!(files::extract("a.csv", b"How?\nWhy?\n"), Err(ExtractError::Unreadable { .. })));
    assert_eq!(files::extract("a.csv", b"question,answer\n"), Err(ExtractError::Empty));
    let long = format!("How?,{}\n", "x".repeat(100_000));
    assert!(matches!(files::extract("a.csv", long.as_bytes()), Err(ExtractError::TooLarge { .. })));
}

#[test]
fn markdown_headings_bold_lines_and_front_matter() {
    let headings = "---\ntitle: x\n---\n# FAQ\n\n## How do I reset my password?\nOpen the settings.\n\n## Where is my invoice?\nIt comes by mail.\n";
    let bold =
        "**How do I reset my password?**\n\nOpen the settings.\n\n**Where is my invoice?**\n\nIt comes by mail.\n";

    assert_eq!(pairs(&read("faq.md", headings)), TWO);
    assert_eq!(pairs(&read("help/faq.MD", bold)), TWO);
}

#[test]
fn plain_text_with_labels_and_broken_lines() {
    let labels =
        "Q: How do I reset my\n   password?\nA: Open the\nsettings.\n\nQ: Where is my invoice?\nA: It comes by mail.\n";
    let bare = "How do I reset my password?\nOpen the settings.\n\nWhere is my invoice?\nIt comes by mail.";

    assert_eq!(pairs(&read("faq.txt", labels)), TWO);
    assert_eq!(pairs(&read("faq.txt", bare)), TWO);
}

#[test]
fn text_without_questions_is_a_passage_titled_by_its_file() {
    let page = read("notes/opening hours.txt", "We are open from nine to five on all days but Sunday.\n");

    assert_eq!(page.title, "opening hours");
    assert!(matches!(&page.items[..], [Item::Passage { text, .. }] if text.starts_with("We are open")));
}

#[test]
fn word_document_with_headings_lists_bold_text_and_links() {
    let paragraph = |style: &str, runs: &str| format!("<w:p><w:pPr>{style}</w:pPr>{runs}</w:p>");
    let run = |text: &str| format!("<w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r>");
    let item = "<w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"1\"/></w:numPr>";
    let document = [
        paragraph("<w:pStyle w:val=\"berschrift2\"/>", &run("How do I &lt;start&gt;?")),
        paragraph("", &format!("{}<w:r><w:rPr><w:b/></w:rPr><w:t>firmly</w:t></w:r>", run("Press it "))),
        paragraph(item, &run("One")),
        paragraph(item, &format!("<w:hyperlink r:id=\"rId7\">{}</w:hyperlink>", run("Two"))),
        paragraph("<w:pStyle w:val=\"Heading2\"/>", &run("And then?")),
        paragraph("", &run("Nothing.")),
    ]
    .concat();
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let links =
        "<Relationships><Relationship Id=\"rId7\" Target=\"https://example.com/?a=1&amp;b=2\"/></Relationships>";
    let body = format!("<w:document><w:body>{document}</w:body></w:document>");
    for (name, text) in [("word/document.xml", body.as_str()), ("word/_rels/document.xml.rels", links)] {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).expect("a new part");
        writer.write_all(text.as_bytes()).expect("a vector takes everything");
    }
    let bytes = writer.finish().expect("a complete archive").into_inner();

    let page = files::extract("guide.docx", &bytes).expect("a readable document");

    let answer = "Press it **firmly**\n\n- One\n- [Two](https://example.com/?a=1&b=2)";
    assert_eq!(pairs(&page), [("How do I <start>?", answer), ("And then?", "Nothing.")]);
}

#[test]
fn kinds_are_detected_by_content_when_names_are_wrong() {
    assert!(matches!(files::extract("a.pdf", b"just text"), Err(ExtractError::Unreadable { .. })));
    assert_eq!(files::extract("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), Err(ExtractError::Encrypted));
    assert!(matches!(files::extract("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1"), Err(ExtractError::NotText { .. })));
    assert!(matches!(files::extract("a.txt", b"\x89PNG\r\n\x1a\n"), Err(ExtractError::NotText { .. })));
    let unknown = files::extract("a.xyz", b"text");
    assert_eq!(unknown, Err(ExtractError::UnsupportedKind { extension: "xyz".into() }));
    assert_eq!(files::extract("a.txt", b" \n"), Err(ExtractError::Empty));
    assert!(files::extract("page", b"<!DOCTYPE html><h2>Why is it so?</h2><p>Because it is.").is_ok());
}
