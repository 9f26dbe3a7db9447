//! Use cases that combine several modules: topics, promoted answers, test questions, syncs that they
//! hold back, and the effect of a change on the next answer. They run on an SQLite file; differences
//! between the databases are tested in `db`.

#![allow(clippy::unwrap_used, reason = "a failing step fails the test")]

mod backups;
mod evaluation;
mod life;
mod topics;
mod vectors;

use std::sync::Arc;
use std::time::Duration;

use helpbot_db::{DatabaseUrl, Db};
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ConversationId, KeyId};
use helpbot_domain::site::Site;
use helpbot_engine::{Engine, EngineSettings};
use helpbot_services::accounts::sites;
use helpbot_services::conversations::{self, NewQuestion};
use helpbot_services::knowledge::entries::{self, Entry, NewEntry};
use helpbot_services::runtime::clock::ManualClock;
use helpbot_services::runtime::randomness;
use helpbot_services::{Services, Settings, Viewer};
use tempfile::TempDir;

/// 2026-03-01T12:00:00Z.
const NOW: Timestamp = Timestamp::from_ms(1_772_366_400_000);

/// A site and its operator.
struct Fixture {
    services: Services,
    viewer: Viewer,
    site: Site,
    clock: Arc<ManualClock>,
    directory: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let db = Db::open(&DatabaseUrl::Sqlite(directory.path().join("helpbot.db"))).await.unwrap();
        let engine = Engine::new(EngineSettings::default());
        let clock = Arc::new(ManualClock::at(NOW));
        let services = Services::new(db, engine, clock.clone(), Arc::new(|_| Ok(())), Settings::new([7; 32]));
        let viewer = Viewer::operator(KeyId::from_uuid(randomness::uuid(NOW)));
        let new = sites::NewSite {
            name: "Bakery".into(),
            owner_email: "owner@example.com".into(),
            plan: None,
            credit_limit: None,
        };
        let site = sites::create(&services, &viewer, new).await.unwrap();
        Self { services, viewer, site, clock, directory }
    }

    /// Advances the clock, because rows of the same millisecond have no order.
    fn tick(&self) {
        self.clock.set(self.services.now().plus(Duration::from_millis(1)));
    }

    async fn ask(&self, question: &str) -> ConversationId {
        self.tick();
        let new = NewQuestion { site: Some(self.site.id), question: question.into(), ..NewQuestion::default() };
        conversations::ask(&self.services, &self.viewer, new, None).await.unwrap().conversation.id
    }

    /// Returns the version of the site's index, and the oldest version that may answer.
    async fn index_versions(&self) -> (i64, i64) {
        let db = Db::open(&DatabaseUrl::Sqlite(self.directory.path().join("helpbot.db"))).await.unwrap();
        helpbot_db::sites::index_versions(&mut db.reader().await.unwrap(), self.site.id).await.unwrap().unwrap()
    }

    async fn entry(&self, question: &str, answer: &str) -> Entry {
        self.tick();
        let new = NewEntry { question: question.into(), answer: answer.into(), phrasings: Vec::new(), url: None };
        entries::add(&self.services, &self.viewer, Some(self.site.id), new).await.unwrap()
    }
}
