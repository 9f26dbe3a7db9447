//! Cursors under load: ten thousand events of five writers at once, read by watchers that are cut
//! off at every point of the log and come back with the last cursor they saw.

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use helpbot_domain::conversation::Vote;
use helpbot_domain::event::Event;
use helpbot_domain::ids::ConversationId;
use helpbot_services::conversations::{self, NewQuestion};
use helpbot_services::events::{self, Watch};
use helpbot_services::{Services, Viewer};
use helpbot_tests::{TestApp, TestSite, on_both_backends};
use std::sync::Arc;

on_both_backends!(watchers_cut_off_at_every_point_of_ten_thousand_events_see_the_log,);

/// Events in the log when all is written.
const EVENTS: i64 = 10_000;
const WRITERS: i64 = 5;
/// Watchers, each of which is cut off at every so-manieth event: together, at every one.
const WATCHERS: i64 = 5;

/// What a watcher saw: place and id of each event.
type Seen = Vec<(i64, String)>;

async fn watchers_cut_off_at_every_point_of_ten_thousand_events_see_the_log(app: &TestApp) {
    let site = app.site().create().await;
    let conversations = join_all((0..WRITERS).map(|_| asked(app, &site))).await;
    // The questions' own events stand first: two each, for nothing answers them.
    let first = WRITERS * 2;

    let writers = conversations.iter().map(|id| write(app, &site, *id, (EVENTS - first) / WRITERS));
    let watchers = (0..WATCHERS).map(|number| watch(app, &site, number + 1));
    let (_, watched) = tokio::join!(join_all(writers), join_all(watchers));

    let log = read(app, &site).await;
    assert_eq!(log.len(), usize::try_from(EVENTS).expect("it is positive"));
    assert!(log.iter().zip(1..).all(|((seq, _), place)| *seq == place), "the log has no gap and rises");
    for (number, seen) in watched.iter().enumerate() {
        let differs = seen.iter().zip(&log).position(|(seen, kept)| seen != kept);
        assert_eq!(differs, None, "watcher {number} differs from the log");
        assert_eq!(seen.len(), log.len(), "watcher {number}");
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
        conversations::vote(app.services(), app.operator(), Some(site.id), id, vote).await.expect("a vote");
    }
}

/// Reads all events and is cut off after the first `first`, and after each [`WATCHERS`] more.
async fn watch(app: &TestApp, site: &TestSite<'_>, first: i64) -> Seen {
    let mut seen = Seen::new();
    let mut cursor = site.beginning();
    let mut until_cut = first;
    while seen.len() < usize::try_from(EVENTS).expect("it is positive") {
        let taken = take(app.services(), app.operator(), site, &cursor, until_cut).await;
        cursor = events::cursor(taken.last().expect("each connection hears something"));
        seen.extend(taken.iter().map(|event| (event.seq, event.id.to_string())));
        until_cut = WATCHERS.min(EVENTS - seen.len() as i64);
    }
    seen
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
    let events = take(app.services(), app.operator(), site, &site.beginning(), EVENTS).await;
    events.iter().map(|event| (event.seq, event.id.to_string())).collect()
}
