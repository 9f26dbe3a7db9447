//! Tests of cursors under load: five concurrent writers create thousands of events, and watchers that are interrupted at every
//! point of the event log resume from their last cursor. Two of them use WebSocket and server-sent events. Also tests
//! cursors whose events were deleted.

use futures_util::future::join_all;
use futures_util::{FutureExt as _, StreamExt as _};
use helpbot_domain::conversation::Vote;
use helpbot_domain::event::Event;
use helpbot_domain::ids::ConversationId;
use helpbot_services::conversations::{self, NewQuestion};
use helpbot_services::runtime::events::{self, Watch};
use helpbot_services::{Error, Services, Viewer};
use helpbot_tests::{Client, Socket, TestApp, TestSite, in_time, on_both_backends};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

on_both_backends!(
    watchers_cut_off_at_every_point_of_a_long_log_see_all_of_it,
    a_cursor_whose_events_are_kept_no_more_says_so,
    a_replay_whose_rest_is_forgotten_meanwhile_says_so,
);

/// Events in the log when everything is written. `HELPBOT_LOG_EVENTS`, a multiple of 1,000, makes the log longer.
static EVENTS: LazyLock<i64> = LazyLock::new(|| {
    std::env::var("HELPBOT_LOG_EVENTS").map_or(2_000, |events| events.parse().expect("a number of events"))
});
const WRITERS: i64 = 5;
/// Watchers, each of which is cut off at every so-manieth event: together, at every one.
const WATCHERS: i64 = 5;
/// Events after which a watcher over the wire is cut off: at least ten connections each.
const WIRE_CUT: usize = 200;
/// One day more than events are kept.
const PAST_RETENTION: Duration = Duration::from_secs(91 * 86_400);
const WATCH: &str = "subscription ($after: String) { conversationEvents(after: $after) { id cursor } }";

/// What a watcher saw: place and id of each event.
type Seen = Vec<(i64, String)>;

async fn watchers_cut_off_at_every_point_of_a_long_log_see_all_of_it(app: &TestApp) {
    let site = app.site().create().await;
    let conversations = join_all((0..WRITERS).map(|_| asked(app, &site))).await;
    // The questions' own events stand first: two each, for nothing answers them.
    let first = WRITERS * 2;

    let writers = conversations.iter().map(|id| write(app, &site, *id, (*EVENTS - first) / WRITERS));
    let watchers = (0..WATCHERS).map(|number| watch(app, &site, number + 1));
    let on_the_wire = join_all([watch_socket(app, &site).boxed(), watch_stream(app, &site).boxed()]);
    let (_, watched, wire) = tokio::join!(join_all(writers), join_all(watchers), on_the_wire);

    let log = read(app, &site).await;
    assert_eq!(log.len(), usize::try_from(*EVENTS).expect("it is positive"));
    assert!(log.iter().zip(1..).all(|((seq, _), place)| *seq == place), "the log has no gap and rises");
    for (number, seen) in watched.iter().enumerate() {
        let differs = seen.iter().zip(&log).position(|(seen, kept)| seen != kept);
        assert_eq!(differs, None, "watcher {number} differs from the log");
        assert_eq!(seen.len(), log.len(), "watcher {number}");
    }
    let ids: Vec<&String> = log.iter().map(|(_, id)| id).collect();
    for (seen, way) in wire.iter().zip(["socket", "stream"]) {
        let differs = seen.iter().zip(&ids).position(|(seen, kept)| seen != *kept);
        assert_eq!((differs, seen.len()), (None, ids.len()), "the watcher over a {way} differs from the log");
    }
}

async fn asked(app: &TestApp, site: &TestSite<'_>) -> ConversationId {
    let new = NewQuestion { site: Some(site.id), question: "Open?".into(), ..NewQuestion::default() };
    conversations::ask(app.services(), app.operator(), new, None).await.expect("an answer").conversation.id
}

/// Writes `count` events to a conversation, one after the other: a vote that changes its mind.
async fn write(app: &TestApp, site: &TestSite<'_>, id: ConversationId, count: i64) {
    for n in 0..count {
        let vote = Vote::from_bool(n % 2 == 0);
        conversations::vote(
            app.services(),
            app.operator(),
            Some(site.id),
            id,
            vote,
            conversations::VoteDetails::default(),
        )
        .await
        .expect("a vote");
    }
}

/// Reads all events and is cut off after the first `first`, and after each [`WATCHERS`] more.
async fn watch(app: &TestApp, site: &TestSite<'_>, first: i64) -> Seen {
    let mut seen = Seen::new();
    let mut cursor = site.beginning();
    let mut until_cut = first;
    while seen.len() < usize::try_from(*EVENTS).expect("it is positive") {
        let taken = take(app.services(), app.operator(), site, &cursor, until_cut).await;
        cursor = events::cursor(taken.last().expect("each connection hears something"));
        seen.extend(taken.iter().map(|event| (event.seq, event.id.to_string())));
        until_cut = WATCHERS.min(*EVENTS - seen.len() as i64);
    }
    seen
}

/// Reads all events over WebSockets, each cut off after [`WIRE_CUT`]; their ids.
async fn watch_socket(app: &TestApp, site: &TestSite<'_>) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), json!(site.beginning()));
    while seen.len() < usize::try_from(*EVENTS).expect("it is positive") {
        let mut socket = app.client(&site.secret_key).socket().await;
        let watching = socket.subscribe(WATCH, json!({ "after": cursor })).await;
        for _ in 0..WIRE_CUT {
            let event = socket.next(&watching).await["conversationEvents"].take();
            seen.push(event["id"].as_str().expect("an id").to_owned());
            cursor = event["cursor"].clone();
        }
        socket.cut();
    }
    seen
}

