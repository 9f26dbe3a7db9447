//! What a page shows, and what it says to screen readers or about itself. Each test is one kind of page from a public report,
//! in our own words.

use crate::reading::{of, page, pairs, text};

const ENTRIES: [(&str, &str); 3] =
    [("How do I pay?", "By card."), ("Lost card", "Call the bank."), ("Can I cancel?", "Yes, any time.")];

fn assert_entries_of(markup: &str) {
    let body: String = ENTRIES.iter().map(|(q, a)| markup.replace("{q}", q).replace("{a}", a)).collect();
    assert_eq!(pairs(&format!("<h1>FAQ</h1>{body}")), of(&ENTRIES), "{markup}");
}

/// The answer of the first question, which a second one follows.
fn answer(html: &str) -> String {
    let found = pairs(&format!("<h2>How is it?</h2>{html}<h2>Is it new?</h2><p>Yes.</p>"));
    assert_eq!(found.len(), 2, "{found:?}");
    found[0].1.clone()
}

#[test]
fn words_for_screen_readers_are_no_part_of_titles_and_links() {
    for markup in [
        "<details><summary>{q}<span class=sr-only>Toggle answer</span></summary><p>{a}</p></details>",
        "<h2><button aria-expanded=false><span>{q}</span><span class=govuk-visually-hidden> this section</span></button></h2>\
         <div><p>{a}</p></div>",
    ] {
        assert_entries_of(markup);
    }
    let link = "<p>Use <a href='https://a.example/f'>the form<span class=visually-hidden> (opens in a new tab)</span></a> here.</p>";
    assert_eq!(answer(link), "Use [the form](https://a.example/f) here.");
    let price =
        "<p>Only <span><span class=sr-only>$19.99</span><span aria-hidden=true>$19 99</span></span> a month.</p>";
    assert_eq!(answer(price), "Only $19.99 a month.");
}

#[test]
fn links_to_a_heading_beside_it_are_no_text() {
    let item = |(at, (q, a)): (usize, &(&str, &str))| {
        format!(
            "<div><h2 id=s{at}>{q}</h2><a href='#s{at}'><svg></svg><span class=sr-only>Section titled “{q}”</span></a></div><p>{a}</p>"
        )
    };
    let body: String = ENTRIES.iter().enumerate().map(item).collect();

    assert_eq!(pairs(&body), of(&ENTRIES));
}

#[test]
fn words_of_links_in_a_heading_to_its_section_are_no_text() {
    let item = |(at, (q, a)): (usize, &(&str, &str))| {
        format!("<section id=s{at}><h2>{q}<a href='#s{at}'>Link to this heading</a></h2><p>{a}</p></section>")
    };
    let body: String = ENTRIES.iter().enumerate().map(item).collect();

    assert_eq!(pairs(&body), of(&ENTRIES));
}

#[test]
fn edit_links_of_sections_are_no_text() {
    let link = "<span class=mw-editsection><span>[</span><a href='/edit'>edit</a><span>]</span></span>";

    assert_entries_of(&format!("<h2><span class=mw-headline>{{q}}</span>{link}</h2><p>{{a}}</p>"));
    assert_entries_of(&format!("<div class=mw-heading><h2>{{q}}</h2>{link}</div><p>{{a}}</p>"));
}

#[test]
fn signs_badges_and_buttons_behind_a_title_are_no_part_of_it() {
    for markup in [
        "<details><summary>{q} <button type=button>Copy link</button></summary><p>{a}</p></details>",
        "<details><summary>{q}<md-icon>expand_more</md-icon></summary><p>{a}</p></details>",
        "<div><div class=q>{q}<i class=app-icon>keyboard_arrow_down</i></div><div class=a>{a}</div></div>",
        "<details><summary>{q} <span>⌄</span></summary><p>{a}</p></details>",
        "<details><summary>{q} <span>×</span></summary><p>{a}</p></details>",
    ] {
        assert_entries_of(markup);
    }
    let badge = "<h3>How do I pay? <span class='badge badge-new'>New</span></h3><p>By card.</p>\
        <h3>Is it new? <span>Show</span><span>Hide</span></h3><p>Yes.</p>";
    assert_eq!(pairs(badge), of(&[("How do I pay?", "By card."), ("Is it new?", "Yes.")]));
}

#[test]
fn buttons_and_icons_in_a_sentence_are_its_words() {
    assert_eq!(
        answer(
            "<p>Press <button>Save</button> and <input type=button value=Close>, then tick the <label>Keep</label> box.</p>"
        ),
        "Press Save and Close, then tick the Keep box."
    );
    assert_eq!(
        answer("<p>Click <i class=cog title=Settings></i> and choose, then <svg><title>Save</title></svg>.</p>"),
        "Click Settings and choose, then Save."
    );
    assert_eq!(answer("<p>Use SAVE10 <button>Copy</button></p>"), "Use SAVE10");
}

