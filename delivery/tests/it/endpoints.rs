//! Endpoints: their number, their URLs, and their secrets at rest.

use std::sync::Arc;

use crate::support::{Installation, Receiver};
use helpbot_domain::event::EventType;
use helpbot_domain::webhook::{Delivery, DeliveryStatus};
use helpbot_services::Error;
use helpbot_services::webhooks::{self, WebhookPatch};

fn both_delivered(found: &[Delivery]) -> bool {
    found.len() == 2 && found.iter().all(|delivery| delivery.status == DeliveryStatus::Delivered)
}

#[tokio::test]
async fn only_one_of_twenty_concurrent_creations_gets_the_last_endpoint() {
    let home = Arc::new(Installation::new().await);
    for number in 0..4 {
        home.try_webhook(&format!("https://example.com/{number}"), &EventType::WEBHOOK).await.expect("room");
    }

    let creations = (0..20).map(|_| {
        let home = Arc::clone(&home);
        tokio::spawn(async move { home.try_webhook("https://example.com/next", &EventType::WEBHOOK).await })
    });
    let mut made = 0;
    for creation in creations.collect::<Vec<_>>() {
        match creation.await.expect("no panic") {
            Ok(_) => made += 1,
            Err(error) => assert!(matches!(error, Error::LimitReached(_)), "{error}"),
        }
    }

    assert_eq!(made, 1);
    let all = webhooks::list(&home.services, &home.viewer, &home.site).await.expect("the list");
    assert_eq!(all.len(), 5);
}

#[tokio::test]
async fn private_addresses_and_unknown_events_are_rejected() {
    let home = Installation::new().await;

    for url in [
        "",
        "x",
        "http://example.com/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://2130706434/",
        "https://169.254.169.254/latest",
        "https://localhost/",
        "https://ann:pw@example.com/",
        "ftp://example.com/",
    ] {
        let refused = home.try_webhook(url, &EventType::WEBHOOK).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{url}");
    }
    let none = home.try_webhook("https://example.com/", &[]).await;
    let internal = home.try_webhook("https://example.com/", &[EventType::MessageCreated]).await;
    assert!(matches!(none, Err(Error::Invalid(_))) && matches!(internal, Err(Error::Invalid(_))));
    let (webhook, _) = home.try_webhook("https://example.com/", &EventType::WEBHOOK).await.expect("a public address");
    let inside = WebhookPatch { url: Some("https://127.0.0.2/".into()), ..WebhookPatch::default() };
    let moved = webhooks::update(&home.services, &home.viewer, Some(home.site.id), webhook.id, inside).await;
    assert!(matches!(moved, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn no_secret_is_stored_in_the_database_or_in_an_attempt() {
    let home = Installation::new().await;
    let mut receiver = Receiver::ok().await;
    let (webhook, secret) = home.webhook(&receiver.url).await;
    let work = home.work("w");
    home.ask("Why?").await;
    receiver.next().await;
    home.deliveries_once("the record", &webhook, both_delivered).await;
    work.stop().await;

    let encoded = secret.trim_start_matches("whsec_");
    for entry in std::fs::read_dir(home.directory.path()).expect("the directory") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        assert!(!bytes.windows(encoded.len()).any(|window| window == encoded.as_bytes()));
    }
}
