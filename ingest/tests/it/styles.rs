//! One small page for each way that sites mark up questions, and the pairs that come out.

use helpbot_ingest::extract::{self, Item};
use url::Url;

fn pairs(html: &str) -> Vec<(String, String)> {
    let url = Url::parse("https://example.com/help/faq").expect("a valid address");
    let page = extract::html(html.as_bytes(), Some("text/html; charset=utf-8"), Some(&url)).expect("a readable page");
    let texts = page.pairs().map(|item| match item {
        Item::Pair { question, .. } => (question.clone(), item.answer_text()),
        Item::Passage { .. } => unreachable!("pairs() gives pairs"),
    });
    texts.collect()
}

fn assert_pairs(html: &str, expected: &[(&str, &str)]) {
    let found = pairs(html);
    let found: Vec<_> = found.iter().map(|(question, answer)| (question.as_str(), answer.as_str())).collect();
    assert_eq!(found, expected);
}

const TWO: [(&str, &str); 2] =
    [("How do I reset my password?", "Open the settings."), ("Where is my invoice?", "It comes by mail.")];

#[test]
fn details_and_summary() {
    assert_pairs(
        "<h1>FAQ</h1><details><summary>How do I reset my password?</summary><p>Open the settings.</details>
         <details open><summary><h3>Where is my invoice?</h3></summary>It comes by mail.</details>
         <h2>Still have questions?</h2><p>Write to us.</p>",
        &TWO,
    );
}

#[test]
fn details_as_categories_around_details() {
    assert_pairs(
        "<details><summary>Account</summary>
           <details><summary>How do I reset my password?</summary>Open the settings.</details></details>
         <details><summary>Billing</summary>
           <details><summary>Where is my invoice?</summary>It comes by mail.</details></details>",
        &TWO,
    );
}

#[test]
fn definition_list_with_terms_that_tell_problems() {
    assert_pairs(
        "<dl><dt>How do I reset my password?<dd>Open the settings.
         <dt>The mouse does not move<dd>Plug it in.<dt>Is it free?<dd>Yes.</dl>",
        &[
            ("How do I reset my password?", "Open the settings."),
            ("The mouse does not move", "Plug it in."),
            ("Is it free?", "Yes."),
        ],
    );
}

#[test]
fn definition_list_of_terms_is_no_faq() {
    assert_pairs("<dl><dt>HTTP<dd>A protocol.<dt>HTML<dd>A language.<dt>Why?<dd>Because.</dl>", &[]);
}

#[test]
fn accordion_by_aria_controls() {
    assert_pairs(
        r#"<nav><button aria-expanded="false" aria-controls="m">What we do?</button><ul id="m"><li><a href="/a">A</a></ul></nav>
        <h3><button aria-expanded="false" aria-controls="p1">How do I reset my password?</button></h3>
        <div id="p1" hidden aria-hidden="true"><p>Open the settings.</p></div>
        <h3><button aria-expanded="false" aria-controls="p2">Where is my invoice?</button></h3>
        <div id="p2" hidden><p>It comes by mail.</p><button>Copy</button></div>"#,
        &TWO,
    );
}

#[test]
fn accordion_by_bootstrap_targets_and_statements() {
    assert_pairs(
        r##"<div class="card"><div class="card-header"><h5><a data-toggle="collapse" href="#c1">How do I reset my password?</a></h5></div>
        <div id="c1" class="collapse"><div class="card-body">Open the settings.</div></div></div>
        <div class="card"><div class="card-header"><h5><a data-toggle="collapse" data-target="#c2">Billing questions</a></h5></div>
        <div id="c2" class="collapse"><div class="card-body">It comes by mail.</div></div></div>"##,
        &[("How do I reset my password?", "Open the settings."), ("Billing questions", "It comes by mail.")],
    );
}

#[test]
fn accordion_that_only_classes_tell() {
    assert_pairs(
        r#"<div class="item"><div class="q"><span>How do I reset my password?</span><svg></svg></div><div class="a">Open the settings.</div></div>
        <div class="item"><div class="q"><span>Where is my invoice?</span></div><div class="a">It comes by mail.</div></div>"#,
        &TWO,
    );
}

