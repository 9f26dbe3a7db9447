//! The entries of a shop, for tests of what changes its answers.

use std::time::Duration;

use helpbot_tests::{TestApp, TestSite};
use serde_json::{Value, json};

/// What is made in one millisecond has no order.
pub const TICK: Duration = Duration::from_millis(1);

/// Questions with their answers.
pub const ENTRIES: [(&str, &str); 12] = [
    ("How do I return a parcel?", "Put the slip into the box and post it."),
    ("Where is my order?", "Open the link in the mail that we sent you."),
    ("Do you ship to Norway?", "Yes, within five working days."),
    ("Is there a warranty?", "All devices have a warranty of two years."),
    ("How do I reset my password?", "Click on Forgot password on the login page."),
    ("Can I pay by invoice?", "Choose invoice at the checkout."),
    ("When is the shop open?", "Monday to Friday from 9 to 18."),
    ("Who repairs a broken kettle?", "Our workshop in the old town repairs kettles."),
    ("How do I cancel my subscription?", "Open Settings, then Subscription, and click Cancel."),
    ("Do you have gift vouchers?", "Vouchers from 10 to 500 EUR are sold in the shop."),
    ("Which sizes do the shirts have?", "Shirts come in sizes S to XXL."),
    ("How long does delivery take?", "Delivery takes three to five days."),
];

/// Adds an entry after all earlier ones. Returns its ID.
pub async fn add(app: &TestApp, site: &TestSite<'_>, (question, answer): (&str, &str)) -> Value {
    app.pass(TICK);
    let add = "mutation ($input: AddFaqEntryInput!) { addFaqEntry(input: $input) { entry { id } } }";
    let input = json!({ "input": { "question": question, "answer": answer } });
    site.owner().graphql(add, input).await.ok()["addFaqEntry"]["entry"]["id"].take()
}
