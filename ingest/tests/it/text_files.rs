//! Text files as other programs write them: line ends, encodings, invisible marks, quotes, headings and front matter.
//! Each test is one kind of file from a public report.

use helpbot_ingest::extract::{Item, Page};
use helpbot_ingest::files;

fn read(name: &str, bytes: &[u8]) -> Page {
    files::extract(name, bytes).expect("a readable file")
}

/// The pairs of a file, one per line.
fn pairs(name: &str, bytes: &[u8]) -> Vec<String> {
    let pair = |item: &Item| match item {
        Item::Pair { question, answer, .. } => Some(format!("{question} = {answer}")),
        Item::Passage { .. } => None,
    };
    read(name, bytes).items.iter().filter_map(pair).collect()
}

const TWO: [&str; 2] = ["How do I pay? = By card.", "Can I cancel? = Yes."];

#[test]
fn lines_may_end_in_any_way() {
    let text = "Q: How do I pay?\nA: By card.\n\nQ: Can I cancel?\nA: Yes.\n";
    for end in ["\r", "\r\n", "\u{b}", "\u{2028}", "\u{85}"] {
        assert_eq!(pairs("a.txt", text.replace('\n', end).as_bytes()), TWO, "{end:?}");
    }
    let markdown = "# Help\r\r## How do I pay?\r\rBy card.\r\r## Can I cancel?\r\rYes.\r";
    assert_eq!(pairs("a.md", markdown.as_bytes()), TWO);
}

#[test]
fn marks_for_the_direction_of_text_do_not_hide_labels() {
    let text =
        "\u{200f}س: كيف أدفع؟\n\u{200f}ج: بالبطاقة.\n\n\u{202b}س: هل يمكنني الإلغاء؟\u{202c}\n\u{202b}ج: نعم.\u{202c}\n";

    assert_eq!(pairs("a.txt", text.as_bytes()), ["كيف أدفع؟ = بالبطاقة.", "هل يمكنني الإلغاء؟ = نعم."]);
    assert_eq!(
        pairs("a.md", "\u{200f}## איך משלמים?\n\nבכרטיס.\n\n\u{200f}## אפשר לבטל?\n\nכן.\n".as_bytes()),
        ["איך משלמים? = בכרטיס.", "אפשר לבטל? = כן."]
    );
}

#[test]
fn lines_of_chinese_and_japanese_are_joined_without_spaces() {
    let text = "问：如何重置\n密码？\n答：点击重置\n密码按钮。\n\n问：发票在哪里？\n答：在邮件里。\n";
    let markdown = "## 予約は必要ですか？\n\nいいえ、必要**あり\nません**が、Web\nでもできます。\n\n## 駐車場はありますか？\n\nはい。\n";

    assert_eq!(pairs("a.txt", text.as_bytes())[0], "如何重置密码？ = 点击重置密码按钮。");
    assert_eq!(
        pairs("a.md", markdown.as_bytes())[0],
        "予約は必要ですか？ = いいえ、必要**ありません**が、Web でもできます。"
    );
}

#[test]
fn encodings_without_a_mark_are_recognized() {
    let text = "Q: How do I pay?\r\nA: By card.\r\n\r\nQ: Can I cancel?\r\nA: Yes.\r\n";
    let units: Vec<u16> = text.encode_utf16().collect();
    let low: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let high: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let japanese = b"\x1b$B<ALd\x1b(B,\x1b$B2sEz\x1b(B\n\x1b$B2rLs$G$-$^$9$+\x1b(B?,\x1b$B$O$$!#\x1b(B\n";
    let old_macintosh = b"question,answer\rWie gro\xa7 ist es?,F\x9fnf R\x8aume.\r";

    assert_eq!(pairs("a.txt", &low), TWO);
    assert_eq!(pairs("a.txt", &high), TWO);
    assert_eq!(pairs("a.csv", japanese), ["解約できますか? = はい。"]);
    assert_eq!(pairs("a.csv", old_macintosh), ["Wie groß ist es? = Fünf Räume."]);
    assert!(files::extract("a.txt", b"\0\x01\0\x02\0\x03\0\x04\0\x05").is_err());
}

#[test]
fn quotes_of_other_programs_do_not_move_columns() {
    let mysql = "\"question\",\"answer\"\n\"Where is \\\"Hall A\\\", please?\",\"Behind \\\"Gate 1\\\", left.\"\n";
    let single = "'question','answer'\n'How do I pay?','By card, or by bill.'\n";
    let spaced = "question, answer\n\"How do I pay?\", \"By card, or by bill.\"\n";
    let unclosed = "question,answer\nWhich bolts fit?,\"M5 and M6\nIs it free?,\"Yes, it is.\"\n";
    let literal = "question,answer\n\"How do I pay?\",\"By card.\\nOr by bill.\"\n";

    assert_eq!(pairs("a.csv", mysql.as_bytes()), ["Where is \"Hall A\", please? = Behind \"Gate 1\", left."]);
    assert_eq!(pairs("a.csv", single.as_bytes()), ["How do I pay? = By card, or by bill."]);
    assert_eq!(pairs("a.csv", spaced.as_bytes()), ["How do I pay? = By card, or by bill."]);
    assert_eq!(pairs("a.csv", unclosed.as_bytes()), ["Which bolts fit? = \"M5 and M6", "Is it free? = Yes, it is."]);
    assert_eq!(pairs("a.csv", literal.as_bytes()), ["How do I pay? = By card.\nOr by bill."]);
}

#[test]
fn headings_without_a_space_are_headings() {
    let text = "#Help\n\n##How do I pay?\n\nBy card.\n\n##Can I cancel?\n\nYes.\n#holiday is a keyword.\n";

    assert_eq!(
        pairs("a.md", text.as_bytes()),
        ["How do I pay? = By card.", "Can I cancel? = Yes. #holiday is a keyword."]
    );
}

#[test]
fn front_matter_may_begin_and_end_in_other_ways() {
    let body = "\n## How do I pay?\n\nBy card.\n\n## Can I cancel?\n\nYes.\n";
    for head in [
        "---\ntitle: Billing\nauthor: Lund\n...\n",
        "--- \ntitle: Billing\nauthor: Lund\n---  \n",
        "\n\n---\ntitle: Billing\nauthor: Lund\n---\n",
        "% Billing\n% Ann Lund\n% May 2026\n",
    ] {
        let page = read("a.md", format!("{head}{body}").as_bytes());
        let has_passage = page.items.iter().any(|item| matches!(item, Item::Passage { .. }));
        assert_eq!((page.title.as_str(), page.items.len(), has_passage), ("Billing", 2, false), "{head}");
    }
    let ruled =
        "---\n\nAll guests may use the pool in the garden of the hotel.\n\n---\n\n## How do I pay?\n\nBy card.\n";
    assert!(read("a.md", ruled.as_bytes()).items.len() > 1, "a line that is drawn is no front matter");
}

#[test]
fn includes_of_jekyll_with_a_question_are_entries() {
    let text = "{% include faq.html question=\"How do I pay?\" answer=\"By card.\" %}\n\n\
        {% include faq.html question=\"Can I cancel?\" answer=\"Yes.\" %}\n";

    assert_eq!(pairs("a.md", text.as_bytes()), TWO);
}