#[test]
fn checkbox_accordion() {
    assert_pairs(
        r#"<ul><li><input type="checkbox" id="a"><label for="a">How do I reset my password?</label><div>Open the settings.</div>
        <li><input type="checkbox" id="b"><label for="b">Where is my invoice?</label><div>It comes by mail.</div></ul>"#,
        &TWO,
    );
}

#[test]
fn headings_with_categories_above_and_sub_headings_below() {
    let html =
        "<title>Help</title><h1>FAQ</h1><h2>Account</h2><h3>How do I reset my password?</h3><p>Open the settings.</p>
        <h4>On the phone</h4><p>Tap it.</p><h2>Billing</h2><h3>1.2. Where is my invoice?</h3><p>It comes by mail.</p>
        <footer><p>Do you like us? Call.</p></footer>";
    let page = extract::html(html.as_bytes(), None, None).expect("a readable page");

    let Item::Pair { question, answer, context, .. } = &page.items[0] else { panic!("{page:?}") };
    assert_eq!(question, "How do I reset my password?");
    assert_eq!(answer, "Open the settings.\n\n**On the phone**\n\nTap it.");
    assert_eq!(context, &["FAQ", "Account"]);
    assert_eq!(pairs(html)[1], ("Where is my invoice?".into(), "It comes by mail.".into()));
    assert_eq!(pairs(html).len(), 2);
}

#[test]
fn headings_of_a_manual_are_no_questions() {
    let html = "<h1>Manual</h1><h2>Install</h2><p>Unpack the archive and run the installer that is in it.</p>
        <h2>Use</h2><p>Start the program and open a file from the menu on the left.</p>";
    let page = extract::html(html.as_bytes(), None, None).expect("a readable page");

    assert_eq!(page.pairs().count(), 0);
    let passages: Vec<_> = page
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Passage { heading, .. } => Some(heading.join(" > ")),
            Item::Pair { .. } => None,
        })
        .collect();
    assert_eq!(passages, ["Manual > Install", "Manual > Use"]);
}

#[test]
fn bold_paragraphs() {
    assert_pairs(
        "<p><b>How do I reset my password?</b></p><p>Open the settings.</p>
         <p><strong>Where is my invoice?</strong></p><p>It comes by mail.</p>",
        &TWO,
    );
}

#[test]
fn bold_lines_with_the_answer_in_the_same_paragraph() {
    assert_pairs(
        "<p><b>How do I reset my password?</b><br>Open the settings.</p>
         <p><strong>Where is my invoice?</strong> It comes by mail.</p>",
        &TWO,
    );
}

#[test]
fn lines_that_only_breaks_part() {
    assert_pairs(
        "<div><b>1. How do I reset my password?</b><br>Open the settings.<br><br>
         <b>2. Where is my invoice?</b><br>It comes by mail.<br></div>",
        &TWO,
    );
}

#[test]
fn labels_in_plain_paragraphs() {
    assert_pairs(
        "<p>Q: How do I reset my password?</p><p>A: Open the settings.</p>
         <p>Q: Where is my invoice?</p><p><b>A:</b> It comes by mail.</p>",
        &TWO,
    );
    assert_pairs(
        "<p>Q: How do I reset my password?<br>A: Open the settings.</p>
         <p>Q: Where is my invoice?<br>A: It comes by mail.</p>",
        &TWO,
    );
}

#[test]
fn bold_labels_before_plain_questions() {
    assert_pairs(
        "<p><b>Q:</b> How do I reset my password?</p><p><b>A:</b> Open the settings.</p>
         <p><b>Q:</b> Where is my invoice?</p><p><b>A:</b> It comes by mail.</p>",
        &TWO,
    );
}

#[test]
fn questions_by_class_and_by_inline_style() {
    assert_pairs(
        r#"<p class="question">How do I reset my password?</p><p>Open the settings.</p>
        <p class="question">Where is my invoice?</p><p>It comes by mail.</p>"#,
        &TWO,
    );
    assert_pairs(
        r#"<p><span style="font-weight: bold">How do I reset my password?</span></p><p>Open the settings.</p>
        <p><span style="font-weight:700">Where is my invoice?</span></p><p>It comes by mail.</p>"#,
        &TWO,
    );
}

#[test]
fn plain_paragraphs_as_a_last_resort() {
    assert_pairs(
        "<p>How do I reset my password?</p><p>Open the settings.</p><p>Where is my invoice?</p><p>It comes by mail.</p>",
        &TWO,
    );
}

