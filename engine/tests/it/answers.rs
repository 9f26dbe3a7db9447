//! What a visitor reads, without a model server: answers, suggestions, honest silence.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::support::{Received, ask, faq, shop, shop_chunks};
use helpbot_domain::conversation::Outcome;
use helpbot_engine::engine::Composer;
use helpbot_engine::{Answer, Chunk, ChunkKind, Engine, EngineError, EngineSettings, Exchange, Index};

async fn answer(index: &Index, question: &str) -> Answer {
    Engine::new(EngineSettings::default()).answer(index, &ask(question), None).await.unwrap()
}

#[tokio::test]
async fn a_paraphrase_gets_the_entry_and_its_source() {
    let answer = answer(&shop(), "I forgot my pasword").await;

    assert_eq!(answer.outcome, Outcome::Answered);
    assert!(answer.text.starts_with("Click on Forgot password"), "{}", answer.text);
    assert_eq!(answer.citations.len(), 1);
    assert_eq!(answer.citations[0].url.as_deref(), Some("https://shop.example/faq#6"));
    assert_eq!(answer.citations[0].title, "Questions and answers");
    assert!(answer.text.contains(&answer.citations[0].quote));
    assert_eq!(answer.explain.composer, Composer::Extractive);
}

#[tokio::test]
async fn what_the_site_does_not_say_is_declined_in_the_language_asked_for() {
    let engine = Engine::new(EngineSettings::default());
    let mut ask = ask("Who won the world cup in 1998?");
    ask.language = Some("de-AT".to_owned());

    let answer = engine.answer(&shop(), &ask, None).await.unwrap();

    assert_eq!(answer.outcome, Outcome::Declined);
    assert_eq!(answer.language, "de");
    assert_eq!(answer.text, helpbot_engine::fallback("de"));
    assert!(answer.citations.is_empty());
}

#[tokio::test]
async fn a_site_may_say_its_own_sentence_when_it_does_not_know() {
    let engine = Engine::new(EngineSettings::default());
    let mut ask = ask("Who won the world cup in 1998?");
    for (own, said) in [(Some("Call us: 030 123."), "Call us: 030 123."), (Some(" "), helpbot_engine::fallback("en"))] {
        ask.settings.fallback_text = own.map(str::to_owned);

        let answer = engine.answer(&shop(), &ask, None).await.unwrap();

        assert_eq!((answer.outcome, answer.text.as_str()), (Outcome::Declined, said));
    }
}

#[tokio::test]
async fn a_similar_question_is_suggested_and_not_answered() {
    let engine = Engine::new(EngineSettings::default());
    let mut ask = ask("Do you ship to Japan by boat?");
    ask.settings.target_precision = 0.95;

    let answer = engine.answer(&shop(), &ask, None).await.unwrap();

    assert_eq!(answer.outcome, Outcome::Suggested);
    assert!(answer.citations.is_empty());
    assert_eq!(answer.suggestions[0], "Do you ship to Austria?");
    assert!(answer.suggestions.len() <= 3);
    assert!(answer.text.contains("\n- Do you ship to Austria?"));
}

#[tokio::test]
async fn a_follow_up_is_understood_from_the_question_before() {
    let engine = Engine::new(EngineSettings::default());
    let mut ask = ask("and on Sundays?");
    ask.history.push(Exchange {
        question: "What are your opening hours?".to_owned(),
        answer: "The shop is open Monday to Friday.".to_owned(),
    });

    let answer = engine.answer(&shop(), &ask, None).await.unwrap();

    assert_eq!(answer.outcome, Outcome::Answered);
    assert!(answer.text.contains("Sunday from 10 to 16"), "{}", answer.text);
}

#[tokio::test]
async fn a_new_subject_is_not_answered_with_the_old_one() {
    let engine = Engine::new(EngineSettings::default());
    let mut ask = ask("Who is your chief executive?");
    ask.history.push(Exchange { question: "How do I return an item?".to_owned(), answer: "Send it back.".to_owned() });

    let answer = engine.answer(&shop(), &ask, None).await.unwrap();

    assert_ne!(answer.outcome, Outcome::Answered, "{}", answer.text);
}

#[tokio::test]
async fn small_talk_is_answered_in_kind_and_counts_as_no_question() {
    let answer = answer(&shop(), "Vielen Dank!").await;

    assert_eq!(answer.outcome, Outcome::SmallTalk);
    assert_eq!(answer.language, "de");
    assert!(answer.explain.retrieval.is_none());
}

#[tokio::test]
async fn an_empty_question_is_refused_and_an_empty_site_declines() {
    let engine = Engine::new(EngineSettings::default());

    assert_eq!(engine.answer(&shop(), &ask("  "), None).await.unwrap_err(), EngineError::EmptyQuestion);
    assert_eq!(answer(&Index::build(Vec::new(), None), "Where is my order?").await.outcome, Outcome::Declined);
}

