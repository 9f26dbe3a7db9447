//! Tests of crawls of a loopback site, from adding the source to its chunks: which pages are read, which requests are sent,
//! what a second sync costs, and the effects of a crash, a deletion and a hostile server. They run on both databases,
//! without pauses between requests.

mod fixture;
mod hostile;
mod large;
mod odd_sites;
mod over_graphql;
mod reading;
mod rules;
mod size;
mod turns;
mod upkeep;
mod web;

use helpbot_tests::database::{self, TestDatabase};

use crate::crawl::fixture::CrawlFixture;

/// Makes two tests of each function, `name::sqlite` and `name::postgres`.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                crate::crawl::run(Some(helpbot_tests::database::TestDatabase::sqlite()), super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                crate::crawl::run(helpbot_tests::database::TestDatabase::postgres().await, super::$name).await;
            }
        }
    )+};
}
pub(crate) use on_both_databases;

async fn run(database: Option<TestDatabase>, test: impl AsyncFnOnce(&CrawlFixture)) {
    let with_house = async move |database: &TestDatabase| {
        let fixture = CrawlFixture::over(database).await;
        database::ended(test(&fixture), fixture.services.close()).await;
    };
    database::with(database, with_house).await;
}

/// A help page of three questions, whose words are its own.
fn page(name: &str, links: &[&str], head: &str) -> String {
    let links: String = links.iter().map(|link| format!("<li><a href=\"{link}\">More about it</a></li>")).collect();
    let about = ["deliver", "return", "repair"].map(|verb| {
        format!(
            "<h3 id=\"{verb}\">How do I {verb} article {name}?</h3><p>To {verb} article {name}, write to the people \
             of department {name}, who answer within {} days.</p>",
            name.len() + verb.len()
        )
    });
    format!(
        "<!doctype html><html lang=\"en\"><head><title>Article {name}</title>{head}</head><body><main>\
         <h1>Article {name}</h1>{}<ul>{links}</ul></main></body></html>",
        about.concat()
    )
}