#[test]
fn list_items_with_bold_questions() {
    assert_pairs(
        "<ol><li><b>How do I reset my password?</b><p>Open the settings.</p>
         <li><b>Where is my invoice?</b><p>It comes by mail.</p></ol>",
        &TWO,
    );
}

#[test]
fn inline_elements_that_set_a_question_apart() {
    for (open, close) in [("<u>", "</u>"), ("<font color=red size=4>", "</font>"), ("<span class=q>", "</span>")] {
        assert_pairs(
            &format!(
                "<title>FAQ</title><p>{open}How do I reset my password?{close}</p><p>Open the settings.</p>
                 <p>{open}Refunds{close}</p><p>By mail.</p><p>{open}Where is my invoice?{close}</p><p>There.</p>"
            ),
            &[TWO[0], ("Refunds", "By mail."), ("Where is my invoice?", "There.")],
        );
    }
}

#[test]
fn links_that_open_answers_are_distinguished_from_links_back() {
    assert_pairs(
        r##"<div><a class=t href="#">How do I reset my password?</a><div>Open the settings. <p><a href="#">Back</a></p></div>
        <a class=t href="#">Invoices</a><div>By mail. <p><a href="#">Back</a></p></div></div>"##,
        &[TWO[0], ("Invoices", "By mail.")],
    );
}

#[test]
fn titles_of_link_lists_are_no_questions() {
    assert_pairs(
        "<h3>How do I reset my password?</h3><p>Open the settings.</p><h3>Related</h3><p><a href=/a>All articles</a></p>",
        &TWO[..1],
    );
}

#[test]
fn emphasised_questions() {
    assert_pairs(
        "<p><em>How do I reset my password?</em></p><p>Open the settings.</p>
         <p><em>Where is my invoice?</em></p><p>It comes by mail.</p>",
        &TWO,
    );
}

#[test]
fn tables_with_two_columns_and_with_alternating_rows() {
    assert_pairs(
        "<table><tr><th>Question<th>Answer<tr><td>How do I reset my password?<td>Open the settings.
         <tr><td>Where is my invoice?<td>It comes by mail.</table>",
        &TWO,
    );
    assert_pairs(
        "<table><tr><td>Q1<td>How do I reset my password?<tr><td>A1<td>Open the settings.
         <tr><td>Q2<td>Where is my invoice?<tr><td>A2<td>It comes by mail.</table>",
        &TWO,
    );
    assert_pairs(
        "<table><tr><td>How do I reset my password?<tr><td>Open the settings.
         <tr><td>Where is my invoice?<tr><td>It comes by mail.</table>",
        &TWO,
    );
}

#[test]
fn price_tables_are_no_faq() {
    assert_pairs("<table><tr><td>Basic<td>5<tr><td>Pro<td>10<tr><td>More?<td>Ask</table>", &[]);
}

#[test]
fn contents_tell_statements_from_text() {
    assert_pairs(
        r##"<ul><li><a href="#a">How do I reset my password?</a><li><a href="#b">Lost invoices</a><li><a href="#c">Is it free?</a></ul>
        <p><a name="a"></a>How do I reset my password?</p><p>Open the settings.</p><p><a href="#top">Back to top</a></p>
        <p><a name="b"></a>Lost invoices</p><p>It comes by mail.</p><p><a href="#top">Back to top</a></p>
        <p id="c">Is it free?</p><p>Yes.</p>"##,
        &[
            ("How do I reset my password?", "Open the settings."),
            ("Lost invoices", "It comes by mail."),
            ("Is it free?", "Yes."),
        ],
    );
}

