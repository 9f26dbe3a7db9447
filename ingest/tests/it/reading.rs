//! Pages as strangers write them: controls, short facts, and text that is not content. Each test is one kind
//! of page from a public report, in our own words.

use helpbot_ingest::extract::{self, Item, Page};

pub(crate) fn page(body: &str) -> Page {
    let html = format!("<html lang=\"en\"><title>Help</title><body>{body}</body></html>");
    extract::html(html.as_bytes(), None, None).expect("a page")
}

pub(crate) fn pairs(body: &str) -> Vec<(String, String)> {
    let pair = |item: &Item| match item {
        Item::Pair { question, answer, .. } => (question.clone(), answer.clone()),
        Item::Passage { .. } => unreachable!("pairs() returns pairs"),
    };
    page(body).pairs().map(pair).collect()
}

pub(crate) fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(question, answer)| ((*question).to_owned(), (*answer).to_owned())).collect()
}

/// All text of a page as it is indexed.
pub(crate) fn text(page: &Page) -> String {
    let text = |item: &Item| match item {
        Item::Pair { question, answer, .. } => format!("{question}\n{answer}"),
        Item::Passage { heading, text, .. } => format!("{}\n{text}", heading.join(" > ")),
    };
    page.items.iter().map(text).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn plain_buttons_with_a_panel_are_questions_and_other_buttons_are_not() {
    let accordion = "<button class=acc>Is there a lift?</button><div><p>At gate 3.</p></div>\
        <button class=acc>Can I bring a dog?</button><div><p>A small one.</p></div><p><button>Write to us</button></p>";
    let terms = "<dl><dt><button>Is it free?</button></dt><dd>For children.</dd>\
        <dt><button>Is it open?</button></dt><dd>All year.</dd></dl>";

    assert_eq!(pairs(accordion), of(&[("Is there a lift?", "At gate 3."), ("Can I bring a dog?", "A small one.")]));
    assert_eq!(pairs(terms), of(&[("Is it free?", "For children."), ("Is it open?", "All year.")]));
}

#[test]
fn tabs_stand_above_their_panels() {
    let tabs = "<h2>How do I update?</h2><div><div role=tablist><span role=tab>Linux</span><span role=tab>Mac</span></div>\
        <div role=tabpanel>Use apt.</div><div role=tabpanel>Use brew.</div></div><h2>How do I stop?</h2><p>Press q.</p>";

    assert_eq!(pairs(tabs)[0].1, "**Linux**\n\nUse apt.\n\n**Mac**\n\nUse brew.");
}

#[test]
fn slots_of_a_shadow_root_are_filled() {
    let item = |question: &str, answer: &str| {
        format!(
            "<x-faq><template shadowrootmode=open><h3><slot name=q></slot></h3><slot></slot></template>\
             <b slot=q>{question}</b><p>{answer}</p></x-faq>"
        )
    };

    let found = pairs(&(item("Where is it?", "In Ulm.") + &item("Who runs it?", "A club.")));

    assert_eq!(found, of(&[("Where is it?", "In Ulm."), ("Who runs it?", "A club.")]));
}

#[test]
fn a_question_in_greek_ends_with_a_semicolon() {
    let found = pairs("<p>Πού είστε;</p><p>Στη Χίο.</p><p>Πότε ανοίγετε;</p><p>Στις εννέα.</p>");

    assert_eq!(found, of(&[("Πού είστε;", "Στη Χίο."), ("Πότε ανοίγετε;", "Στις εννέα.")]));
}

#[test]
fn short_sections_are_kept_under_their_heading() {
    let text = text(&page("<h1>Contact</h1><h2>Fax</h2><p>0731 55</p><h2>Desk</h2><p>Floor 7</p>"));

    assert!(text.contains("Contact > Fax\n0731 55") && text.contains("Contact > Desk\nFloor 7"), "{text}");
}

#[test]
fn cookie_notices_and_votes_are_no_content() {
    let body = "<div class=\"acme-cookie-banner\"><h2>Cookies on this site?</h2><p>We use cookies to count visits.</p>\
        <button>Accept</button></div><h1>Library</h1><h2>Who can join?</h2><p>Everyone in town.</p>\
        <h2>What does it cost?</h2><p>Nothing.</p><h2>Was this page helpful?</h2><p>Yes No</p><p>9 of 12 found it helpful</p>";

    assert_eq!(pairs(body), of(&[("Who can join?", "Everyone in town."), ("What does it cost?", "Nothing.")]));
    assert!(!text(&page(body)).contains("cookies"));
}

#[test]
fn a_container_that_is_called_a_menu_may_be_content() {
    let filler = "<p>A long introduction to the house, its garden, its rooms and its history since 1899.</p>".repeat(4);
    let body = format!(
        "<h1>Inn</h1>{filler}<div class=menu><h2>Dinner</h2><p>Trout with potatoes from the garden 21 euros</p><p>Soup of the day with bread 6 euros</p></div>"
    );

    assert!(text(&page(&body)).contains("Trout with potatoes"));
}

#[test]
fn clauses_with_letters_are_no_questions() {
    let clauses = "<p>a. The guest pays first.</p><p>d. The host keeps the key.</p><p>e. The room is kept clean.</p>\
        <p>f. Pets stay at home.</p><p>r. Smoking is not allowed.</p>";

    assert_eq!(pairs(clauses), []);
}

#[test]
fn json_ld_with_common_faults_is_read() {
    let script = |json: &str| {
        format!("<h1>Shop</h1><p>Welcome to our shop.</p><script type=\"application/ld+json\">{json}</script>")
    };
    let entry = r#"{"@type":"Question","name":"Is it new?","acceptedAnswer":{"@type":"Answer","text":"Yes."}}"#;
    let wanted = of(&[("Is it new?", "Yes.")]);

    assert_eq!(pairs(&script(&format!("{{\"@type\":\"FAQPage\",\"mainEntity\":[{entry},]}}"))), wanted);
    assert_eq!(pairs(&script(&entry.replace('"', "&quot;"))), wanted);
    assert_eq!(pairs(&script(&format!("/* faq */ {entry};"))), wanted);
}

#[test]
fn titles_within_a_paragraph_divide_it() {
    let body = "<h1>Rules</h1><p><b>Bikes.</b> They stay in the yard. <b>Bins!</b> On Mondays. <b>Noise.</b> Not after ten.</p>";

    assert!(text(&page(body)).contains("Rules > Bins!\nOn Mondays."));
}

#[test]
fn a_page_that_only_scripts_fill_differs_from_an_empty_one() {
    assert_eq!(
        extract::html(b"<div id=app></div><script src=a.js></script>", None, None),
        Err(extract::ExtractError::NeedsScripts)
    );
    assert_eq!(extract::html(b"<div></div>", None, None), Err(extract::ExtractError::Empty));
}

#[test]
fn tabs_by_class_stand_above_their_panels() {
    let buttons = "<h2>How do I update?</h2><div><div class=tab><button class=tablinks>Linux</button>\
        <button class=tablinks>Mac</button></div><div class=tabcontent>Use apt.</div><div class=tabcontent>Use brew.</div></div>\
        <h2>How do I stop?</h2><p>Press q.</p>";
    let list = "<h2>How do I update?</h2><div><ul class=tabs__list><li>Linux</li><li>Mac</li></ul>\
        <div class=tabs__panel>Use apt.</div><div class=tabs__panel>Use brew.</div></div><h2>How do I stop?</h2><p>Press q.</p>";

    for page in [buttons, list] {
        assert_eq!(pairs(page)[0].1, "**Linux**\n\nUse apt.\n\n**Mac**\n\nUse brew.");
    }
}

#[test]
fn the_fallback_of_a_filled_slot_is_no_text() {
    let item = |question: &str| {
        format!(
            "<x-faq><template shadowrootmode=open><details><summary><slot name=q>Loading</slot></summary><slot></slot>\
             </details></template><span slot=q>{question}</span><p>In Ulm.</p></x-faq>"
        )
    };

    assert_eq!(
        pairs(&(item("Where is it?") + &item("Where are you?"))),
        of(&[("Where is it?", "In Ulm."), ("Where are you?", "In Ulm.")])
    );
}

#[test]
fn an_answer_that_is_a_video_links_to_it() {
    let body = "<h1>Help</h1><h2>How do I fold it?</h2><iframe src='https://www.youtube.com/embed/a1' title='Folding'></iframe>\
        <h2>How do I open it?</h2><p>Press here.</p><iframe src='https://www.youtube.com/embed/b2'></iframe>";

    assert_eq!(
        pairs(body),
        of(&[
            ("How do I fold it?", "[Folding](https://www.youtube.com/watch?v=a1)"),
            ("How do I open it?", "Press here.")
        ])
    );
}

#[test]
fn text_that_is_raised_by_style_is_raised() {
    let body = "<h2>How big is it?</h2><p>2 m<span style='vertical-align: super'>2</span>, 10<span style='vertical-align:super'>4</span> W</p>\
        <h2>Is it heavy?</h2><p>No.</p>";

    assert_eq!(pairs(body)[0].1, "2 m², 10⁴ W");
}

#[test]
fn roman_numbers_and_marks_of_footnotes_are_no_part_of_a_question() {
    let body = "<h3>I. Where is it?</h3><p>Here.</p><h3>IV. Who pays?<sup><a href='#f1'>1</a></sup></h3><p>You.</p>";

    assert_eq!(pairs(body), of(&[("Where is it?", "Here."), ("Who pays?", "You.")]));
}

#[test]
fn a_list_of_questions_that_the_page_answers_is_no_answer() {
    let body = "<h1>Help</h1><h2>Common questions</h2><ul><li>How do I pay?</li><li>Where is it?</li></ul>\
        <h2>How do I pay?</h2><p>By card.</p><h2>Where is it?</h2><p>In Ulm.</p>";

    assert_eq!(pairs(body), of(&[("How do I pay?", "By card."), ("Where is it?", "In Ulm.")]));
}

#[test]
fn a_list_of_topics_that_ask_has_no_answers() {
    let body = "<h1>Course</h1><p>This module has the following parts, in the order in which they are taught.</p>\
        <ul><li>What is a product?</li><li>Timescales</li><li>Who is involved?</li><li>Case study</li></ul>";

    assert_eq!(pairs(body), []);
}

#[test]
fn votes_and_invitations_are_left_out_in_many_languages() {
    let prompts = "<h2>War dieser Beitrag hilfreich?</h2><p>31 von 44 fanden dies hilfreich</p>\
        <h2>Czy ten artykuł był pomocny?</h2><p>Tak Nie</p><h2>Была ли эта статья полезной?</h2><p>Да Нет</p>\
        <h2>¿Tiene más preguntas?</h2><p>Enviar una solicitud</p><h2>Was it good?</h2><p>Yes No</p>";
    let body = format!("<h1>Help</h1><h2>Who pays?</h2><p>You.</p><h2>Is it free?</h2><p>No.</p>{prompts}");

    assert_eq!(pairs(&body), of(&[("Who pays?", "You."), ("Is it free?", "No.")]));
}

#[test]
fn consent_banners_are_left_out_by_prefix_and_label() {
    let notices = "<div class='wp-gdpr-banner'><p>Usamos ficheiros de terceiros.</p></div>\
        <section aria-label='Cookie consent'><p>We and our partners store files.</p></section>\
        <div class='fr-consent-banner'><p>Nous utilisons des traceurs.</p></div>";
    let body =
        format!("{notices}<h1>Privacy</h1><div class='privacy-notice'><p>We keep your address for a year.</p></div>");

    let text = text(&page(&body));

    assert!(
        text.contains("for a year") && !["terceiros", "partners", "traceurs"].iter().any(|word| text.contains(word)),
        "{text}"
    );
}

#[test]
fn a_footer_that_is_most_of_a_small_page_gives_its_facts() {
    let page = page(
        "<h1>Salon</h1><p>We cut hair.</p><div class='site-footer'><p>Mon-Fri 9am-6pm</p><p>Call 0113 496 0000</p></div>",
    );

    let facts: Vec<String> = page.facts.iter().map(Item::answer_text).collect();
    assert_eq!(facts, ["Mon-Fri 9am-6pm\nCall 0113 496 0000"]);
}

#[test]
fn paragraphs_in_cells_stay_in_their_row() {
    let row = |cells: [&str; 2]| format!("<tr><td><p>{}</p></td><td><p>{}</p></td></tr>", cells[0], cells[1]);
    let table = row(["Food", "Calories"]) + &row(["Leaves", "50"]);

    let text = text(&page(&format!(
        "<h1>Duck</h1><p>What a respectful duck could eat in the summer:</p><table>{table}</table>"
    )));

    assert!(text.contains("Food | Calories\n\nLeaves | 50"), "{text}");
}

#[test]
fn json_ld_that_is_escaped_twice_or_cut_off_is_read() {
    let script =
        |json: &str| format!("<h1>Shop</h1><p>Welcome.</p><script type=\"application/ld+json\">{json}</script>");
    let wanted = of(&[("Is it new?", "Yes, and **good**.")]);

    let twice = r#"{"@type":"Question","name":"Is it new?","acceptedAnswer":{"text":"&lt;p&gt;Yes, and &lt;b&gt;good&lt;/b&gt;.&lt;/p&gt;"}}"#;
    let quotes = r#"{'@type':'Question','name':'Is it new?','acceptedAnswer':{'text':'<p>Yes, and <b>good</b>.</p>'}}"#;
    let cut = r#"{"@graph":[{"@type":"Question","name":"Is it new?","acceptedAnswer":{"@list":[{"text":["<p>Yes, and <b>good</b>."]}]}}"#;
    for json in [twice, quotes, cut] {
        assert_eq!(pairs(&script(json)), wanted, "{json}");
    }
}

#[test]
fn frames_that_load_later_and_pages_in_objects_are_frames() {
    let base = url::Url::parse("https://a.example/").expect("a URL");
    let html = "<h1>Practice</h1><iframe src='about:blank' data-src='/faq.html'></iframe><object type='text/html' data='/more.html'></object>";

    let page = extract::html(html.as_bytes(), None, Some(&base)).expect("a page");

    let paths: Vec<&str> = page.frames.iter().map(url::Url::path).collect();
    assert_eq!(paths, ["/faq.html", "/more.html"]);
}

#[test]
fn a_title_that_repeats_the_question_is_no_part_of_the_answer() {
    let item = |question: &str| {
        format!("<details><summary>{question}</summary><h3>{question}</h3><p>Since 2.59.</p></details>")
    };

    assert_eq!(
        pairs(&(item("Is it supported?") + &item("Is it stable?"))),
        of(&[("Is it supported?", "Since 2.59."), ("Is it stable?", "Since 2.59.")])
    );
}
