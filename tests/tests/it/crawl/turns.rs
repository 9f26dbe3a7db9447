//! Turns of several nodes at one host, on PostgreSQL.

use std::time::{Duration, Instant};

use helpbot_services::sources::crawl_turns;
use helpbot_tests::database::TestDatabase;
use helpbot_tests::{Page, Pages, TestApp, on_postgres, wait_for};
use tokio::time::sleep;

use crate::crawl::fixture::CrawlFixture;
use crate::crawl::page;
use crate::two_nodes::on_two_nodes;

const HOST: &str = "help.example.com:443";
const PAUSE: Duration = Duration::from_millis(50);
/// Longest difference between the clocks of two nodes, each of which asked the database for the time.
const CLOCKS: Duration = Duration::from_millis(10);
/// Longer than a lease that is not renewed.
const LONG_REQUEST: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_make_one_request_at_a_time_with_pauses() {
    const TURNS: usize = 8;
    on_two_nodes(async |first, second| {
        for node in [first, second] {
            wait_for("the other node", async || (node.services().rates().nodes() == 2).then_some(())).await;
        }
        let read = async |node: &TestApp, name: &str| {
            let mut requests = Vec::new();
            for _ in 0..TURNS {
                let turn = crawl_turns::wait(node.services(), HOST, name).await.expect("the nodes are not alone");
                let begun = Instant::now();
                sleep(Duration::from_millis(5)).await;
                requests.push((begun, Instant::now(), name.to_owned()));
                turn.end(node.services(), PAUSE).await;
            }
            requests
        };

        let (ones, others) = tokio::join!(read(first, "first"), read(second, "second"));

        let mut requests = [ones, others].concat();
        requests.sort();
        for pair in requests.windows(2) {
            let pause = pair[1].0.checked_duration_since(pair[0].1);
            assert!(pause.is_some_and(|pause| pause + CLOCKS >= PAUSE), "{pause:?} between {pair:?}");
        }
        let half = &requests[..TURNS];
        assert!(half.iter().any(|it| it.2 == "first") && half.iter().any(|it| it.2 == "second"), "both have turns");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_alone_takes_no_turns() {
    on_postgres(async |app| {
        let turn = async || crawl_turns::wait(app.services(), HOST, "alone").await.is_none().then_some(());
        wait_for("the certainty that there is no other node", turn).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_fetched_when_another_node_has_ended_its_request() {
    crate::crawl::run(TestDatabase::postgres().await, async |fixture: &CrawlFixture| {
        let pages = Pages::of([("/", Page::html(page("one", &[], "")))]).await;
        let url = pages.url("/");
        let host = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
        let turn = crawl_turns::wait(&fixture.services, &host, "another node").await.expect("a turn");
        fixture.add_site(&url).await;

        let others_turn = async {
            sleep(Duration::from_millis(500)).await;
            let early = pages.requests();
            turn.end(&fixture.services, Duration::ZERO).await;
            early
        };
        let ((), early) = tokio::join!(fixture.work(), others_turn);

        assert_eq!(early, Vec::<String>::new());
        assert!(pages.requests().contains(&"GET /".to_owned()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_lasts_as_long_as_its_request_and_ends_soon_without_it() {
    on_two_nodes(async |first, second| {
        for node in [first, second] {
            wait_for("the other node", async || (node.services().rates().nodes() == 2).then_some(())).await;
        }
        let turn = crawl_turns::wait(first.services(), HOST, "first").await.expect("the nodes are not alone");
        let next = tokio::time::timeout(LONG_REQUEST, crawl_turns::wait(second.services(), HOST, "second")).await;
        assert!(next.is_err(), "the request still goes on");

        // As when its node is killed.
        drop(turn);
        let next = tokio::time::timeout(LONG_REQUEST, crawl_turns::wait(second.services(), HOST, "second")).await;
        assert!(next.is_ok(), "the lease has ended");
    })
    .await;
}
