//! Embeddings of an external model: computed by a job, used when they are complete, and those of the
//! previous model until then.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use helpbot_db::{DatabaseUrl, Db};
use helpbot_domain::conversation::Outcome;
use helpbot_engine::model::{Embedder, ModelError};
use helpbot_engine::{Engine, EngineSettings, external_embeddings};
use helpbot_services::knowledge::entries;
use helpbot_services::knowledge::vectors::{self, VectorProgress};
use helpbot_services::runtime::job_kinds::EMBED;
use helpbot_services::runtime::jobs;
use helpbot_services::{Error, Services, Settings};

use crate::{Fixture, NOW};

const QUESTION: &str = "Is there a warranty?";
/// A question that only the external model understands.
const GERMAN: &str = "Mein Gerät ist kaputt, gilt die Garantie?";

/// A server with models that understand only the German word for a warranty.
struct Server {
    model: &'static str,
    fails: AtomicBool,
    texts: AtomicUsize,
    /// Models of the server.
    has: Mutex<Vec<&'static str>>,
}

impl Server {
    fn with(model: &'static str, has: &[&'static str]) -> Arc<Self> {
        let (fails, texts) = (AtomicBool::new(false), AtomicUsize::new(0));
        Arc::new(Self { model, fails, texts, has: Mutex::new(has.to_vec()) })
    }
}

impl Embedder for Server {
    fn model(&self) -> &str {
        self.model
    }

    fn embed(&self, model: &str, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>> {
        let is_here = self.has.lock().unwrap().contains(&model) && !self.fails.load(Ordering::Relaxed);
        self.texts.fetch_add(texts.len(), Ordering::Relaxed);
        let vectors = texts.iter().map(|text| vector(text)).collect();
        async move { if is_here { Ok(vectors) } else { Err(ModelError::Status { status: 404 }) } }.boxed()
    }
}

fn vector(text: &str) -> Vec<f32> {
    let probes = external_embeddings::probes();
    let mut vector = vec![0.0; probes.len() / 2 + 2];
    let is_warranty = ["warranty", "Garantie"].iter().any(|word| text.contains(word));
    let own = probes.len() / 2 + usize::from(is_warranty);
    vector[probes.iter().position(|probe| probe == text).map_or(own, |probe| probe / 2)] = 1.0;
    vector
}

impl Fixture {
    /// Restarts the installation with this server, so that no previous index can answer.
    async fn restarted_with(self, server: &Arc<Server>) -> Self {
        let db = Db::open(&DatabaseUrl::Sqlite(self.directory.path().join("helpbot.db"))).await.unwrap();
        let embedder: Arc<dyn Embedder> = server.clone();
        let engine = Engine::new(EngineSettings { embedder: Some(embedder), ..EngineSettings::default() });
        let services = Services::new(db, engine, self.clock.clone(), Arc::new(|_| Ok(())), Settings::new([7; 32]));
        Self { services, ..self }
    }

    async fn outcome(&self, question: &str) -> Outcome {
        self.answer(question).await.conversation.outcome
    }

    /// Does the queued jobs and returns how each ended.
    async fn do_jobs(&self) -> Vec<Result<(), Error>> {
        self.clock.set(self.services.now().plus(std::time::Duration::from_secs(3_600)));
        let mut ended = Vec::new();
        for job in jobs::claim(&self.services, &[EMBED], "test", 10).await.unwrap() {
            let done = vectors::embed(&self.services, &job).await;
            match &done {
                Ok(()) => drop(jobs::finish(&self.services, job.id, "test").await.unwrap()),
                Err(error) => drop(
                    jobs::retry(&self.services, job.id, "test", std::time::Duration::ZERO, &error.to_string())
                        .await
                        .unwrap(),
                ),
            }
            ended.push(done);
        }
        ended
    }