#[test]
fn json_ld_alone_and_beside_the_visible_text() {
    let script = r#"<script type="application/ld+json">{"@context":"https://schema.org","@graph":[{"@type":["FAQPage"],
        "mainEntity":[{"@type":"Question","name":"How do I reset my password?",
          "acceptedAnswer":{"@type":"Answer","text":"<p>Open the settings.</p>"}},
        {"@type":"Question","name":"Where is my invoice?","acceptedAnswer":[{"@type":"Answer","text":"It comes
 by mail."}]},]}]}</script>"#;

    assert_pairs(script, &[TWO[0], ("Where is my invoice?", "It comes\nby mail.")]);
    let visible = "<details><summary>Where is my invoice?</summary>It comes by mail.</details>\
        <details><summary>How do I reset my password?</summary>Open the settings.</details>";
    assert_pairs(&format!("{script}{visible}"), &[TWO[1], TWO[0]]);
}

#[test]
fn microdata() {
    assert_pairs(
        r#"<div itemscope itemtype="https://schema.org/FAQPage">
        <div itemscope itemprop="mainEntity" itemtype="https://schema.org/Question"><p itemprop="name">How do I reset my password?</p>
        <div itemscope itemprop="acceptedAnswer" itemtype="https://schema.org/Answer"><div itemprop="text">Open the settings.</div></div></div>
        <div itemscope itemprop="mainEntity" itemtype="https://schema.org/Question"><span itemprop="name">Where is my invoice?</span>
        <div itemscope itemprop="acceptedAnswer" itemtype="https://schema.org/Answer"><span itemprop="text">It comes by mail.</span></div></div></div>"#,
        &TWO,
    );
}

#[test]
fn right_to_left_and_east_asian_questions() {
    assert_pairs(
        "<h3>كيف أعيد تعيين كلمة المرور؟</h3><p>افتح الإعدادات.</p><h3>לאן נשלחת החשבונית?</h3><p>בדואר.</p>
         <h3>パスワードを忘れました</h3><p>設定を開きます。</p><h3>請求書はどこですか。</h3><p>メールです。</p>",
        &[
            ("كيف أعيد تعيين كلمة المرور؟", "افتح الإعدادات."),
            ("לאן נשלחת החשבונית?", "בדואר."),
            ("パスワードを忘れました", "設定を開きます。"),
            ("請求書はどこですか。", "メールです。"),
        ],
    );
}

#[test]
fn answers_keep_lists_code_and_absolute_links() {
    let html = r#"<h2>How do I install it?</h2><p>Run <code>make</code> in <b>the folder</b>, see <a href="../guide?a=1#x">the guide</a>
        or <a href="javascript:alert(1)">this</a>:</p><ol start="3"><li>One<ul><li>Deep *star*</ul><li>Two</ol><pre>make
  install</pre><h2>What next?</h2><p>1. is no list</p>"#;
    let url = Url::parse("https://example.com/help/faq").expect("a valid address");
    let page = extract::html(html.as_bytes(), None, Some(&url)).expect("a readable page");

    let Item::Pair { answer, .. } = &page.items[0] else { panic!("{page:?}") };
    assert_eq!(
        answer,
        "Run `make` in **the folder**, see [the guide](https://example.com/guide?a=1#x) or this:\n\n\
         3. One\n  - Deep \\*star*\n4. Two\n\n```\nmake\n  install\n```"
    );
    assert_eq!(
        page.items[0].answer_text(),
        "Run make in the folder, see the guide or this:\nOne\nDeep *star*\nTwo\nmake\n  install"
    );
    let Item::Pair { answer, .. } = &page.items[1] else { panic!("{page:?}") };
    assert_eq!(answer, "1.\u{a0}is no list");
}

#[test]
fn page_says_what_it_is_and_where_it_leads() {
    let html = r#"<html lang="pt_BR"><head><title> A  help
        page </title><link rel="canonical" href="/faq"><meta name="ROBOTS" content="noindex, NoFollow"></head>
        <body><a href="b.html#x">B</a><a href="b.html">B</a><a href="mailto:x@example.com">M</a>
        <a rel="nofollow" href="/n">N</a><a href="https://elsewhere.example/">E</a></body></html>"#;
    let url = Url::parse("https://example.com/help/faq").expect("a valid address");
    let page = extract::html(html.as_bytes(), None, Some(&url)).expect("a readable page");

    assert_eq!(page.title, "A help page");
    assert_eq!(page.language.as_deref(), Some("pt-BR"));
    assert_eq!(page.canonical.map(String::from).as_deref(), Some("https://example.com/faq"));
    assert!(page.is_noindex && page.is_nofollow);
    let links: Vec<_> = page.links.iter().map(Url::as_str).collect();
    assert_eq!(links, ["https://example.com/help/b.html", "https://elsewhere.example/"]);
}

#[test]
fn malformed_markup_survives() {
    assert_pairs(
        "<body><center><font><h3><a name=1>How do I reset my password?</h3></a><p>Open the settings.<div></p></b>
         <h3>Where is my invoice?</h4><li>It comes by mail.</table></ul>",
        &TWO,
    );
}
