//! Input made to hurt: it ends with a page or a reason, in bounded time and memory, and never
//! with a panic. Everything is generated here; limits on time are the test runner's.

use std::io::Write;

use helpbot_ingest::extract::{self, ExtractError};
use helpbot_ingest::{charset, files, robots, sitemap};
use proptest::prelude::*;
use url::Url;

fn html(text: &str) -> Result<extract::Page, ExtractError> {
    extract::html(text.as_bytes(), None, None)
}

#[test]
fn a_million_nested_tags_are_refused() {
    for tag in ["<div>", "<b>", "<p><i x=1>", "<table><tr><td>", "<details><summary>Why?</summary>", "<a><svg>"] {
        let page = html(&tag.repeat(1_000_000 / tag.len() * 5));
        assert!(
            matches!(
                page,
                Err(ExtractError::TooDeep { .. } | ExtractError::TooManyElements { .. } | ExtractError::Empty)
            ),
            "{tag}: {page:?}"
        );
    }
}

#[test]
fn formatting_elements_that_multiply_are_bounded() {
    let opened: String = (0..2000).map(|n| format!("<b id={n}>")).collect();
    let page = html(&format!("{opened}{}", "<p>x</p>".repeat(50_000)));

    assert!(matches!(page, Err(ExtractError::TooDeep { .. } | ExtractError::TooManyElements { .. })), "{page:?}");
}

#[test]
fn a_tag_with_a_million_attributes_is_one_tag() {
    let attributes: String = (0..1_000_000).map(|n| format!(" a{n}")).collect();

    let page = html(&format!("<p{attributes}>Hello</p>")).expect("a page");

    assert_eq!(page.items.len(), 0);
}

#[test]
fn many_siblings_are_refused_above_the_limit() {
    assert!(matches!(html(&"<i>x</i>".repeat(600_000)), Err(ExtractError::TooManyElements { .. })));
}

#[test]
fn deep_details_do_not_repeat_their_text() {
    let open = "<details><summary>Why not?</summary>some text of an answer ".repeat(400);
    let page = html(&open).expect("a page");

    let size: usize = page.items.iter().map(|item| item.answer_text().len()).sum();
    assert!(size < open.len(), "{size}");
}

#[test]
fn terms_that_share_a_long_answer_do_not_multiply_it() {
    let terms: String = (0..10_000).map(|n| format!("<dt>Why {n}?")).collect();
    let page = html(&format!("<dl>{terms}<dd>{}</dl>", "long answer ".repeat(10_000))).expect("a page");

    assert!(page.pairs().count() <= 4);
}

#[test]
fn many_groups_links_and_switches_take_no_square_time() {
    let lists: String = (0..20_000).map(|n| format!("<dl><dt>Why {n}?<dd>So</dl>")).collect();
    let links: String = (0..20_000).map(|n| format!("<a href=#q{n}>Why {n}?</a> ")).collect();
    let targets: String = (0..20_000).map(|n| format!("<p id=q{n}>Why {n}?<p>So")).collect();
    let switches: String =
        (0..20_000).map(|n| format!("<div aria-expanded=false class=c{n}>Why?</div><i></i>")).collect();

    for page in [lists, format!("<p>{links}</p>{targets}"), switches] {
        assert!(html(&page).is_ok());
    }
}

#[test]
fn cells_of_large_tables_and_their_spans_take_no_square_time() {
    let time = |rows: usize| {
        let begin = std::time::Instant::now();
        let plain = "<tr><td>x</td><td>y</td></tr>".repeat(rows);
        let spans = "<tr><td rowspan=1000 colspan=1000>x</td><td></td><td>y</td></tr>".repeat(rows / 3);
        for rows in [plain, spans] {
            html(&format!("<table>{rows}</table>")).expect("a page");
        }
        begin.elapsed()
    };
    // Another process can slow down one of the measurements, but not all of them.
    let ratios = (0..3).map(|_| {
        let small = time(5_000);
        time(20_000).as_secs_f64() / small.as_secs_f64()
    });

    // Square time would be 16 times as long.
    assert!(ratios.fold(f64::INFINITY, f64::min) < 8.0);
}

#[test]
fn json_ld_bombs_are_left_out() {
    let deep = format!("<script type=application/ld+json>{}</script><p>Hello", "[".repeat(500_000));
    let large = format!(
        "<script type=application/ld+json>{{\"@type\":\"Question\",\"name\":\"{}?\"}}</script><p>Hello",
        "x".repeat(2_000_000)
    );

    assert_eq!(html(&deep).expect("a page").pairs().count(), 0);
    assert_eq!(html(&large).expect("a page").pairs().count(), 0);
}

#[test]
fn pages_that_are_too_large_or_no_text_say_so() {
    let large = vec![b'a'; extract::HTML_LIMIT_BYTES + 1];

    assert!(matches!(extract::html(&large, None, None), Err(ExtractError::TooLarge { .. })));
    assert_eq!(extract::html(b"", None, None), Err(ExtractError::Empty));
    assert_eq!(extract::html(b"<p> &nbsp; </p>", None, None), Err(ExtractError::Empty));
    assert!(matches!(extract::html(b"\x89PNG\r\n\x1a\n\0\0\0", None, None), Err(ExtractError::NotText { .. })));
}