#[tokio::test]
async fn different_answers_to_one_question_are_both_given_and_cited() {
    let mut chunks = shop_chunks();
    let mut other = faq(99, "Is there a warranty?", "The warranty is one year.");
    other.url = Some("https://shop.example/old-terms".to_owned());
    other.page_title = Some("Old terms".to_owned());
    chunks.push(other);

    let answer = answer(&Index::build(chunks, Some("en")), "Is there a warranty?").await;

    assert_eq!(answer.outcome, Outcome::Answered);
    assert!(answer.text.contains("two years") && answer.text.contains("one year"), "{}", answer.text);
    assert!(answer.text.contains("**Old terms**"));
    assert_eq!(answer.citations.len(), 2);
}

#[tokio::test]
async fn the_same_answer_on_two_pages_is_given_once_and_cited_twice() {
    let mut chunks = shop_chunks();
    let mut copy = chunks[8].clone();
    copy.id = faq(99, "", "").id;
    copy.url = Some("https://shop.example/copy".to_owned());
    chunks.push(copy);

    let answer = answer(&Index::build(chunks, Some("en")), "Is there a warranty?").await;

    assert_eq!(answer.text.matches("two years").count(), 1);
    assert_eq!(answer.citations.len(), 2);
}

#[tokio::test]
async fn a_long_passage_gives_its_matching_sentences_and_a_link_to_the_rest() {
    let filler: String = (0..10).map(|i| format!("Paragraph {i} speaks about the history of the company. ")).collect();
    let text = format!("{filler}Our coffee machine must be descaled every three months. {filler}");
    let passage = Chunk {
        kind: ChunkKind::Passage,
        question: None,
        heading: vec!["Manual".to_owned(), "Care".to_owned()],
        ..faq(50, "", &text)
    };
    let mut chunks = shop_chunks();
    chunks.push(passage);
    let index = Index::build(chunks, Some("en"));
    let engine = Engine::new(EngineSettings::default());
    let mut ask = ask("How often must the coffee machine be descaled?");
    ask.settings.target_precision = 0.5;

    let answer = engine.answer(&index, &ask, None).await.unwrap();

    assert!(answer.text.starts_with("**Care**\n\n"), "{}", answer.text);
    assert!(answer.text.contains("descaled every three months."));
    assert!(answer.text.ends_with("→ [Care](https://shop.example/faq#50)"));
    assert!(answer.text.chars().count() < 1000);
}

/// The shop with an entry of this number of sentences, with or without an address.
fn shop_with_long_entry(sentences: usize, url: Option<&str>) -> Index {
    let text: String = (0..sentences).map(|i| format!("Step {i} of the cleaning takes one minute. ")).collect();
    let mut chunks = shop_chunks();
    chunks.push(Chunk { url: url.map(str::to_owned), ..faq(60, "How do I clean the coffee grinder?", text.trim()) });
    Index::build(chunks, Some("en"))
}

#[tokio::test]
async fn an_entry_without_a_page_is_given_completely_and_a_cut_is_always_marked() {
    let question = "How do I clean the coffee grinder?";
    let text = async |sentences, url| answer(&shop_with_long_entry(sentences, url), question).await.text;

    let whole = text(60, None).await;
    let endless = text(400, None).await;
    let linked = text(60, Some("https://shop.example/clean")).await;
    let unlinkable = text(60, Some("file (1).csv")).await;

    assert!(whole.ends_with("Step 59 of the cleaning takes one minute."), "{whole}");
    assert_eq!(unlinkable, whole);
    assert!(endless.ends_with("minute. …") && (3_900..=4_002).contains(&endless.chars().count()), "{endless}");
    assert!(linked.ends_with("](https://shop.example/clean)") && linked.chars().count() < 1_000, "{linked}");
}

#[tokio::test]
async fn a_cut_passage_of_a_file_ends_with_a_sign_of_it() {
    let filler: String = (0..20).map(|i| format!("Paragraph {i} speaks about the history of the company. ")).collect();
    let text = format!("{filler}Our coffee machine must be descaled every three months. {filler}");
    let mut chunks = shop_chunks();
    let passage = faq(50, "", &text);
    chunks.push(Chunk { kind: ChunkKind::Passage, question: None, url: None, heading: vec!["Care".into()], ..passage });

    let index = Index::build(chunks, Some("en"));
    let engine = Engine::new(EngineSettings::default());
    let mut ask = ask("How often must the coffee machine be descaled?");
    ask.settings.target_precision = 0.5;
    let answer = engine.answer(&index, &ask, None).await.unwrap();

    assert!(answer.text.contains("descaled every three months.") && answer.text.ends_with(". …"), "{}", answer.text);
}

