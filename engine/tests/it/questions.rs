//! Questions in which one word decides: acronyms, codes, compounds, countries, negation, versions.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::support::{ask, faq};
use helpbot_domain::conversation::Outcome;
use helpbot_engine::{Answer, Chunk, Engine, EngineSettings, Exchange, Index};

fn index(language: &str, entries: &[(&str, &str, &str)]) -> Index {
    let chunk = |((heading, question, text), number): (&(&str, &str, &str), u128)| Chunk {
        heading: if heading.is_empty() { Vec::new() } else { vec![(*heading).to_owned()] },
        ..faq(number, question, text)
    };
    Index::build(entries.iter().zip(1..).map(chunk).collect(), Some(language))
}

async fn answer(index: &Index, question: &str, earlier: &[&str]) -> Answer {
    let mut ask = ask(question);
    let exchange = |question: &&str| Exchange { question: (*question).to_owned(), answer: "…".to_owned() };
    ask.history = earlier.iter().map(exchange).collect();
    Engine::new(EngineSettings::default()).answer(index, &ask, None).await.unwrap()
}

async fn assert_answered(index: &Index, question: &str, with: &str) {
    let answer = answer(index, question, &[]).await;
    assert_eq!(answer.outcome, Outcome::Answered, "{question}: {}", answer.text);
    assert!(answer.text.contains(with), "{question}: {}", answer.text);
}

fn machine() -> Index {
    index(
        "en",
        &[
            ("", "What does fault F-17 mean?", "The filter is full. Rinse it."),
            ("", "What does fault F-71 mean?", "The lid is open. Press it down."),
            ("", "How do I clean the drum?", "Run an empty cycle with vinegar."),
            ("", "Where can I buy spare parts?", "From our shop in Leeds."),
            ("", "Do you offer remote diagnosis over the air?", "Yes, if the machine has a network module."),
            ("", "Do you repair machines abroad?", "Yes, in France, Spain and Italy."),
        ],
    )
}

#[tokio::test]
async fn a_code_meets_its_entry_and_an_unknown_code_is_not_answered() {
    let index = machine();

    assert_answered(&index, "the display shows F71", "lid is open").await;
    assert_answered(&index, "What does fault F-17 mean?", "filter is full").await;
    assert_ne!(answer(&index, "What does fault F-99 mean?", &[]).await.outcome, Outcome::Answered);
}

#[tokio::test]
async fn a_country_that_an_entry_does_not_list_is_not_answered() {
    let index = machine();

    assert_answered(&index, "Do you repair machines in Spain?", "France, Spain").await;
    assert_ne!(answer(&index, "Do you repair machines in Norway?", &[]).await.outcome, Outcome::Answered);
}

#[tokio::test]
async fn a_compound_is_found_by_its_parts() {
    let index = index(
        "de",
        &[
            ("", "Was kostet der Parkausweis?", "Dreißig Euro im Jahr."),
            ("", "Wo liegt die Abfahrtsstelle der Fähre?", "Am alten Hafen."),
            ("", "Wann ist die Bücherei geöffnet?", "Täglich bis acht Uhr abends."),
            ("", "Darf ich Hunde mitbringen?", "Nur an der Leine."),
        ],
    );

    assert_answered(&index, "Ausweis zum Parken", "Dreißig Euro").await;
}

#[tokio::test]
async fn the_heading_that_a_question_names_decides_between_equal_questions() {
    let index = index(
        "en",
        &[
            ("Kettle", "How do I descale it?", "With citric acid."),
            ("Toaster", "How do I descale it?", "A toaster needs no descaling."),
            ("Kettle", "How long is the cable?", "One meter."),
            ("Toaster", "How long is the cable?", "Eighty centimeters."),
        ],
    );

    let kettle = answer(&index, "How do I descale the kettle?", &[]).await;
    let cable = answer(&index, "And the cable length?", &["How do I descale the toaster?"]).await;

    assert!(kettle.text.contains("citric") && !kettle.text.contains("toaster needs"), "{}", kettle.text);
    assert_eq!(cable.explain.retrieval.unwrap().candidates[0].chunk.text, "Eighty centimeters.");
}

#[tokio::test]
async fn a_negated_question_gets_the_entry_that_states_the_negation() {
    let index = index(
        "en",
        &[
            ("", "What can I bring into the museum?", "Small bags and cameras."),
            ("", "What can I not bring into the museum?", "Umbrellas, food and drinks."),
            ("", "When does the museum open?", "At ten."),
            ("", "Where are the lockers?", "Beside the entrance."),
        ],
    );

    assert_answered(&index, "Which things can't I bring into the museum?", "Umbrellas").await;
    assert_answered(&index, "What can I bring into the museum?", "cameras").await;
}