#[test]
fn links_without_text_have_the_name_of_their_picture_or_file() {
    assert_eq!(
        answer(
            "<p>On <a href='https://m.example/a' aria-label=Mastodon><svg></svg></a> and <a href='https://g.example' title=Git><i></i></a>.</p>"
        ),
        "On [Mastodon](https://m.example/a) and [Git](https://g.example/)."
    );
    assert_eq!(
        answer("<p>See below.</p><p><a href='https://a.example/form.pdf'><img src=x.png alt=''></a></p>"),
        "See below.\n\n[form.pdf](https://a.example/form.pdf)"
    );
    assert_eq!(
        answer("<p>By card.</p><a href='https://f.example' aria-label='Share on F'><svg></svg></a>"),
        "By card."
    );
}

#[test]
fn remarks_in_running_text_are_content_and_sidebars_are_not() {
    assert_eq!(
        answer("<p>Hold the key.</p><aside>💡 Unplug it first.</aside>"),
        "Hold the key.\n\n💡 Unplug it first."
    );
    assert_eq!(
        answer(
            "<p>Hold the key.</p><aside><h3>Related</h3><ul><li><a href=/a>A b.</a></li><li><a href=/b>B.</a></li><li><a href=/c>C.</a></li></ul></aside>"
        ),
        "Hold the key."
    );
    let details = "<details><summary>{q}</summary><aside><p>{a}</p></aside></details>";
    assert_entries_of(details);
}

#[test]
fn headers_of_cards_are_titles() {
    assert_entries_of(
        "<div class=card><header class=card-header><p>{q}</p></header><div class=card-content><p>{a}</p></div></div>",
    );
}

#[test]
fn what_a_page_says_about_itself_is_no_answer() {
    let entries = "<h1>FAQ</h1><h2>How do I pay?</h2><p>By card.</p><h2>When was it changed?</h2><p>Last updated in March.</p>\
        <p>It is new.</p>";
    for notes in [
        "<div>Last modified March 1, 2026: <a href='https://g.example/c'>Fix typo</a></div>",
        "<div><a href=/a>Previous Setup</a></div><div><a href=/b>Next API</a></div><p>Last updated 2 months ago</p>",
        "<p>Did you find it helpful? <span><a href=/y>Yes</a></span> <span>No</span></p><div><a href='#article'>Return to top</a></div>",
        "<div><p>On this page</p></div><p>Share this: <a href='https://f.example'>F</a></p>",
        "<p>Cette réponse vous a-t-elle aidé ? 👍 👎</p>",
    ] {
        let wanted = [("How do I pay?", "By card."), ("When was it changed?", "Last updated in March.\n\nIt is new.")];
        assert_eq!(pairs(&format!("<main>{entries}{notes}</main>")), of(&wanted), "{notes}");
    }
}

#[test]
fn footnotes_at_the_end_are_a_text_of_their_own() {
    let page = page(
        "<article><h2>How long?</h2><p>25 years<sup><a href='#n'>1</a></sup>.</p><h2>Is it new?</h2><p>Yes.</p>\
         <section class=footnotes><ol><li id=n>From the day on which it was installed.</li></ol></section></article>",
    );

    assert_eq!(page.pairs().last().map(extract_answer).as_deref(), Some("Yes."));
    assert!(text(&page).contains("From the day"));
}

fn extract_answer(item: &helpbot_ingest::extract::Item) -> String {
    item.answer_text()
}

#[test]
fn images_of_emoji_are_values() {
    let row = |name: &str, one: &str, two: &str| {
        format!("<tr><td>{name}<td><img alt='{one}' src=a.svg><td><img alt='{two}' src=b.svg>")
    };
    let table = format!("<table>{}{}</table>", row("Mail", "✅", "❌"), row("Chat", "❌", "✅"));

    assert_eq!(answer(&table), "Mail | ✅ | ❌\n\nChat | ❌ | ✅");
}

#[test]
fn labels_in_headings_terms_and_lines_are_removed() {
    let questions = [("How do I pay?", "By card."), ("Can I cancel?", "Yes, any time.")];
    for markup in [
        "<h4>Question:</h4><p>{q}</p><h4>Answer:</h4><p>{a}</p>",
        "<dl><dt>Q</dt><dd>{q}</dd><dt>A</dt><dd>{a}</dd></dl>",
        "<h3>{q}</h3><p><strong>Answer:</strong></p><p>{a}</p>",
    ] {
        let body: String = questions.iter().map(|(q, a)| markup.replace("{q}", q).replace("{a}", a)).collect();
        assert_eq!(pairs(&body), of(&questions), "{markup}");
    }
}

#[test]
fn explanations_that_open_over_a_word_are_no_part_of_the_sentence() {
    assert_eq!(
        answer("<p>The SLA<span role=tooltip>Service level agreement</span> covers it.</p>"),
        "The SLA covers it."
    );
}