#[tokio::test]
async fn pieces_of_one_section_that_match_alike_are_given_together_in_its_order_under_one_heading() {
    let piece = |number, text: &str| Chunk {
        kind: ChunkKind::Passage,
        question: None,
        heading: vec!["Manual".to_owned(), "Care".to_owned()],
        url: Some("https://shop.example/manual".to_owned()),
        ..faq(number, "", text)
    };
    let mut chunks = shop_chunks();
    chunks.push(piece(50, "Descale the coffee machine with citric acid, at least every three months."));
    chunks.push(piece(51, "Descale the coffee machine sooner when the water is hard, every four weeks."));

    let answer = answer(&Index::build(chunks, Some("en")), "How do I descale the coffee machine?").await;

    assert_eq!(
        answer.text,
        "**Care**\n\nDescale the coffee machine with citric acid, at least every three months.\n\n\
         Descale the coffee machine sooner when the water is hard, every four weeks."
    );
    assert_eq!(answer.citations.len(), 2);
}

#[tokio::test]
async fn images_and_tags_of_a_page_are_in_no_answer_and_escaped_signs_in_no_quote() {
    let text =
        r"All devices have a warranty\* of two years. ![seal](https://evil.example/p.png) <img src=x>\*Not \<used\>.";
    let mut chunks = shop_chunks();
    chunks[8].text = text.to_owned();

    let answer = answer(&Index::build(chunks, Some("en")), "Is there a warranty?").await;

    assert_eq!(answer.text, r"All devices have a warranty\* of two years. seal \*Not \<used\>.");
    assert_eq!(answer.citations[0].quote, "All devices have a warranty* of two years. seal *Not <used>.");
}

#[tokio::test]
async fn a_citation_quotes_the_sentence_that_answers_and_leads_to_it() {
    let mut chunks = shop_chunks();
    chunks[3].text =
        "Our shop is in the old town. On Saturday and Sunday it is open from 10 to 16.\n\n- **Monday** to \
        Friday: 9 to 18\n- Holidays: closed"
            .to_owned();
    chunks[8].url = Some("https://shop.example/terms.pdf#page=2".to_owned());
    chunks[4].text = "Yes. It is due in 14 days.".to_owned();
    chunks[9].page_title = Some("Written answers".to_owned());
    let index = Index::build(chunks, Some("en"));
    let page = "https://shop.example/faq";

    for (question, quote, fragment) in [
        (
            "When is the shop open on Sunday?",
            "On Saturday and Sunday it is open from 10 to 16.",
            Some(format!("{page}#4:~:text=On%20Saturday%20and%20Sunday%20it%20is%20open%20from%2010%20to%2016.")),
        ),
        (
            "What are your opening hours on Monday to Friday?",
            "Monday to Friday: 9 to 18",
            Some(format!("{page}#4:~:text=Monday%20to%20Friday%3A%209%20to%2018")),
        ),
        (
            "Can I pay by invoice?",
            "Yes. It is due in 14 days.",
            Some(format!("{page}#5:~:text=Yes.%20It%20is%20due%20in%2014%20days.")),
        ),
        ("Is there a warranty?", "All devices have a warranty of two years from the day of purchase.", None),
        (
            "Do you have gift vouchers?",
            "Vouchers from 10 to 500 EUR are sold in the shop and online, and never expire.",
            None,
        ),
    ] {
        let answer = answer(&index, question).await;

        let cited = answer.citations.first().unwrap_or_else(|| panic!("{question}: {}", answer.text));
        assert_eq!((cited.quote.as_str(), &cited.text_fragment), (quote, &fragment), "{question}");
    }
}

#[tokio::test]
async fn the_sink_gets_the_text_of_the_answer() {
    let received = Received::default();
    let engine = Engine::new(EngineSettings::default());

    let answer = engine.answer(&shop(), &ask("Is there a warranty?"), Some(&received)).await.unwrap();

    assert_eq!(received.text(), answer.text);
}

#[tokio::test]
async fn a_final_answer_is_sent_sentence_by_sentence() {
    let mut chunks = shop_chunks();
    let text = "All devices have a warranty of two years. It covers:\n\n- the device\n- its battery\n\nNot the case, e.g. scratches.";
    chunks[8].text = text.to_owned();
    let received = Received::default();
    let engine = Engine::new(EngineSettings::default());
    let index = Index::build(chunks, Some("en"));

    engine.answer(&index, &ask("Is there a warranty?"), Some(&received)).await.unwrap();

    let steps = [
        "All devices have a warranty of two years. ",
        "It covers:\n\n",
        "- the device\n",
        "- its battery\n\n",
        "Not the case, e.g. scratches.",
    ];
    assert_eq!(received.steps(), steps);
}

#[test]
fn the_future_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let (engine, index, ask) = (Engine::new(EngineSettings::default()), shop(), ask("x"));

    is_send(&engine.answer(&index, &ask, None));
}