#[tokio::test]
async fn the_newer_of_two_dated_pages_answers() {
    let mut chunks = Vec::new();
    for (number, year, price) in [(1, "2022", "Three pounds."), (2, "2025", "Five pounds.")] {
        let page_title = Some(format!("Tickets {year}"));
        let url = Some(format!("https://pool.example/tickets-{year}"));
        chunks.push(Chunk { page_title, url, ..faq(number, "How much is a swim?", price) });
    }
    chunks.push(faq(3, "Is there a sauna?", "Yes, on the first floor."));

    let answer = answer(&Index::build(chunks, Some("en")), "How much is a swim?", &[]).await;

    assert_eq!(answer.text, "**Tickets 2025**\n\nFive pounds.");
}

#[tokio::test]
async fn the_row_of_a_table_that_was_asked_for_is_given_with_the_header() {
    let rows: Vec<String> = (1..60).map(|zone| format!("| Zone {zone} | {zone}.50 euros | {zone} hours |")).collect();
    let table = format!("| Area | Price | Duration |\n|---|---|---|\n{}", rows.join("\n"));
    let mut chunks = vec![faq(1, "What does a bus ticket cost?", &format!("Prices by area:\n\n{table}"))];
    chunks.push(faq(2, "Where do the buses stop?", "At the market square."));

    let answer = answer(&Index::build(chunks, Some("en")), "What does a bus ticket for zone 47 cost?", &[]).await;

    assert!(answer.text.contains("| Area | Price | Duration |") && answer.text.contains("47.50"), "{}", answer.text);
    assert!(!answer.text.contains("| Zone 12 |"), "{}", answer.text);
}

#[tokio::test]
async fn a_word_that_made_another_stemmer_panic_is_indexed() {
    let index = index("el", &[("", "Τι σημαίνει ισαισα;", "Τίποτα."), ("", "Πότε ανοίγετε;", "Στις εννέα.")]);

    assert_answered(&index, "Τι σημαίνει ισαισα;", "Τίποτα").await;
}

#[tokio::test]
async fn an_acronym_finds_an_entry_that_writes_the_words() {
    let index = index(
        "en",
        &[
            ("", "Is there an application programming interface?", "Yes, with keys for each team."),
            ("", "What does the service level agreement promise?", "An uptime of 99.95 percent."),
            ("", "Do you support single sign-on?", "Yes, with all common identity providers."),
            ("", "Where are the servers?", "In two data centers in Finland."),
        ],
    );

    assert_answered(&index, "do you have an API", "keys for each team").await;
    assert_answered(&index, "what is your SLA", "99.95").await;
    assert_answered(&index, "SSO?", "identity providers").await;
}

#[tokio::test]
async fn the_part_of_a_long_answer_that_was_asked_about_is_shown() {
    let countries =
        ["Austria", "Belgium", "Croatia", "Denmark", "Estonia", "Finland", "Greece", "Hungary", "Latvia", "Norway"];
    let fee = |(at, country): (usize, &&str)| {
        format!(
            "For citizens of {country} the visa costs {} dollars and is issued within {} days. The form is sent by post or \
             handed in at the consulate in the capital.",
            20 + at * 3,
            at + 2
        )
    };
    let fees = countries.iter().enumerate().map(fee).collect::<Vec<_>>().join("\n\n");
    let index = index(
        "en",
        &[
            ("", "What are the visa fees?", &fees),
            ("", "Who needs a visa?", "Everybody who stays longer than a month."),
            ("", "How long is a visa valid?", "Half a year."),
        ],
    );

    assert_answered(&index, "How much is a visa for citizens of Norway?", "47 dollars").await;
    assert_answered(&index, "visa fee for Latvia", "44 dollars").await;
}

#[tokio::test]
async fn short_and_misspelled_questions_find_their_entry() {
    let index = index(
        "de",
        &[
            ("", "Kann ich Ware umtauschen?", "Ja, binnen 14 Tagen mit dem Kassenzettel."),
            ("", "Wie kann ich bezahlen?", "Mit Karte, PayPal oder Rechnung."),
            ("", "Wie lange dauert der Versand?", "Zwei bis drei Werktage."),
            ("", "Haben Sie ein Ladengeschäft?", "Ja, in der Ulmer Gasse 3."),
        ],
    );

    assert_answered(&index, "umtausch", "14 Tagen").await;
    assert_answered(&index, "versandt dauer", "Werktage").await;
    assert_answered(&index, "bezalen mit paypal?", "Rechnung").await;
    assert_ne!(answer(&index, "Verkauft ihr Elefanten?", &[]).await.outcome, Outcome::Answered);
}
