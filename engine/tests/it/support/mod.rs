//! The site of a small shop, and models that play a script.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use helpbot_domain::ids::{ChunkId, SourceId};
use helpbot_engine::model::{CompletionRequest, Delta, Deltas, ModelClient, ModelError};
use helpbot_engine::{AnswerPolicy, AnswerSink, Ask, Chunk, ChunkKind, Exchange, Index};
use uuid::Uuid;

/// Question and answer of each entry of the shop.
pub const SHOP: [(&str, &str); 12] = [
    ("Where is my order?", "You find the state of your parcel under Orders. Delivery takes three to five days."),
    ("How do I return an item?", "Send it back within 30 days with the label from your account."),
    ("When do I get my money back?", "Refunds reach your account within 5 days after the parcel is back with us."),
    (
        "What are your opening hours?",
        "The shop is open Monday to Friday from 9 to 18, on Saturday and Sunday from 10 to 16.",
    ),
    ("Can I pay by invoice?", "Yes. Choose invoice at the checkout; it is due in 14 days."),
    ("How do I reset my password?", "Click on Forgot password on the login page and follow the link in the e-mail."),
    ("Do you ship to Austria?", "We ship to all countries of the EU. Austria costs 7.90 EUR."),
    ("How do I cancel my subscription?", "Open Settings, then Subscription, and click Cancel. It ends with the month."),
    ("Is there a warranty?", "All devices have a warranty of two years from the day of purchase."),
    ("Do you have gift vouchers?", "Vouchers from 10 to 500 EUR are sold in the shop and online, and never expire."),
    ("How can I contact support?", "Write to the address on the contact page or call us on weekdays."),
    ("Which sizes do the shirts have?", "Shirts come in sizes S to XXL. The size table is on each product page."),
];

pub fn faq(number: u128, question: &str, text: &str) -> Chunk {
    Chunk {
        id: ChunkId::from_uuid(Uuid::from_u128(number)),
        source_id: SourceId::from_uuid(Uuid::from_u128(1)),
        kind: ChunkKind::Faq,
        question: Some(question.to_owned()),
        heading: Vec::new(),
        text: text.to_owned(),
        url: Some(format!("https://shop.example/faq#{number}")),
        page_title: Some("Questions and answers".to_owned()),
        language: None,
        phrasings: Vec::new(),
    }
}

pub fn shop_chunks() -> Vec<Chunk> {
    SHOP.iter().zip(1..).map(|((question, text), number)| faq(number, question, text)).collect()
}

pub fn shop() -> Index {
    Index::build(shop_chunks(), Some("en"))
}

pub fn ask(question: &str) -> Ask {
    Ask {
        question: question.to_owned(),
        language: None,
        site_language: "auto".to_owned(),
        history: Vec::<Exchange>::new(),
        settings: AnswerPolicy::default(),
    }
}

/// The text that a sink received. `\u{0}` marks a restart.
#[derive(Default)]
pub struct Received(Mutex<Vec<String>>);

impl Received {
    /// Returns the text after the last restart.
    pub fn text(&self) -> String {
        self.steps().concat()
    }

    /// Returns the pieces after the last restart.
    pub fn steps(&self) -> Vec<String> {
        let pieces = self.0.lock().unwrap();
        pieces.rsplit(|step| step == "\u{0}").next().unwrap_or_default().to_vec()
    }
}

impl AnswerSink for Received {
    fn delta(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }

    fn restart(&self) {
        self.0.lock().unwrap().push("\u{0}".to_owned());
    }
}

/// One step of a scripted answer.
#[derive(Clone)]
pub enum Step {
    Say(&'static str),
    Wait(Duration),
    CutOff,
    Fail,
}

/// A model that plays the same steps each time and records its requests.
pub struct Scripted {
    steps: Vec<Step>,
    pub requests: Mutex<Vec<CompletionRequest>>,
}

impl Scripted {
    pub fn new(steps: impl Into<Vec<Step>>) -> Self {
        Self { steps: steps.into(), requests: Mutex::default() }
    }
}

impl ModelClient for Scripted {
    fn chat(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Deltas, ModelError>> {
        self.requests.lock().unwrap().push(request);
        let steps = futures_util::stream::iter(self.steps.clone());
        let deltas = steps.filter_map(|step| async move {
            match step {
                Step::Say(text) => Some(Ok(Delta::Text(text.to_owned()))),
                Step::CutOff => Some(Ok(Delta::CutOff)),
                Step::Wait(time) => {
                    tokio::time::sleep(time).await;
                    None
                }
                Step::Fail => Some(Err(ModelError::Unreachable("the connection broke".to_owned()))),
            }
        });
        async move { Ok(deltas.boxed()) }.boxed()
    }
}
