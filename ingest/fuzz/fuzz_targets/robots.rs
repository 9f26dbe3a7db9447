//! robots.txt: rules, delay and sitemaps.

#![no_main]

use helpbot_ingest::robots::{Fetched, LONGEST_DELAY, Robots};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|data: &[u8]| {
    let robots = Robots::read(Fetched::Found(data), "HelpBot");
    for path in ["", "a", "a/b.html?c=d", "%2f*$"] {
        let url = Url::parse("https://example.com/").and_then(|url| url.join(path)).expect("a valid address");
        let _ = robots.is_allowed(&url);
    }
    assert!(robots.crawl_delay().is_none_or(|delay| delay <= LONGEST_DELAY));
    let _ = robots.sitemaps();
});
