//! How pages lay out lines, cells, lists, tabs and tables, and what their components show. Each test is one kind of page from a
//! public report, in our own words.

use crate::reading::{of, page, pairs, text};
use helpbot_ingest::extract;

/// The answer of the first question, which a second one follows.
fn answer(html: &str) -> String {
    let found = pairs(&format!("<h2>How is it?</h2>{html}<h2>Is it new?</h2><p>Yes.</p>"));
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[1], ("Is it new?".to_owned(), "Yes.".to_owned()));
    found[0].1.clone()
}

#[test]
fn line_breaks_that_the_style_shows_are_kept() {
    let lines = "Mon 9-17\nTue 9-12\n\nClosed on holidays.";

    assert_eq!(answer(&format!("<div style='white-space: pre-line'>{lines}</div>")), lines);
    assert_eq!(answer(&format!("<p class='mt-2 whitespace-pre-wrap'>{lines}</p>")), lines);
    assert_eq!(answer("<p>Mon 9-17\nTue 9-12</p>"), "Mon 9-17 Tue 9-12");
}

#[test]
fn a_row_stays_a_row_with_breaks_and_lists_in_its_cells() {
    let table = "<table><tr><td>Basic</td><td>9-12<br>13-17</td><td><ul><li>Mail</li><li>Chat</li></ul></td><td>5 €</td></tr>\
        <tr><td>Pro</td><td>9-12</td><td>All:<ul><li>Mail</li><li>Phone</li></ul></td><td>9 €</td></tr></table>";

    assert_eq!(answer(table), "Basic | 9-12 13-17 | Mail, Chat | 5 €\n\nPro | 9-12 | All: Mail, Phone | 9 €");
}

#[test]
fn lists_count_in_letters_and_roman_numbers() {
    let list = |attributes: &str| answer(&format!("<ol {attributes}><li>The form</li><li>A photo</li></ol>"));

    assert_eq!(list("type=a"), "a. The form\nb. A photo");
    assert_eq!(list("type=I start=3"), "III. The form\nIV. A photo");
    assert_eq!(list("style='list-style-type: upper-alpha'"), "A. The form\nB. A photo");
    assert_eq!(list("type=1"), "1. The form\n2. A photo");
}

#[test]
fn a_line_break_between_ideographs_is_no_space() {
    let body = "<h2>返品は\n  できますか？</h2><p>到着から\n七日以内、\n    Amazon\nでも同じです。</p><h2>送料は？</h2><p>五百円。</p>";

    assert_eq!(
        pairs(body),
        of(&[("返品はできますか？", "到着から七日以内、 Amazon でも同じです。"), ("送料は？", "五百円。")])
    );
}

#[test]
fn words_in_blocks_that_the_style_sets_in_a_line_are_one_line() {
    let word = |word: &str| format!("<div style='position:relative;display:inline-block'>{word}</div>");
    let title = ["How", "do", "I", "pay?"].map(word).join(" ");
    let hidden = title.replace("<div", "<div aria-hidden=true");

    for heading in [format!("<h2>{title}</h2>"), format!("<h2 aria-label='How do I pay?'>{hidden}</h2>")] {
        let body = format!("{heading}<p>By card.</p><h2>Is it new?</h2><p>Yes.</p>");
        assert_eq!(pairs(&body), of(&[("How do I pay?", "By card."), ("Is it new?", "Yes.")]));
    }
}

#[test]
fn tabs_of_site_builders_stand_above_their_panels() {
    for tabs in [
        "<div class=w-tabs><div class=w-tab-menu><a class='w-inline-block w-tab-link'><div>Linux</div></a><a class=w-tab-link>\
         <div>Mac</div></a></div><div class=w-tab-content><div class=w-tab-pane>Use apt.</div><div class=w-tab-pane>Use brew.</div>\
         </div></div>",
        "<div id=tabs><ul><li><a href='#tabs-1'>Linux</a></li><li><a href='#tabs-2'>Mac</a></li></ul>\
         <div id=tabs-1>Use apt.</div><div id=tabs-2>Use brew.</div></div>",
        "<div><ul class=et_pb_tabs_controls><li><a href='#'>Linux</a></li><li><a href='#'>Mac</a></li></ul>\
         <div class=et_pb_all_tabs><div class=et_pb_tab>Use apt.</div><div class=et_pb_tab>Use brew.</div></div></div>",
        "<div><div class=tabs><ul><li><a>Linux</a></li><li><a>Mac</a></li></ul></div><div><div class=content-tab>Use apt.</div>\
         <div class=content-tab>Use brew.</div></div></div>",
        "<div><div class=tabs><input type=radio name=g id=t1><label for=t1>Linux</label><input type=radio name=g id=t2>\
         <label for=t2>Mac</label></div><div class=blocks><div>Use apt.</div><div>Use brew.</div></div></div>",
        "<div><div role=tablist><div role=tab aria-controls=p1>Linux</div><div role=tab aria-controls=p2>Mac</div></div>\
         <div><div role=tab aria-controls=p1>Linux</div><div id=p1 role=tabpanel>Use apt.</div><div role=tab aria-controls=p2>Mac\
         </div><div id=p2 role=tabpanel>Use brew.</div></div></div>",
    ] {
        assert_eq!(answer(tabs), "**Linux**\n\nUse apt.\n\n**Mac**\n\nUse brew.", "{tabs}");
    }
}

