//! What a visitor reads, without a model server: answers, suggestions, honest silence.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use helpbot_domain::conversation::Outcome;
use helpbot_engine::engine::Composer;
use helpbot_engine::{Answer, Chunk, ChunkKind, Engine, EngineError, EngineSettings, Exchange, Index};
use support::{Told, ask, faq, shop, shop_chunks};

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
async fn a_near_question_is_offered_and_not_answered() {
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
async fn the_same_answer_on_two_pages_is_said_once_and_cited_twice() {
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

#[tokio::test]
async fn the_sink_gets_the_text_of_the_answer() {
    let told = Told::default();
    let engine = Engine::new(EngineSettings::default());

    let answer = engine.answer(&shop(), &ask("Is there a warranty?"), Some(&told)).await.unwrap();

    assert_eq!(told.text(), answer.text);
}

#[test]
fn the_future_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let (engine, index, ask) = (Engine::new(EngineSettings::default()), shop(), ask("x"));

    is_send(&engine.answer(&index, &ask, None));
}

#[tokio::test]
async fn sites_in_other_languages_answer_in_their_own() {
    for (language, entries, question, expected) in [
        (
            "de",
            [
                ("Wo ist mein Paket?", "Den Stand der Sendung sehen Sie unter Bestellungen."),
                ("Wie kann ich kündigen?", "Unter Einstellungen, jederzeit zum Monatsende."),
            ],
            "Wie funktioniert die Kündigung?",
            "Unter Einstellungen",
        ),
        (
            "fr",
            [
                ("Où est mon colis ?", "L'état de l'envoi est affiché sous Commandes."),
                ("Comment résilier l'abonnement ?", "Dans les réglages, à tout moment."),
            ],
            "je veux resilier mon abonnement",
            "Dans les réglages",
        ),
        (
            "ja",
            [
                ("返品はできますか？", "商品到着後30日以内であれば返品できます。"),
                ("送料はいくらですか？", "全国一律500円です。"),
            ],
            "返品したい",
            "商品到着後",
        ),
        (
            "zh",
            [("如何退货？", "收到商品后30天内可以退货。"), ("运费是多少？", "全国统一运费10元。")],
            "我想退货",
            "收到商品后",
        ),
        (
            "ar",
            [
                ("كيف يمكنني إرجاع المنتج؟", "يمكنك إرجاع المنتج خلال ثلاثين يومًا."),
                ("كم تكلفة الشحن؟", "الشحن مجاني داخل المملكة."),
            ],
            "اريد ارجاع المنتج",
            "يمكنك إرجاع",
        ),
        (
            "es",
            [
                ("¿Dónde está mi pedido?", "El estado del envío figura en Pedidos."),
                ("¿Cómo puedo devolver un artículo?", "Tiene 30 días para devolverlo gratis."),
            ],
            "quiero devolver articulos",
            "Tiene 30 días",
        ),
    ] {
        let chunks = entries.iter().zip(1..).map(|((q, a), number)| faq(number, q, a)).collect();
        let retrieval = Index::build(chunks, None).retrieve(question, None);

        assert!(retrieval.candidates[0].chunk.text.starts_with(expected), "{language}");
        assert!(retrieval.candidates[0].score > retrieval.candidates[1].score, "{language}");
    }
}