    async fn progress(&self) -> VectorProgress {
        vectors::progress(&self.services, &self.viewer, &self.site).await.unwrap().unwrap()
    }
}

async fn shop(server: &Arc<Server>) -> Fixture {
    let on = Fixture::new().await.restarted_with(server).await;
    assert!(on.services.now() >= NOW);
    on.entry(QUESTION, "Two years from the day of purchase.").await;
    on.entry("Do you sell bread?", "Every morning from six.").await;
    on
}

#[tokio::test]
async fn embeddings_answer_when_the_job_has_computed_all_of_them() {
    let server = Server::with("tiny", &["tiny"]);
    let on = shop(&server).await;
    assert_ne!(on.outcome(GERMAN).await, Outcome::Answered, "until then the built-in table serves");
    assert_eq!(on.progress().await, VectorProgress { model: "tiny".into(), embedded: 0, total: 2 });

    assert!(matches!(on.do_jobs().await[..], [Ok(())]));

    let on = on.restarted_with(&server).await;
    assert_eq!(on.outcome(GERMAN).await, Outcome::Answered);
    assert_eq!(on.progress().await, VectorProgress { model: "tiny".into(), embedded: 2, total: 2 });
    assert!(on.do_jobs().await.is_empty(), "nothing is left to do");
}

#[tokio::test]
async fn only_changed_chunks_are_embedded_again_and_deleted_ones_are_removed() {
    let server = Server::with("tiny", &["tiny"]);
    let on = shop(&server).await;
    on.outcome(QUESTION).await;
    on.do_jobs().await;
    let entry = on.entry("Where is the shop?", "In the old town.").await;
    let on = on.restarted_with(&server).await;
    assert_ne!(on.outcome(GERMAN).await, Outcome::Answered, "one has no vectors yet");
    let before = server.texts.load(Ordering::Relaxed);

    on.do_jobs().await;

    assert_eq!(server.texts.load(Ordering::Relaxed) - before, 2, "question and text of the new one");
    let on = on.restarted_with(&server).await;
    assert_eq!(on.outcome(GERMAN).await, Outcome::Answered);
    entries::delete(&on.services, &on.viewer, Some(on.site.id), entry.id).await.unwrap();
    assert_eq!(on.outcome(GERMAN).await, Outcome::Answered);
    assert_eq!(on.progress().await, VectorProgress { model: "tiny".into(), embedded: 2, total: 2 });
}

#[tokio::test]
async fn embeddings_of_the_previous_model_answer_until_the_new_ones_are_complete() {
    let old = Server::with("tiny", &["tiny"]);
    let on = shop(&old).await;
    on.outcome(QUESTION).await;
    on.do_jobs().await;

    let new = Server::with("huge", &["tiny", "huge"]);
    let on = on.restarted_with(&new).await;
    assert_eq!(on.outcome(GERMAN).await, Outcome::Answered, "by the old ones");
    assert_eq!(on.progress().await.embedded, 0);
    on.do_jobs().await;
    *new.has.lock().unwrap() = vec!["huge"];

    let on = on.restarted_with(&new).await;
    assert_eq!(on.outcome(GERMAN).await, Outcome::Answered, "by the new ones");
    assert_eq!(on.progress().await, VectorProgress { model: "huge".into(), embedded: 2, total: 2 });
}

#[tokio::test]
async fn when_the_server_fails_the_job_is_repeated_and_the_built_in_table_answers() {
    let server = Server::with("tiny", &["tiny"]);
    let on = shop(&server).await;
    server.fails.store(true, Ordering::Relaxed);
    assert_eq!(on.outcome(QUESTION).await, Outcome::Answered);

    assert!(matches!(on.do_jobs().await[..], [Err(Error::Unavailable { .. })]));
    assert_eq!(on.outcome(QUESTION).await, Outcome::Answered);
    server.fails.store(false, Ordering::Relaxed);
    assert!(matches!(on.do_jobs().await[..], [Ok(())]));

    let on = on.restarted_with(&server).await;
    assert_eq!(on.outcome(GERMAN).await, Outcome::Answered);
    server.fails.store(true, Ordering::Relaxed);
    assert_eq!(on.outcome(QUESTION).await, Outcome::Answered, "with vectors, and nobody to ask");
}