/// The same over server-sent events, as a browser comes back: with `Last-Event-ID`.
async fn watch_stream(app: &TestApp, site: &TestSite<'_>) -> Vec<String> {
    let (mut seen, mut last) = (Vec::new(), site.beginning());
    while seen.len() < usize::try_from(*EVENTS).expect("it is positive") {
        let mut stream = EventStream::open(&app.client(&site.secret_key), &last).await;
        for _ in 0..WIRE_CUT {
            let event = stream.next().await.expect("the stream goes on");
            seen.push(event.data["data"]["conversationEvents"]["id"].as_str().expect("an id").to_owned());
            last = event.id.expect("an event bears its cursor");
        }
    }
    seen
}

/// A stream of server-sent events.
struct EventStream {
    response: reqwest::Response,
    text: String,
}

/// The payload that a browser receives in `next`.
struct Told {
    id: Option<String>,
    data: Value,
}

impl EventStream {
    async fn open(client: &Client, last_event_id: &str) -> Self {
        let body = json!({ "query": WATCH }).to_string();
        let request = client
            .request(Method::POST, "/graphql/stream")
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .header("last-event-id", last_event_id)
            .body(body);
        let response = in_time("the stream", request.send()).await.expect("the server answers");
        assert_eq!(response.status(), 200);
        Self { response, text: String::new() }
    }

    /// The next result; none at the end.
    async fn next(&mut self) -> Option<Told> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
                let (id, data, kind) = (field("id: "), field("data: "), field("event: "));
                self.text = rest.to_owned();
                match kind.as_deref() {
                    Some("next") => {
                        let data = data.expect("a result has data");
                        return Some(Told { id, data: serde_json::from_str(&data).expect("data is JSON") });
                    }
                    Some("complete") => return None,
                    _ => {}
                }
            }
            let chunk = in_time("more of the stream", self.response.chunk()).await.expect("the stream is whole")?;
            self.text.push_str(std::str::from_utf8(&chunk).expect("pieces end between characters: it is all ASCII"));
        }
    }
}

async fn a_cursor_whose_events_are_kept_no_more_says_so(app: &TestApp) {
    let site = app.site().create().await;
    let conversation = asked(app, &site).await;
    let events = take(app.services(), app.operator(), &site, &site.beginning(), 2).await;
    let (first, last) = (events::cursor(&events[0]), events::cursor(&events[1]));
    app.pass(PAST_RETENTION);
    assert_eq!(events::delete_expired(app.services()).await.expect("the database answers"), events.len());

    let mut socket = site.owner().socket().await;
    let told_by_socket = async |socket: &mut Socket, cursor: &str| {
        let watching = socket.subscribe(WATCH, json!({ "after": cursor })).await;
        let frame = socket.frame_of(&watching).await;
        assert_eq!(frame["type"], "error", "{frame}");
        frame["payload"][0]["extensions"]["code"].clone()
    };
    let mut stream = EventStream::open(&site.owner(), &first).await;
    let told_by_stream = stream.next().await.expect("an answer").data;

    assert_eq!(told_by_socket(&mut socket, &first).await, "CURSOR_EXPIRED");
    assert_eq!(told_by_socket(&mut socket, &site.beginning()).await, "CURSOR_EXPIRED");
    assert_eq!(told_by_stream["errors"][0]["extensions"]["code"], "CURSOR_EXPIRED");
    assert!(stream.next().await.is_none(), "the stream ends");
    // Nothing after the newest was lost, however old it is.
    let watching = socket.subscribe(WATCH, json!({ "after": last })).await;
    write(app, &site, conversation, 1).await;
    assert!(socket.next(&watching).await["conversationEvents"]["id"].is_string());
}

async fn a_replay_whose_rest_is_forgotten_meanwhile_says_so(app: &TestApp) {
    let site = app.site().create().await;
    let conversation = asked(app, &site).await;
    // More than is read from the log at a time.
    write(app, &site, conversation, 700).await;
    let watch = Watch { site: Some(site.id), after: Some(site.beginning()), ..Watch::default() };
    let mut events = Box::pin(events::watch(app.services(), app.operator(), watch).await.expect("a cursor"));
    let mut told = Vec::new();
    told.push(events.next().await.expect("the first event").expect("it is kept").seq);

    app.pass(PAST_RETENTION);
    events::delete_expired(app.services()).await.expect("the database answers");

    let end = helpbot_tests::in_time("the end of the replay", async {
        loop {
            match events.next().await {
                Some(Ok(event)) => told.push(event.seq),
                Some(Err(error)) => break error,
                None => panic!("it ended without a word"),
            }
        }
    })
    .await;

    assert!(matches!(end, Error::CursorExpired), "{end:?}");
    assert!(told.iter().zip(1..).all(|(seq, place)| *seq == place), "no gap before the end: {told:?}");
    assert!(events.next().await.is_none());
}

/// The next `count` events after `cursor`, over a connection of their own.
async fn take(services: &Services, viewer: &Viewer, site: &TestSite<'_>, cursor: &str, count: i64) -> Vec<Arc<Event>> {
    let watch = Watch { site: Some(site.id), after: Some(cursor.to_owned()), ..Watch::default() };
    let events = events::watch(services, viewer, watch).await.expect("a cursor of the log");
    let count = usize::try_from(count).expect("it is positive");
    let taken = helpbot_tests::in_time("the next events", events.take(count).collect::<Vec<_>>()).await;
    taken.into_iter().map(|event| event.expect("the log is kept")).collect()
}

/// The whole log, in one piece.
async fn read(app: &TestApp, site: &TestSite<'_>) -> Seen {
    let events = take(app.services(), app.operator(), site, &site.beginning(), *EVENTS).await;
    events.iter().map(|event| (event.seq, event.id.to_string())).collect()
}