/// A language, two entries of a shop in it, a question for one of them, how its answer begins, and
/// a question that no entry answers.
type InLanguage = (&'static str, [(&'static str, &'static str); 2], &'static str, &'static str, &'static str);

const LANGUAGES: [InLanguage; 7] = [
    (
        "de",
        [
            ("Wo ist mein Paket?", "Den Stand der Sendung sehen Sie unter Bestellungen."),
            ("Wie kann ich kündigen?", "Unter Einstellungen, jederzeit zum Monatsende."),
        ],
        "Wie kann man kündigen?",
        "Unter Einstellungen",
        "Wer hat die Weltmeisterschaft gewonnen?",
    ),
    (
        "fr",
        [
            ("Où est mon colis ?", "L'état de l'envoi est affiché sous Commandes."),
            ("Comment résilier l'abonnement ?", "Dans les réglages, à tout moment."),
        ],
        "je veux resilier mon abonnement",
        "Dans les réglages",
        "Qui a gagné la coupe du monde de football ?",
    ),
    (
        "ja",
        [
            ("返品はできますか？", "商品到着後30日以内であれば返品できます。"),
            ("送料はいくらですか？", "全国一律500円です。"),
        ],
        "返品はできる？",
        "商品到着後",
        "ワールドカップの優勝国はどこ？",
    ),
    (
        "zh",
        [("如何退货？", "收到商品后30天内可以退货。"), ("运费是多少？", "全国统一运费10元。")],
        "我要如何退货",
        "收到商品后",
        "谁赢得了世界杯冠军？",
    ),
    (
        "ar",
        [
            ("كيف يمكنني إرجاع المنتج؟", "يمكنك إرجاع المنتج خلال ثلاثين يومًا."),
            ("كم تكلفة الشحن؟", "الشحن مجاني داخل المملكة."),
        ],
        "اريد ارجاع المنتج",
        "يمكنك إرجاع",
        "من فاز بكأس العالم؟",
    ),
    (
        "es",
        [
            ("¿Dónde está mi pedido?", "El estado del envío figura en Pedidos."),
            ("¿Cómo puedo devolver un artículo?", "Tiene 30 días para devolverlo gratis."),
        ],
        "quiero devolver articulos",
        "Tiene 30 días",
        "¿Quién ganó el mundial de fútbol?",
    ),
    (
        "en",
        [
            ("Is there a warranty?", "All devices have a warranty of two years."),
            ("How do I reset my password?", "Click on Forgot password on the login page."),
        ],
        "I forgot my pasword",
        "Click on Forgot",
        "Who won the football world cup?",
    ),
];

fn entries_of(number: u128, language: &str, entries: &[(&str, &str)]) -> Vec<Chunk> {
    let chunk = |((question, text), entry): (&(&str, &str), u128)| Chunk {
        url: Some(format!("https://shop.example/{language}/faq#{entry}")),
        ..faq(10 * number + entry, question, text)
    };
    entries.iter().zip(0..).map(chunk).collect()
}

#[tokio::test]
async fn sites_in_other_languages_answer_in_their_own() {
    for (language, entries, question, expected, unknown) in LANGUAGES {
        let index = Index::build(entries_of(1, language, &entries), None);

        let found = answer(&index, question).await;
        let declined = answer(&index, unknown).await;

        assert_eq!(found.outcome, Outcome::Answered, "{language}: {}", found.text);
        assert!(found.text.starts_with(expected), "{language}: {}", found.text);
        assert_eq!(declined.outcome, Outcome::Declined, "{language}: {}", declined.text);
        assert_eq!(declined.text, helpbot_engine::fallback(language), "{language}");
    }
}

#[tokio::test]
async fn a_site_in_several_languages_answers_each_question_from_the_page_in_its_language() {
    let chunks = LANGUAGES.iter().zip(1..).flat_map(|((tag, entries, ..), number)| entries_of(number, tag, entries));
    let index = Index::build(chunks.collect(), None);
    assert!(index.retrieve("I forgot my pasword", None).is_semantic, "the English page keeps its vectors");

    for (language, entries, question, expected, unknown) in LANGUAGES {
        for asked in entries.iter().map(|(asked, _)| *asked).chain([question]) {
            let found = answer(&index, asked).await;
            let page = format!("https://shop.example/{language}/");
            assert_eq!(found.outcome, Outcome::Answered, "{asked}: {}", found.text);
            assert!(found.citations[0].url.as_deref().is_some_and(|url| url.starts_with(&page)), "{asked}");
        }
        assert!(answer(&index, question).await.text.starts_with(expected), "{question}");
        let declined = answer(&index, unknown).await;
        assert_eq!(declined.text, helpbot_engine::fallback(language), "{unknown}");
    }
}
