//! What a nested query costs the database: as many statements as it has levels, however long its
//! lists are.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use async_graphql::{Request, Variables, value};
use helpbot_api::access::Access;
use helpbot_api::schema::{HelpBotSchema, schema};
use helpbot_db::{DatabaseUrl, Db};
use helpbot_engine::{Engine, EngineSettings};
use helpbot_services::conversations::{self, NewQuestion};
use helpbot_services::entries::{self, NewEntry};
use helpbot_services::sites::{self, NewSite};
use helpbot_services::{Services, Settings, Site, SystemClock, Viewer, keys, members, messages};

const NESTED: &str = "query ($site: ID!, $first: Int!) { site(id: $site) { conversations(first: $first) {
    totalCount
    nodes {
        question
        handoff { status assignee { name } }
        citations { title source { title kind } }
        messages(first: 5) { nodes { text author } }
    }
} } }";

/// The site; the page of conversations and their number; then, each for all of them at once: what
/// may be seen of them and their messages, the sources cited, the members assigned.
const STATEMENTS_MAX: u64 = 8;

struct World {
    schema: HelpBotSchema,
    services: Services,
    operator: Viewer,
    site: Site,
    _directory: tempfile::TempDir,
}

impl World {
    /// A site with `count` answered conversations, each handed to a member who has written in it.
    async fn with_conversations(count: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::Sqlite(directory.path().join("helpbot.db"));
        let services = Services::new(
            Db::open(&database).await.unwrap(),
            Engine::new(EngineSettings::default()),
            Arc::new(SystemClock),
            Arc::new(|_| Ok(())),
            Settings::new([7; 32]),
        );
        let (key, _) = keys::create_operator(&services, "tests").await.unwrap();
        let operator = Viewer::operator(key.id);
        let new =
            NewSite { name: "Shop".into(), owner_email: "owner@shop.example".into(), plan: None, credit_limit: None };
        let site = sites::create(&services, &operator, new).await.unwrap();
        let world = Self { schema: schema(), services, operator, site, _directory: directory };
        world.fill(count).await;
        world
    }

    async fn fill(&self, count: usize) {
        let (services, operator, site) = (&self.services, &self.operator, Some(self.site.id));
        let entry = NewEntry {
            question: "When are you open?".into(),
            answer: "From 8 to 11 in the morning.".into(),
            phrasings: Vec::new(),
            url: None,
        };
        entries::add(services, operator, site, entry).await.unwrap();
        let role = helpbot_domain::key::Role::Agent;
        let (member, _) = members::add(services, operator, site, "Ann", "ann@example.com", role).await.unwrap();
        for _ in 0..count {
            let new = NewQuestion { site, question: "When are you open?".into(), ..NewQuestion::default() };
            let asked = conversations::ask(services, operator, new, None).await.unwrap().conversation;
            assert!(!asked.citations.is_empty(), "it is answered from the entry");
            conversations::request_handoff(services, operator, site, asked.id, None).await.unwrap();
            helpbot_services::handoffs::assign(services, operator, site, asked.id, Some(member.id)).await.unwrap();
            messages::send(services, operator, site, asked.id, "Here I am").await.unwrap();
        }
    }

    /// Statements that the nested query over `first` conversations sends.
    async fn statements(&self, first: i32) -> u64 {
        let variables = value!({ "site": self.site.id.to_string(), "first": first });
        let request = Request::new(NESTED)
            .variables(Variables::from_value(variables))
            .data(Access::new(self.services.clone(), self.operator.clone()));
        let before = self.services.statements();

        let response = self.schema.execute(request).await;

        let count = self.services.statements() - before;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        let data = response.data.into_json().unwrap();
        let nodes = data["site"]["conversations"]["nodes"].as_array().unwrap().clone();
        assert_eq!(nodes.len(), usize::try_from(first).unwrap());
        for node in nodes {
            assert_eq!(node["citations"][0]["source"]["kind"], "TEXT", "{node}");
            assert_eq!(node["handoff"]["assignee"]["name"], "Ann", "{node}");
            assert_eq!(node["messages"]["nodes"][2]["text"], "Here I am", "{node}");
        }
        count
    }
}

#[tokio::test]
async fn fifty_conversations_cost_as_many_statements_as_one() {
    let world = World::with_conversations(50).await;

    let (one, fifty) = (world.statements(1).await, world.statements(50).await);

    assert_eq!(fifty, one);
    assert!(fifty <= STATEMENTS_MAX, "{fifty} statements");
}
