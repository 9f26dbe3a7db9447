//! Builders of complete sites for tests, so that a test sets only the values that it is about.

use helpbot_domain::Timestamp;
use helpbot_domain::event::{Event, EventType};
use helpbot_domain::ids::{EventId, KeyId, SiteId};
use helpbot_domain::key::{KeyKind, Scope};
use helpbot_domain::plan::Plan;
use helpbot_services::accounts::keys::{self, NewKey};
use helpbot_services::accounts::sites::{self, NewSite};
use helpbot_services::runtime::events;

use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::{Client, TestApp, wait_for};

const ADD_SOURCE: &str = "mutation ($url: String!) {
    addSource(input: { url: $url }) { source { id } userErrors { field code message } }
}";
const SOURCE: &str = "query ($id: ID!) {
    node(id: $id) { ... on Source { id kind url title status error pageCount chunkCount } }
}";

/// A site that is yet to be made.
pub struct SiteBuilder<'a> {
    app: &'a TestApp,
    new: NewSite,
}

impl<'a> SiteBuilder<'a> {
    pub(crate) fn new(app: &'a TestApp) -> Self {
        let new = NewSite {
            name: "Bäckerei Müller".into(),
            owner_email: "owner@example.com".into(),
            plan: None,
            credit_limit: None,
        };
        Self { app, new }
    }

    /// On this plan; the installation's default otherwise.
    #[must_use]
    pub fn plan(mut self, plan: Plan) -> Self {
        self.new.plan = Some(plan);
        self
    }

    /// Sets the number of credits per month.
    #[must_use]
    pub fn credits(mut self, limit: i64) -> Self {
        self.new.credit_limit = Some(limit);
        self
    }

    /// Makes the site, with a widget key and a secret key.
    pub async fn create(self) -> TestSite<'a> {
        let site = sites::create(self.app.services(), self.app.operator(), self.new).await.expect("a site");
        let made = TestSite { app: self.app, id: site.id, widget_key: String::new(), secret_key: String::new() };
        let (_, widget_key) = made.key(KeyKind::Widget).create().await;
        let (_, secret_key) = made.key(KeyKind::Secret).create().await;
        TestSite { widget_key, secret_key, ..made }
    }
}

/// A site with its keys.
pub struct TestSite<'a> {
    app: &'a TestApp,
    /// Its id.
    pub id: SiteId,
    /// Opens what a visitor's browser may do.
    pub widget_key: String,
    /// Opens everything of the site.
    pub secret_key: String,
}

impl<'a> TestSite<'a> {
    /// The owner as a caller.
    pub fn owner(&self) -> Client {
        self.app.client(&self.secret_key)
    }

    /// A visitor's browser as a caller.
    pub fn visitor(&self) -> Client {
        self.app.client(&self.widget_key)
    }

    /// Adds the page at `url` as a source and waits until it has been read; gives the source:
    /// `id kind url title status error pageCount chunkCount`.
    ///
    /// # Panics
    /// When the address is refused. A page that cannot be read gives a source with its reason.
    pub async fn source(&self, url: &Url) -> Value {
        let owner = self.owner();
        let added = owner.graphql(ADD_SOURCE, json!({ "url": url })).await.ok();
        let id = &added["addSource"]["source"]["id"];
        assert!(id.is_string(), "{url} was refused: {added}");
        wait_for("the end of the sync", async || {
            let mut found = owner.graphql(SOURCE, json!({ "id": id })).await.ok();
            let is_read = matches!(found["node"]["status"].as_str(), Some("INDEXED" | "FAILED"));
            is_read.then(|| found["node"].take())
        })
        .await
    }

    /// The cursor before the site's first event: who watches from here misses nothing, however
    /// late the watching begins.
    pub fn beginning(&self) -> String {
        let none = Uuid::nil();
        events::cursor(&Event {
            site_id: self.id,
            seq: 0,
            id: EventId::from_uuid(none),
            event_type: EventType::ConversationCreated,
            conversation_id: None,
            session_id: String::new(),
            token_id: None,
            data: String::new(),
            created_at: self.app.now(),
        })
    }

    /// Another key of the site, yet to be made.
    pub fn key(&self, kind: KeyKind) -> KeyBuilder<'a> {
        let new = NewKey { kind, name: "test".into(), scopes: None, origins: Vec::new(), expires_at: None };
        KeyBuilder { app: self.app, site: self.id, new }
    }
}

/// A key that is yet to be made.
pub struct KeyBuilder<'a> {
    app: &'a TestApp,
    site: SiteId,
    new: NewKey,
}

impl KeyBuilder<'_> {
    /// With these scopes only.
    #[must_use]
    pub fn scopes(mut self, scopes: &[Scope]) -> Self {
        self.new.scopes = Some(scopes.to_vec());
        self
    }

    /// Bound to this origin.
    #[must_use]
    pub fn origin(mut self, origin: &str) -> Self {
        self.new.origins.push(origin.to_owned());
        self
    }

    /// Ending at this moment.
    #[must_use]
    pub fn expires(mut self, at: Timestamp) -> Self {
        self.new.expires_at = Some(at);
        self
    }

    /// Makes the key; gives its id and its text.
    pub async fn create(self) -> (KeyId, String) {
        let (key, text) =
            keys::create(self.app.services(), self.app.operator(), Some(self.site), self.new).await.expect("a key");
        (key.id, text)
    }
}
