//! Sitemaps as XML, gzip or lines: bounded, and never of another site.

#![no_main]

use helpbot_ingest::crawl::plan::is_same_site;
use helpbot_ingest::sitemap::{self, URL_LIMIT};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|data: &[u8]| {
    let url = Url::parse("https://example.com/sitemap.xml").expect("a valid address");
    let Ok(sitemap) = sitemap::read(data, &url, &url, 1) else { return };
    assert!(sitemap.pages.len() + sitemap.sitemaps.len() <= URL_LIMIT);
    assert!(sitemap.pages.iter().chain(&sitemap.sitemaps).all(|found| is_same_site(&url, found)));
});
