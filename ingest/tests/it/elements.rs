//! Elements within pages as strangers write them: cells, formulas, icons, fields, tabs. Each test is one kind of page
//! from a public report, in our own words.

use crate::reading::{of, page, pairs, text};

#[test]
fn pictures_in_cells_are_their_values() {
    let row = |name: &str, basic: &str, pro: &str| format!("<tr><td>{name}<td>{basic}<td>{pro}");
    let table = row("Export", "<img src=n.svg alt=No>", "<img src=y.svg alt=Yes>")
        + &row("Mail", "<svg role=img aria-label='Not included'></svg>", "<svg><title>Included</title></svg>")
        + &row("Phone", "-", "<i class=ok title=yes></i>")
        + &row("Fax", "–", "<span class=material-icons>check</span>");

    let text = text(&page(&format!("<h1>Plans</h1><p>What each plan includes:</p><table>{table}</table>")));

    for line in ["Export | No | Yes", "Mail | Not included | Included", "Phone | - | yes", "Fax | – | ✓"] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn columns_that_are_named_give_the_questions_and_answers_of_a_table() {
    let row = |cells: [&str; 4]| format!("<tr><td>{}</tr>", cells.join("<td>"));
    let table = row(["No.", "Question", "Answer", "Owner"])
        + &row(["1", "How do I pay?", "By card.", "Ann"])
        + &row(["2", "Returns", "Within a week.", "Bob"]);

    let page = page(&format!("<h1>Shop</h1><table>{table}</table>"));

    assert_eq!(page.items.len(), 2);
    assert_eq!(text(&page), "How do I pay?\nBy card.\n\nReturns\nWithin a week.");
}

#[test]
fn formulas_are_written_on_one_line() {
    let body = "<h2>What is the rate?</h2><p>It is <math><mi>a</mi><mo>=</mo><mfrac><mn>1</mn><mrow><mi>b</mi>\
        <mo>+</mo>\
        <msup><mi>r</mi><mn>2</mn></msup></mrow></mfrac></math>.</p><h2>And in TeX?</h2><p>It is \
        <span class=katex><math>\
        <semantics><mrow><mi>x</mi></mrow><annotation>\\x</annotation></semantics></math><span aria-hidden=true>x\
        </span></span>.</p>";

    assert_eq!(pairs(body), of(&[("What is the rate?", "It is a = 1/(b + r²)."), ("And in TeX?", "It is x.")]));
}

#[test]
fn a_question_over_two_lines_is_read_whole() {
    let body =
        "<h3>How do I change<br>my address?</h3><p>In your account.</p><p><b>Can I<br>cancel?</b></p><p>Yes.</p>";
    let bold = "<p><b>Is it open<br>on Sunday?</b></p><p>Yes.</p><p><b>Do you deliver?</b></p><p>Yes, daily.</p>";

    assert_eq!(pairs(body), of(&[("How do I change my address?", "In your account."), ("Can I cancel?", "Yes.")]));
    assert_eq!(pairs(bold), of(&[("Is it open on Sunday?", "Yes."), ("Do you deliver?", "Yes, daily.")]));
}

#[test]
fn a_heading_over_two_lines_is_above_its_text() {
    let body =
        "<h1>Shop</h1><h3>Delivery to<br>other countries</h3><p>We deliver to all countries of the continent.</p>";

    assert!(text(&page(body)).contains("Delivery to > other countries"), "{}", text(&page(body)));
}

#[test]
fn a_dash_at_the_end_of_an_answer_is_a_value() {
    let body =
        "<h2>Is it included?</h2><table><tr><td>Mail<td>yes<tr><td>Log<td>-</table><h2>Is it new?</h2><p>Yes.</p>";

    assert_eq!(pairs(body)[0].1, "Mail | yes\n\nLog | -");
}

#[test]
fn words_of_icon_fonts_are_no_text() {
    let body = "<h2>How do I pay?<i class=material-icons>expand_more</i></h2><p>\
        <span class=material-symbols-outlined>add</span>\
        By card.</p><h2>Can I cancel?<mat-icon>expand_more</mat-icon></h2><p>Yes.</p>";

    assert_eq!(pairs(body), of(&[("How do I pay?", "By card."), ("Can I cancel?", "Yes.")]));
}

#[test]
fn words_against_robots_are_read_as_they_are_shown() {
    let body = "<h2>Where do I write?</h2><p>To help<span style='display:none'>nospam</span>@shop.example.</p>\
        <h2>Who answers?</h2><p>It is <span style='unicode-bidi:bidi-override; direction:rtl'>elpmaxe.a@nna</span>.</p>\
        <div style='display:none'><h2>Is it read?</h2><p>Yes.</p></div>";

    assert_eq!(
        pairs(body),
        of(&[
            ("Where do I write?", "To help@shop.example."),
            ("Who answers?", "It is ann@a.example."),
            ("Is it read?", "Yes.")
        ])
    );
}

#[test]
fn elements_of_a_page_within_a_sentence_leave_it_whole() {
    let body = "<h2>What does <brand-name>Acme</brand-name> cost?</h2><p>It costs <price-tag>9 €\
        </price-tag> a month.</p>\
        <h2>Is it new?</h2><p>Yes.</p>";

    assert_eq!(pairs(body), of(&[("What does Acme cost?", "It costs 9 € a month."), ("Is it new?", "Yes.")]));
}

#[test]
fn elements_for_slots_are_lines_of_their_own() {
    let body = "<faq-item><span slot=q>Where is it?</span><span slot=a>In Ulm.</span></faq-item>\
        <faq-item><span slot=q>What does it cost?</span><span slot=a>9 €.</span></faq-item>";

    assert_eq!(pairs(body), of(&[("Where is it?", "In Ulm."), ("What does it cost?", "9 €.")]));
}

#[test]
fn tabs_of_links_and_of_radio_buttons_stand_above_their_panels() {
    let links = "<div><ul class=tabs><li class=tabs-title><a href='#p1'>Linux</a></li><li class=tabs-title>\
        <a href='#p2'>Mac</a></li></ul>\
        <div class=tabs-content><div class=tabs-panel id=p1>Use apt.</div><div class=tabs-panel id=p2>Use brew.\
        </div></div></div>";
    let radios = "<div><input type=radio name=t id=t1><label for=t1>Linux</label><input type=radio name=t id=t2>\
        <label for=t2>Mac</label><div><section>Use apt.</section><section>Use brew.</section></div></div>";

    for tabs in [links, radios] {
        let body = format!("<h2>How do I update?</h2>{tabs}<h2>How do I stop?</h2><p>Press q.</p>");
        assert_eq!(pairs(&body)[0].1, "**Linux**\n\nUse apt.\n\n**Mac**\n\nUse brew.");
    }
}

#[test]
fn an_answer_goes_on_behind_the_questions_in_it() {
    let body = "<details><summary>How do I return it?</summary><p>Fill in the form.</p><details>\
        <summary>Where is the form?\
        </summary><p>In the box.</p></details><p>Then pay the costs.</p></details>\
        <details><summary>Can I cancel?</summary><p>Yes.</p></details>";

    assert_eq!(
        pairs(body),
        of(&[
            ("How do I return it?", "Fill in the form.\n\nThen pay the costs."),
            ("Where is the form?", "In the box."),
            ("Can I cancel?", "Yes.")
        ])
    );
}

#[test]
fn fields_in_a_text_are_read_as_they_are_shown() {
    let body = "<h2>How do I order?</h2><ul><li><input type=checkbox checked> Tick this</li><li>\
        <input type=checkbox> Leave that</li></ul>\
        <h2>Where do I pay?</h2><p>To <input readonly value='AT61 1904'> within a week.</p>";

    assert_eq!(
        pairs(body),
        of(&[("How do I order?", "- ☑ Tick this\n- ☐ Leave that"), ("Where do I pay?", "To AT61 1904 within a week.")])
    );
}

#[test]
fn lines_of_code_in_elements_are_one_block() {
    let body =
        "<h2>How do I start?</h2><pre><div>npm install</div><div>npm start</div></pre><h2>Is it new?</h2><p>Yes.</p>";

    assert_eq!(pairs(body)[0].1, "```\nnpm install\nnpm start\n```");
}

#[test]
fn questions_in_thai_need_no_mark() {
    let body = "<p><b>1. ชำระเงินอย่างไร</b></p><p>ด้วยบัตร</p><p><b>2. ยกเลิกได้หรือไม่</b></p><p>ได้</p>";

    assert_eq!(pairs(body), of(&[("ชำระเงินอย่างไร", "ด้วยบัตร"), ("ยกเลิกได้หรือไม่", "ได้")]));
}

#[test]
fn labels_that_only_their_style_sets_apart_are_removed() {
    let body = "<p><b>Q</b> Can I cancel?</p><p><b>A</b> Yes.</p><p><b>Q</b> Can I pay?</p><p><b>A</b> Sure.</p>";

    assert_eq!(pairs(body), of(&[("Can I cancel?", "Yes."), ("Can I pay?", "Sure.")]));
}

#[test]
fn a_word_in_a_slot_of_a_sentence_leaves_it_whole() {
    let item = |question: &str| {
        format!(
            "<x-cost><template shadowrootmode=open><h3>{question}</h3><p>It costs <slot name=n></slot> a month.\
             </p></template>\
             <span slot=n>9 €</span></x-cost>"
        )
    };

    assert_eq!(
        pairs(&(item("Is it cheap?") + &item("Is it dear?"))),
        of(&[("Is it cheap?", "It costs 9 € a month."), ("Is it dear?", "It costs 9 € a month.")])
    );
}

#[test]
fn badges_are_labels_however_they_are_marked_up() {
    let questions = [
        ("Can I cancel my order?", "Yes, until it ships."),
        ("Wo ist mein Paket?", "Im Konto."),
        ("返品できますか？", "七日以内にできます。"),
    ];
    let markups = [
        "<h3><span>Q</span>{q}</h3><p><span>A</span>{a}</p>",
        "<h3><i>Q2</i>{q}</h3><p><i>A2</i>{a}</p>",
        "<h3><span>Frage</span>{q}</h3><p><b>Antwort</b>{a}</p>",
        "<h3><img src=q.svg alt=Q>{q}</h3><p><img src=a.svg alt=A>{a}</p>",
        "<details><summary><em>問</em>{q}</summary><p><em>答</em>{a}</p></details>",
        "<div><div>Q</div><div>{q}</div></div><div><div>A</div><div>{a}</div></div>",
        "<div><span>Q.</span><p>{q}</p></div><div><span>A.</span><p>{a}</p></div>",
        "<table><tr><th>Q</th><td>{q}</td></tr><tr><th>A</th><td>{a}</td></tr></table>",
    ];
    for markup in markups {
        let item = |(question, answer): &(&str, &str)| markup.replace("{q}", question).replace("{a}", answer);
        let body: String = questions.iter().map(item).collect();

        assert_eq!(pairs(&body), of(&questions), "{markup}");
    }
}

#[test]
fn the_initials_of_words_and_the_values_of_tables_are_no_badges() {
    let body = "<h2>What is quince?</h2><p><span>Q</span>uince is a fruit.</p>\
        <h2>What is quark?</h2><p><span>Q</span>uark is a cheese.</p>\
        <h2>Who plays?</h2><table><tr><td>F<td>12<td>3</tr><tr><td>F<td>9<td>1</tr></table>";

    assert_eq!(
        pairs(body),
        of(&[
            ("What is quince?", "Quince is a fruit."),
            ("What is quark?", "Quark is a cheese."),
            ("Who plays?", "F | 12 | 3\n\nF | 9 | 1"),
        ])
    );
}

/// Three entries as strangers have them: the last title asks nothing, and its answer begins like a question.
const ENTRIES: [(&str, &str); 3] = [
    ("Can I cancel my order?", "Yes, until it has left our house."),
    ("How long does delivery take?", "Three days within the country."),
    ("Shipping to islands", "We ship to every island with a post office."),
];

fn assert_entries_of(markup: &str) {
    let item = |(at, (question, answer)): (usize, &(&str, &str))| {
        markup.replace("{q}", question).replace("{a}", answer).replace("{i}", &(at + 1).to_string())
    };
    let body: String = ENTRIES.iter().enumerate().map(item).collect();

    assert_eq!(pairs(&format!("<h1>FAQ</h1><p>What customers ask us.</p>{body}")), of(&ENTRIES), "{markup}");
}

#[test]
fn answers_that_begin_like_questions_are_answers() {
    for markup in [
        "<details><summary>{q}</summary><div><div class=text>{a}</div></div></details>",
        "<div class=item><strong class=question>{q}</strong> <p class=answer>{a}</p></div>",
        "<div class=faq><div class=q>{q}<span class=toggle>+</span></div><div class=a>{a}</div></div>",
        "<div class=row><p class=q>{q}</p><p class=a>{a}</p></div>",
        "<button type=button class=title>{q}</button><div class=panel><p class=body>{a}</p></div>",
    ] {
        assert_entries_of(markup);
    }
}

#[test]
fn parts_of_a_title_that_say_nothing_are_left_out() {
    for markup in [
        "<h3><span class=number>{i}</span>{q}</h3><p>{a}</p>",
        "<h3>{q} <button type=button class=copy>Copy link</button></h3><p>{a}</p>",
        "<div role=button aria-expanded=false><span role=img class=icon-right aria-label=right></span>\
         <span>{q}</span></div><div><p>{a}</p></div>",
    ] {
        assert_entries_of(markup);
    }
}

#[test]
fn the_panel_of_an_accordion_may_be_called_navigation() {
    assert_entries_of("<div class=drop><div class=toggle>{q}</div><nav class=list><p class=text>{a}</p></nav></div>");
}

#[test]
fn the_style_of_an_element_may_put_it_on_its_own_line() {
    assert_entries_of(
        "<div><span class=q style='display: block'>{q}</span><span class=a style='color:red;display:block'>{a}</span></div>",
    );
}

#[test]
fn answers_that_say_no_are_answers() {
    let questions = [
        ("Recogida en tienda", "No, no cobramos nada por recoger el pedido en la tienda."),
        ("Pago a plazos", "No, por ahora solo aceptamos un pago."),
        ("¿Envían a las islas?", "Sí, en cinco días."),
    ];
    let item =
        |(question, answer): &(&str, &str)| format!("<div><p class=q>{question}</p><p class=a>{answer}</p></div>");
    let body: String = questions.iter().map(item).collect();

    let found = pairs(&format!("<h1>Preguntas frecuentes</h1>{body}"));

    assert!(!found.iter().any(|(question, _)| question.starts_with("No,")), "{found:?}");
}
