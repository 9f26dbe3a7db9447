//! A small schema for tests of the transports. Its resolvers succeed, fail, panic, block, and return
//! streams that end, never end or fail to start.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{
    Context, Data, EmptySubscription, Object, Result, Schema, SchemaBuilder, SimpleObject, Subscription,
};
use futures_util::Stream;
use futures_util::stream::{self, StreamExt};
use helpbot_api::error::{ErrorCode, UserError, expected, top_level};
use helpbot_api::gateway::direct::DirectRules;
use helpbot_api::gateway::guard::model::SchemaRules;
use helpbot_api::schema::live::LiveDirective;
use helpbot_domain::Invalid;
use helpbot_services::{Error, Viewer};
use tokio::sync::Notify;

/// What the resolvers record for the tests.
#[derive(Clone, Default)]
pub struct Traces {
    /// How often `bump` was executed to its end.
    pub bumps: Arc<AtomicUsize>,
    /// How often the field `bumps` was read.
    pub reads: Arc<AtomicUsize>,
    /// Notified when a stream of `flood` or `silence` is dropped.
    pub dropped: Arc<Notify>,
    /// Lets `bump(slowly: true)` continue.
    pub go: Arc<Notify>,
}

pub fn builder() -> SchemaBuilder<Query, Mutation, Events> {
    Schema::build(Query, Mutation, Events).limit_depth(15).directive(LiveDirective)
}

/// Pages of any size.
pub const RULES: SchemaRules = SchemaRules {
    list_bounds: &[],
    public_fields: &["Query.hello", "Query.fails"],
    page_default: 20,
    page_max: usize::MAX,
    scalar_problem: |_, _| None,
    direct: DirectRules::NONE,
};

/// The request data of a viewer.
pub fn request_data(traces: &Traces, viewer: &Viewer) -> Data {
    let mut data = Data::default();
    data.insert(traces.clone());
    data.insert(viewer.clone());
    data
}

pub struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn bumps(&self, ctx: &Context<'_>) -> Result<usize> {
        let traces = ctx.data::<Traces>()?;
        traces.reads.fetch_add(1, Ordering::SeqCst);
        Ok(traces.bumps.load(Ordering::SeqCst))
    }

    async fn viewer_kind(&self, ctx: &Context<'_>) -> Result<&'static str> {
        Ok(ctx.data::<Viewer>()?.kind.as_str())
    }

    async fn echo(&self, n: i32) -> i32 {
        n
    }

    async fn list(&self, first: usize) -> Vec<Event> {
        (0..first.min(3)).map(|n| Event { cursor: n.to_string(), n }).collect()
    }

    async fn fails(&self) -> Result<Option<i32>> {
        Err(Error::internal("the password is hunter2").into())
    }

    async fn exhausted(&self) -> Result<Option<i32>> {
        Err(top_level(Error::CreditsExhausted { retry_after: Duration::from_millis(1_500) }))
    }

    async fn panics(&self) -> Option<i32> {
        Some(breaking())
    }

    async fn never(&self) -> Option<i32> {
        std::future::pending().await
    }
}

#[derive(SimpleObject)]
pub struct BumpPayload {
    bumps: Option<usize>,
    user_errors: Vec<UserError>,
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn bump(&self, ctx: &Context<'_>, #[graphql(default)] slowly: bool) -> Result<BumpPayload> {
        let traces = ctx.data::<Traces>()?;
        if slowly {
            traces.go.notified().await;
        }
        let bumps = traces.bumps.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(BumpPayload { bumps: Some(bumps), user_errors: Vec::new() })
    }

    async fn refuse(&self) -> Result<BumpPayload> {
        let rejected = expected(Invalid::new("endpoint.url", "url must be https").into())?;
        assert_eq!(rejected[0].code, ErrorCode::BadUserInput);
        Ok(BumpPayload { bumps: None, user_errors: rejected })
    }
}

#[derive(SimpleObject)]
pub struct Event {
    cursor: String,
    n: usize,
}

/// An event of `flood`.
#[derive(SimpleObject)]
pub struct Wave {
    cursor: String,
    n: usize,
    text: String,
}

fn breaking() -> i32 {
    panic!("a resolver panics on purpose")
}

pub struct Events;

#[Subscription]
impl Events {
    /// Returns the numbers after `after`, up to `to`.
    async fn count(&self, to: usize, after: Option<String>) -> Result<impl Stream<Item = Event>> {
        let after: usize = match after {
            Some(text) => text.parse().map_err(|_| top_level(Error::CursorExpired))?,
            None => 0,
        };
        Ok(stream::iter(after + 1..=to).map(|n| Event { cursor: n.to_string(), n }))
    }

    /// Returns a stream without events that never ends.
    async fn silence(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = i32>> {
        watched(ctx, stream::pending())
    }

    /// Returns more events than any client reads, starting after `after`.
    async fn flood(&self, ctx: &Context<'_>, after: Option<String>) -> Result<impl Stream<Item = Wave>> {
        let after: usize = after.map_or(Ok(0), |after| after.parse())?;
        watched(ctx, stream::iter(after + 1..).map(|n| Wave { cursor: n.to_string(), n, text: "x".repeat(32 * 1024) }))
    }

    async fn refused(&self) -> Result<impl Stream<Item = i32>> {
        Err::<stream::Empty<i32>, _>(top_level(Error::Forbidden(
            "This API key is not allowed to read conversations.".into(),
        )))
    }

    async fn breaks(&self) -> Result<impl Stream<Item = i32>> {
        Ok(stream::iter(0..2).map(|n| if n == 0 { n } else { breaking() }))
    }
}

fn watched<T>(ctx: &Context<'_>, stream: impl Stream<Item = T>) -> Result<impl Stream<Item = T>> {
    struct NotifyOnDrop(Arc<Notify>);
    impl Drop for NotifyOnDrop {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let guard = NotifyOnDrop(ctx.data::<Traces>()?.dropped.clone());
    Ok(stream.map(move |item| {
        let _held = &guard;
        item
    }))
}

/// A schema without subscriptions, to test that the gateway accepts one.
pub fn without_subscriptions() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    Schema::build(Query, Mutation, EmptySubscription)
}