#[test]
fn a_list_of_links_to_sections_is_no_list_of_tabs() {
    let body = "<div class=tabs><ul><li><a href='#a'>Prices</a></li><li><a href='#b'>Hours</a></li></ul>\
        <section id=a><h2>Prices</h2><p>From nine euros, with all parts and the work.</p></section>\
        <section id=b><h2>Hours</h2><p>From nine to five on every day of the week.</p></section></div>";

    let text = text(&page(body));

    assert!(text.contains("Prices\nFrom nine") && !text.contains("**Prices**"), "{text}");
}

#[test]
fn tables_by_role_have_rows() {
    let table = "<div role=table><div role=row><span role=columnheader>Plan</span><span role=columnheader>Price</span></div>\
        <div role=row><span role=cell>Basic</span><span role=cell>5 €</span></div></div>";

    assert_eq!(answer(table), "**Plan** | **Price**\n\nBasic | 5 €");
}

#[test]
fn components_show_the_titles_in_their_attributes() {
    for item in [
        "<sl-details summary='{q}'><p>{a}</p></sl-details>",
        "<x-accordion-item heading='{q}'>{a}</x-accordion-item>",
        "<my-collapsible label='{q}'><span slot=default>{a}</span></my-collapsible>",
        "<faq-item question='{q}' answer='{a}'></faq-item>",
    ] {
        let items = [("How do I pay?", "By card."), ("Delivery abroad", "To the EU."), ("Can I cancel?", "Yes.")];
        let body: String = items.iter().map(|(q, a)| item.replace("{q}", q).replace("{a}", a)).collect();
        assert_eq!(pairs(&format!("<h1>FAQ</h1>{body}")), of(&items), "{item}");
    }
}

#[test]
fn players_of_videos_that_are_components_are_links() {
    let video = "<lite-youtube videoid=a1 playlabel='Folding'></lite-youtube>";

    assert_eq!(answer(video), "[Folding](https://www.youtube.com/watch?v=a1)");
}

#[test]
fn code_in_a_field_that_nobody_can_change_is_code() {
    assert_eq!(
        answer("<p>Paste this:</p><textarea readonly>&lt;b&gt;\n  x</textarea>"),
        "Paste this:\n\n```\n<b>\n  x\n```"
    );
}

#[test]
fn numbers_of_lines_are_no_code() {
    let code = "<pre><code><span class=lineno>1 </span>make all\n<span class=lineno>2 </span>make run</code></pre>";

    assert_eq!(answer(code), "```\nmake all\nmake run\n```");
}

#[test]
fn raised_cents_are_decimals() {
    let prices =
        "<p>It costs $19<sup>.99</sup>, 24<sup>,90</sup> € or $11<sup>99</sup>, for 10<sup>12</sup> bytes.</p>";

    assert_eq!(answer(prices), "It costs $19.99, 24,90 € or $11.99, for 10¹² bytes.");
}

#[test]
fn a_question_mark_behind_bold_words_is_part_of_the_question() {
    let body = "<p><b>How do I pay</b>? By card.</p><p><b>Can I cancel</b>? Yes, any time.</p>";

    assert_eq!(pairs(body), of(&[("How do I pay?", "By card."), ("Can I cancel?", "Yes, any time.")]));
}

#[test]
fn declared_answers_are_found_by_name_and_by_vocabulary() {
    let script =
        |json: &str| format!("<h1>Shop</h1><p>Welcome to us.</p><script type='application/ld+json'>{json}</script>");
    let named = r##"{"@graph":[{"@type":"Question","name":"Is it new?","acceptedAnswer":{"@id":"#a"}},{"@id":"#a","text":"Yes."}]}"##;
    let prefixed =
        r#"{"@type":"schema:Question","schema:name":"Is it new?","schema:acceptedAnswer":{"schema:text":"Yes."}}"#;
    let escaped = r#"{&#x22;@type&#x22;:&#x22;Question&#x22;,&#x22;name&#x22;:&#x22;Is it new?&#x22;,&#x22;acceptedAnswer&#x22;:&#x22;Yes.&#x22;}"#;

    for json in [named, prefixed, escaped] {
        assert_eq!(pairs(&script(json)), of(&[("Is it new?", "Yes.")]), "{json}");
    }
}

#[test]
fn an_answer_that_breaks_off_is_completed() {
    let declared =
        r#"{"@type":"Question","name":"How do I pay?","acceptedAnswer":{"text":"By card, or by bank transfer."}}"#;
    let body = format!(
        "<details><summary>How do I pay?</summary><p>By card, or…</p></details><details><summary>Is it new?</summary>Yes.</details>\
         <script type='application/ld+json'>{declared}</script>"
    );
    let preview = "<div>You can pay by card, by bank...</div><div style='display:none'>You can pay by card, by bank or in cash.</div>";

    assert_eq!(pairs(&body), of(&[("How do I pay?", "By card, or by bank transfer."), ("Is it new?", "Yes.")]));
    assert_eq!(answer(preview), "You can pay by card, by bank or in cash.");
}

#[test]
fn a_form_around_a_short_page_is_no_form() {
    let body =
        "<form id=aspnetForm><h1>FAQ</h1><h2>How do I pay?</h2><p>By card.</p><h2>Is it new?</h2><p>Yes.</p></form>";

    assert_eq!(pairs(body), of(&[("How do I pay?", "By card."), ("Is it new?", "Yes.")]));
    assert!(extract::html(b"<p>Hello to all of you.</p><form><p>Search<input></p></form>", None, None).is_ok());
}