/// A ZIP archive with the given parts.
fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a new part");
        writer.write_all(bytes).expect("a vector takes everything");
    }
    writer.finish().expect("a complete archive").into_inner()
}

#[test]
fn zip_bombs_and_broken_archives_are_refused() {
    let bomb = archive(&[("word/document.xml", &vec![b' '; 60 * 1024 * 1024])]);
    let reason = "it decompresses to more than 200 times its size".to_owned();
    assert_eq!(files::extract("a.docx", &bomb), Err(ExtractError::Unreadable { reason }));

    let other = archive(&[("notes/readme.xml", b"<readme/>")]);
    assert!(matches!(files::extract("a.docx", &other), Err(ExtractError::Unreadable { .. })));
    assert!(matches!(files::extract("a.docx", &other[..other.len() / 2]), Err(ExtractError::Unreadable { .. })));
    assert!(matches!(files::extract("a.zip", &other), Err(ExtractError::NotText { .. })));

    let deep = archive(&[("word/document.xml", "<w:p>".repeat(200_000).as_bytes())]);
    assert_eq!(files::extract("a.docx", &deep), Err(ExtractError::Empty));
}

#[test]
fn entities_of_a_document_are_not_expanded() {
    // Ten levels of ten each: 10 GB, were they expanded.
    let levels: String =
        (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let xml = format!(
        "<!DOCTYPE x [<!ENTITY l0 \"ha ha boom\">{levels}]><w:document><w:p><w:r>\
         <w:t>This text &l9; is long enough to be kept as a passage.</w:t></w:r></w:p></w:document>"
    );
    let page = files::extract("a.docx", &archive(&[("word/document.xml", xml.as_bytes())])).expect("a document");

    let text = page.items[0].answer_text();
    assert!(!text.contains("boom") && text.len() < 100, "{text}");
}

/// Pieces that HTML and its readers trip over, put together at random.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<details>",
        "<summary>",
        "</details>",
        "<dl>",
        "<dt>",
        "<dd>",
        "</dl>",
        "<table>",
        "<tr>",
        "<td>",
        "</table>",
        "<h2>",
        "</h2>",
        "<b>",
        "</b>",
        "<p>",
        "<br>",
        "<li>",
        "<ul>",
        "<ol start=99999999999>",
        "</ul>",
        "<a href=#x>",
        "<a name=x>",
        "</a>",
        "<pre>",
        "</pre>",
        "<button aria-expanded aria-controls=x>",
        "<div id=x>",
        "</div>",
        "<label for=x>",
        "<script type=application/ld+json>",
        "</script>",
        "{\"@type\":\"Question\",\"name\":\"a?\",",
        "\"acceptedAnswer\":{\"text\":\"<b>\"}}",
        "<template>",
        "<svg>",
        "<math>",
        "</p>",
        "<form>",
        "<nav>",
        "<footer>",
        "Q: Why?",
        "A: So.",
        "1.2.",
        "?",
        "か",
        "؟",
        "`",
        "*",
        "[",
        "](",
        "\\",
        "&amp;",
        "&#0;",
        "\0",
        "\u{feff}",
        "é",
        "<div itemscope itemtype=http://schema.org/Question>",
        "<i itemprop=name>",
        "<i itemprop=acceptedAnswer>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<select>",
        "<frameset>",
        "<title>",
        "<plaintext>",
        " word ",
        "\n\n",
        "- ",
        "---\n",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_tag_soup_panics(text in soup()) {
        if let Ok(page) = html(&text) {
            for item in &page.items {
                let _ = item.answer_text();
            }
        }
        for name in ["a.md", "a.txt", "a.csv", "a.html"] {
            let _ = files::extract(name, text.as_bytes());
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), header in ".{0,40}") {
        let url = Url::parse("https://example.com/").expect("a valid address");
        let _ = extract::html(&bytes, Some(&header), Some(&url));
        let _ = charset::decode(&bytes, Some(&header));
        let _ = robots::Robots::read(robots::Fetched::Found(&bytes), "HelpBot").crawl_delay();
        let _ = sitemap::read(&bytes, &url, &url, 1);
        for name in ["a.md", "a.txt", "a.csv", "a.docx", ""] {
            let _ = files::extract(name, &bytes);
        }
        let mut named = b"PK\x03\x04".to_vec();
        named.extend(&bytes);
        let _ = files::extract("a.docx", &named);
    }

    #[test]
    fn answers_lose_nothing_but_markdown(text in "[a-z0-9 *`\\[\\]()<>#.!_\\\\-]{1,60}") {
        let shown = text.replace('<', "&lt;");
        let page = html(&format!("<h2>Why is it so?</h2><p>word{shown}</p><h2>What else is there?</h2><p>y</p>"));
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");

        prop_assert_eq!(words(&page.expect("a page").items[0].answer_text()), words(&format!("word{text}")));
    }
}
