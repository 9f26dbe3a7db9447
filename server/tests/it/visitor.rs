//! A visitor and a webhook endpoint, which notice when a server does not continue the installation of an earlier one.

use std::thread;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use helpbot_domain::Timestamp;
use helpbot_test_support::identity;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::support::Serving;

pub const QUESTION: &str = "How do I revoke an API key?";
const DEADLINE: Duration = Duration::from_secs(60);

const ASK: &str = "mutation ($question: String!) { askQuestion(input: { question: $question }) {
    conversation { id answer sources } sessionToken userErrors { message } } }";
const READ: &str = "query ($id: ID!) { node(id: $id) { ... on Conversation { id question answer } } }";

const REGISTER: &str = "mutation ($url: String!) {
    createWebhook(input: { url: $url, events: [CONVERSATION_CREATED] }) { secret userErrors { message } }
}";

const SECRET: &str = "mutation { createIdentitySecret(input: {}) {
    secret identitySecret { createdAt } userErrors { message } } }";
const IDENTIFY: &str = "mutation ($token: String!) {
    identifyVisitor(input: { token: $token }) { sessionId userErrors { message } }
}";

/// What the first server has returned.
pub struct Visitor {
    pub widget_key: String,
    pub secret_key: String,
    pub conversation: Value,
    pub session_token: String,
    receiver: Receiver,
    webhook_secret: String,
    /// A token that the site's own server has made, which names the visitor.
    identity_token: String,
}

/// Sends a GraphQL operation, with a session token if there is one.
pub fn graphql(server: &Serving, key: &str, token: Option<&str>, document: &str, variables: &Value) -> Value {
    let body = json!({ "query": document, "variables": variables }).to_string();
    let token = token.map_or_else(String::new, |token| format!("X-HelpBot-Session: {token}\r\n"));
    let reply = server.send(&format!(
        "POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n{token}\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ));
    serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}: {}", reply.status, reply.body))
}

impl Visitor {
    /// Registers a webhook and asks a question at the first server of an installation.
    pub fn first(server: &Serving) -> Self {
        let (widget_key, secret_key, receiver) = (server.word("wk_live_"), server.word("sk_live_"), Receiver::start());
        let made = graphql(server, &secret_key, None, REGISTER, &json!({ "url": receiver.url() }));
        let secret = made["data"]["createWebhook"]["secret"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        let made = graphql(server, &secret_key, None, SECRET, &Value::Null);
        let made = &made["data"]["createIdentitySecret"];
        let now =
            Timestamp::from_rfc3339(made["identitySecret"]["createdAt"].as_str().expect("a time")).expect("a time");
        let site = graphql(server, &secret_key, None, "{ site { id } }", &Value::Null);
        let claims = json!({ "sub": "42", "aud": site["data"]["site"]["id"], "exp": now.as_ms() / 1000 + 80_000 });
        let key = made["secret"].as_str().unwrap_or_else(|| panic!("{made}"));
        let identity_token = identity::token(key, identity::HEADER, &claims.to_string());
        let asked = graphql(server, &widget_key, None, ASK, &json!({ "question": QUESTION }));
        let asked = &asked["data"]["askQuestion"];
        assert!(asked["conversation"]["answer"].as_str().is_some_and(|answer| !answer.is_empty()), "{asked}");
        Self {
            widget_key,
            secret_key,
            conversation: asked["conversation"].clone(),
            session_token: asked["sessionToken"].as_str().expect("a token").to_owned(),
            receiver,
            webhook_secret: secret,
            identity_token,
        }
    }

    /// What the visitor reads of a conversation.
    pub fn read(&self, server: &Serving, token: Option<&str>, id: &Value) -> Value {
        graphql(server, &self.widget_key, token, READ, &json!({ "id": id }))["data"]["node"].clone()
    }

    /// What the owner reads of a conversation.
    pub fn read_as_owner(&self, server: &Serving, id: &str) -> Value {
        graphql(server, &self.secret_key, None, READ, &json!({ "id": id }))["data"]["node"].clone()
    }

    /// Asks the question again.
    pub fn ask(&self, server: &Serving) -> Value {
        graphql(server, &self.widget_key, None, ASK, &json!({ "question": QUESTION }))
    }

    /// Checks that a server continues the installation that this visitor knows.
    pub fn check(&self, server: &Serving) {
        let by_token = self.read(server, Some(&self.session_token), &self.conversation["id"]);
        assert_eq!(by_token["question"], QUESTION, "the session token still opens its conversation: {by_token}");
        assert_eq!(by_token["answer"], self.conversation["answer"]);
        assert_eq!(self.read(server, None, &self.conversation["id"]), Value::Null);

        let token = json!({ "token": self.identity_token });
        let identified = graphql(server, &self.widget_key, Some(&self.session_token), IDENTIFY, &token);
        assert!(identified["data"]["identifyVisitor"]["sessionId"].is_string(), "{identified}");
        self.check_answer(server);
    }

    /// Checks that the question has the same answer, and that the webhook is signed with the same secret.
    pub fn check_answer(&self, server: &Serving) {
        let again = self.ask(server);
        let again = &again["data"]["askQuestion"]["conversation"];
        assert_eq!(again["answer"], self.conversation["answer"]);
        assert_eq!(again["sources"], self.conversation["sources"]);
        self.check_signature(again["id"].as_str().expect("an ID"));
    }

    /// Waits for the delivery about a conversation and verifies it with the secret of the first server.
    fn check_signature(&self, conversation: &str) {
        let end = Instant::now() + DEADLINE;
        let arrival = loop {
            let arrived = self.receiver.arrivals().into_iter().find(|arrival| arrival.conversation == conversation);
            if let Some(arrival) = arrived {
                break arrival;
            }
            assert!(Instant::now() < end, "no delivery about {conversation}");
            thread::sleep(Duration::from_millis(10));
        };
        let headers: HeaderMap = arrival
            .headers
            .iter()
            .map(|(name, value)| {
                let name: HeaderName = name.parse().expect("a name");
                (name, value.parse::<HeaderValue>().expect("a value"))
            })
            .collect();
        let webhook = standardwebhooks::Webhook::new(&self.webhook_secret).expect("a secret");
        webhook.verify(&arrival.body, &headers).expect("the signature of the first server's secret");
    }
}
