//! The ceilings: servers on the same libraries that do only the minimum.
//!
//! `/config` is a bare axum route that returns the same bytes as `GET /api/v1/config`, without authentication, database
//! or GraphQL. `/insert` parses the same question and writes the same rows as a chat through the same group commit,
//! without authentication, retrieval or GraphQL.

use helpbot_domain::conversation::Conversation;
use helpbot_domain::site::Site;
use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use helpbot_db::events::NewEvent;
use helpbot_db::stats::DailyCounts;
use helpbot_db::{DatabaseUrl, Db, conversations, events, sites, stats, usage};
use helpbot_domain::event::EventType;
use helpbot_domain::ids::{ConversationId, EventId, SiteId};
use helpbot_domain::plan::{Plan, UNLIMITED_CREDITS};
use helpbot_domain::widget::WidgetConfig;
use helpbot_services::runtime::randomness;
use helpbot_services::{Clock, SystemClock};
use serde_json::{Value, json};

struct Ceiling {
    db: Db,
    site: SiteId,
    config: Value,
    answer: String,
}

/// Serves the ceilings on a free port until the process ends, and prints the address. `answer` is the text to store; it is
/// as long as the answer of a chat.
///
/// # Errors
/// When the database cannot be created or no port is free.
pub async fn serve(dir: &Path, answer: String) -> Result<(), Box<dyn std::error::Error>> {
    let db = Db::open(&DatabaseUrl::Sqlite(dir.join("ceiling.db"))).await?;
    let site = site();
    let id = site.id;
    db.write(move |c| Box::pin(async move { sites::insert(c, &site).await })).await?;
    let ceiling = Ceiling { db, site: id, config: json!(WidgetConfig::default()), answer };
    let app = Router::new()
        .route("/config", get(async |State(ceiling): State<Arc<Ceiling>>| Json(ceiling.config.clone())))
        .route("/insert", post(insert))
        .with_state(Arc::new(ceiling));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    crate::process::announce(listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn insert(State(ceiling): State<Arc<Ceiling>>, Json(body): Json<Value>) -> Json<Value> {
    let now = SystemClock.now();
    let id = ConversationId::from_uuid(randomness::uuid(now));
    let new = Conversation {
        question: body["question"].as_str().unwrap_or_default().to_owned(),
        answer: ceiling.answer.clone(),
        language: Some("en".into()),
        ..Conversation::beginning(ceiling.site, id, randomness::uuid(now).to_string(), now)
    };
    let event = NewEvent {
        id: EventId::from_uuid(randomness::uuid(now)),
        event_type: EventType::ConversationCreated,
        conversation_id: Some(new.id),
        session_id: new.session_id.clone(),
        token_id: None,
        data: json!({ "conversationId": new.id, "question": new.question, "answer": new.answer }).to_string(),
    };
    let reply = json!({ "answer": new.answer, "sources": [], "conversationId": new.id });
    let written = ceiling.db.write(move |c| {
        Box::pin(async move {
            usage::take(c, new.site_id, now.month(), UNLIMITED_CREDITS, now).await?;
            conversations::insert(c, &new).await?;
            stats::add(c, new.site_id, now.day(), DailyCounts { questions: 1, ..DailyCounts::default() }).await?;
            events::append(c, new.site_id, now, vec![event]).await
        })
    });
    match written.await {
        Ok(_) => Json(reply),
        Err(error) => Json(json!({ "error": error.to_string() })),
    }
}

fn site() -> Site {
    let now = SystemClock.now();
    Site {
        id: SiteId::from_uuid(randomness::uuid(now)),
        name: "Ceiling".into(),
        owner_email: "owner@example.com".into(),
        plan: Plan::Scale,
        credit_limit: UNLIMITED_CREDITS,
        daily_credit_limit: None,
        address_credit_limit: None,
        retention: helpbot_domain::retention::DataRetention::default(),
        widget: WidgetConfig::default(),
        widget_texts: Default::default(),
        answer_settings: "{}".into(),
        created_at: now,
        updated_at: now,
    }
}
