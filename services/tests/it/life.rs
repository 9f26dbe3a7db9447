//! The effect of changes to a site's sources and settings on the next answer.

use helpbot_domain::conversation::Outcome;
use helpbot_domain::source::{PageOutcome, Source};
use helpbot_domain::widget::WidgetPatch;
use helpbot_engine::{ChunkDraft, ChunkKind};
use helpbot_services::accounts::sites;
use helpbot_services::conversations::{self, AskResult, NewQuestion};
use helpbot_services::knowledge::entries;
use helpbot_services::sources;
use helpbot_services::sources::page_sync::SyncedPage;

use crate::Fixture;

const QUESTION: &str = "Is there a warranty?";

fn page(url: &str, answer: &str) -> SyncedPage {
    let draft = ChunkDraft {
        kind: ChunkKind::Faq,
        question: Some(QUESTION.to_owned()),
        heading: Vec::new(),
        text: answer.to_owned(),
        url: Some(url.to_owned()),
        page_title: Some("Terms".to_owned()),
        language: None,
        phrasings: vec!["Will you mend it for free?".to_owned()],
    };
    SyncedPage { chunks: vec![draft], ..SyncedPage::of(url, PageOutcome::Fetched) }
}

impl Fixture {
    async fn source_with(&self, url: &str, answer: &str) -> Source {
        let source = sources::add_url(&self.services, &self.viewer, Some(self.site.id), url).await.unwrap().0;
        self.read(vec![page(url, answer)]).await;
        source
    }

    pub(crate) async fn answer(&self, question: &str) -> AskResult {
        self.tick();
        let new = NewQuestion { site: Some(self.site.id), question: question.into(), ..NewQuestion::default() };
        conversations::ask(&self.services, &self.viewer, new, None).await.unwrap()
    }
}

/// Everything that a visitor sees of an answer, and what `--explain` shows.
fn all_of(asked: &AskResult) -> String {
    let explain = serde_json::to_string(&asked.explain).unwrap();
    let found = asked.explain.retrieval.iter().flat_map(|retrieval| &retrieval.candidates);
    let texts: String = found.map(|found| serde_json::to_string(&*found.chunk).unwrap()).collect();
    let citations = serde_json::to_string(&asked.conversation.citations).unwrap();
    format!("{} {citations} {:?} {explain} {texts}", asked.conversation.answer, asked.suggestions)
}

#[tokio::test]
async fn a_question_that_was_added_as_a_phrasing_is_answered_from_the_entry() {
    let on = Fixture::new().await;
    on.entry("Do you sell gift vouchers?", "Yes, from 10 to 500 euros, in the shop.").await;
    let entry = on.entry(QUESTION, "Two years from the day of purchase.").await;
    let question = "my gizmo went kaput, what now";
    assert_ne!(on.answer(question).await.conversation.outcome, Outcome::Answered);

    let viewer = &on.viewer;
    entries::add_phrasing(&on.services, viewer, Some(on.site.id), entry.id, " my gizmo  went kaput ").await.unwrap();
    let asked = on.answer(question).await;

    assert_eq!(asked.conversation.outcome, Outcome::Answered, "{:?}", asked.explain);
    assert_eq!(asked.conversation.answer, "Two years from the day of purchase.");
}

#[tokio::test]
async fn a_deleted_source_does_not_appear_in_the_next_answer() {
    let on = Fixture::new().await;
    let kept = on.source_with("https://example.com/new", "Five years, since 2020.").await;
    let deleted = on.source_with("https://example.com/old", "Two xylophones for everybody.").await;
    let before = all_of(&on.answer(QUESTION).await);
    assert!(before.contains("xylophones") && before.contains(&deleted.id.to_string()), "{before}");

    sources::delete(&on.services, &on.viewer, Some(on.site.id), deleted.id).await.unwrap();

    for question in [QUESTION, "Two xylophones for everybody", "Will you mend it for free?", "Where are the old terms?"]
    {
        let after = all_of(&on.answer(question).await);
        assert!(!after.contains("xylophones for everybody.") && !after.contains("/old\""), "{after}");
        assert!(!after.contains(&deleted.id.to_string()), "{after}");
    }
    assert!(all_of(&on.answer(QUESTION).await).contains(&kept.id.to_string()));
}

#[tokio::test]
async fn a_deleted_source_does_not_affect_the_scores() {
    let on = Fixture::new().await;
    on.source_with("https://example.com/new", "Five years, since 2020.").await;
    let scores = |asked: &AskResult| serde_json::to_value(&asked.explain).unwrap();
    let never = scores(&on.answer("warranty xylophones").await);

    let old = "https://example.com/old";
    let other = on.source_with(old, "A xylophone for everybody.").await;
    // A question waits for the index after a text was changed, but not after one was added.
    on.read_again(&other, vec![page(old, "Two xylophones for everybody.")]).await;
    assert_ne!(scores(&on.answer("warranty xylophones").await), never);
    sources::delete(&on.services, &on.viewer, Some(on.site.id), other.id).await.unwrap();

    assert_eq!(scores(&on.answer("warranty xylophones").await), never);
}

#[tokio::test]
async fn a_sync_retires_older_indexes_only_when_content_was_changed_or_removed() {
    let on = Fixture::new().await;
    let url = "https://example.com/new";
    let source = on.source_with(url, "Two years.").await;
    let floor = async || on.index_versions().await.1;
    let first = floor().await;

    let more = SyncedPage { chunks: page(url, "Two years.").chunks, ..page(url, "") };
    let with_another = SyncedPage {
        chunks: [more.chunks.clone(), page("https://example.com/new#2", "And a day.").chunks].concat(),
        ..more.clone()
    };
    on.read_again(&source, vec![with_another]).await;
    let after_addition = floor().await;
    on.read_again(&source, vec![page(url, "Three years.")]).await;
    let (version, after_change) = on.index_versions().await;

    assert_eq!(after_addition, first, "what was only added to may answer on");
    assert_eq!(after_change, version, "what was changed may not");
    assert!(on.answer(QUESTION).await.conversation.answer.contains("Three years."));
}

#[tokio::test]
async fn a_change_of_the_language_builds_a_new_index() {
    let on = Fixture::new().await;
    on.entry("Wie lange gilt die Garantie?", "Zwei Jahre ab dem Tag des Kaufs.").await;
    let (before, _) = on.index_versions().await;
    let patch = |patch: WidgetPatch| sites::update_widget(&on.services, &on.viewer, Some(on.site.id), patch);

    patch(WidgetPatch { bot_name: Some("Bo".into()), ..WidgetPatch::default() }).await.unwrap();
    let (same, _) = on.index_versions().await;
    patch(WidgetPatch { ai_language: Some("de".into()), ..WidgetPatch::default() }).await.unwrap();
    let (after, _) = on.index_versions().await;

    assert_eq!((same - before, after - before), (0, 1));
    let declined = on.answer("Who won the world cup?").await;
    assert_eq!(declined.conversation.language.as_deref(), Some("de"), "{}", declined.conversation.answer);
}
