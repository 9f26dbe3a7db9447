//! Tests of sites that are not as they should be: canonical URLs that lead nowhere, sitemaps in other places, pages that
//! fail one after the other, and one page under several addresses. Each is a kind of site from a public report.

use helpbot_domain::source::Source;

use crate::crawl::fixture::CrawlFixture;
use crate::crawl::web::{Served, Web};
use crate::crawl::{on_both_databases, page};

on_both_databases!(
    a_page_whose_original_does_not_exist_is_read,
    the_next_page_of_a_list_is_no_copy_of_the_first,
    sitemaps_are_found_in_other_places_and_indexes,
    sitemaps_on_another_host_are_few_and_follow_its_rules,
    pages_that_fail_do_not_end_the_crawl,
    one_page_under_several_addresses_is_read_once,
    a_start_that_scripts_fill_is_no_end,
    a_refresh_for_other_browsers_is_not_followed,
);

fn canonical(to: &str) -> String {
    format!("<link rel=\"canonical\" href=\"{to}\">")
}

fn sitemap(paths: &[&str], web: &Web) -> Served {
    let pages: String = paths.iter().map(|path| format!("<url><loc>{}</loc></url>", web.url(path))).collect();
    Served::of_type("application/xml", format!("<urlset>{pages}</urlset>").into_bytes())
}

/// The paths of the pages that answer after a crawl, in order.
async fn read(fixture: &CrawlFixture, source: &Source) -> Vec<String> {
    fixture.work().await;
    fixture.report(source).await.remove("fetched").unwrap_or_default().into_iter().collect()
}

async fn a_page_whose_original_does_not_exist_is_read(fixture: &CrawlFixture) {
    let web = Web::start().await;
    web.put("/", Served::html(page("0", &["/a.html", "/b.html", "/c-old.html"], "")));
    web.put("/a.html", Served::html(page("a", &[], &canonical("/gone/"))));
    web.put("/b.html", Served::html(page("b", &[], &canonical("/b"))));
    web.put("/b", Served::redirect(301, "/b.html"));
    web.put("/c-old.html", Served::html(page("c", &[], &canonical("/c"))));
    web.put("/c", Served::redirect(301, "/c.html"));
    web.put("/c.html", Served::html(page("c", &[], "")));

    let source = fixture.add_site(&web.url("/")).await;

    assert_eq!(read(fixture, &source).await, ["/", "/a.html", "/b.html", "/c.html"]);
}

async fn the_next_page_of_a_list_is_no_copy_of_the_first(fixture: &CrawlFixture) {
    let web = Web::start().await;
    web.put("/", Served::html(page("0", &["/faq/"], "")));
    web.put("/faq/", Served::html(page("one", &["/faq/page/2/"], &canonical("/faq/"))));
    web.put("/faq/page/2/", Served::html(page("two", &[], &canonical("/faq/"))));

    let source = fixture.add_site(&web.url("/")).await;

    assert_eq!(read(fixture, &source).await, ["/", "/faq/", "/faq/page/2/"]);
}

async fn sitemaps_are_found_in_other_places_and_indexes(fixture: &CrawlFixture) {
    let web = Web::start().await;
    let index = |path: &str| {
        let map = format!("<sitemapindex><sitemap><loc>{}</loc></sitemap></sitemapindex>", web.url(path));
        Served::of_type("application/xml", map.into_bytes())
    };
    web.put("/", Served::html(page("0", &[], "")));
    web.put("/wp-sitemap.xml", index("/maps/a.xml"));
    web.put("/maps/a.xml", index("/maps/b.xml"));
    web.put("/maps/b.xml", sitemap(&["/hidden.html", "/maps/c.xml"], &web));
    web.put("/maps/c.xml", sitemap(&["/deep.html"], &web));
    web.put("/hidden.html", Served::html(page("hidden", &[], "")));
    web.put("/deep.html", Served::html(page("deep", &[], "")));

    let source = fixture.add_site(&web.url("/")).await;

    assert_eq!(read(fixture, &source).await, ["/", "/deep.html", "/hidden.html"]);
}

async fn sitemaps_on_another_host_are_few_and_follow_its_rules(fixture: &CrawlFixture) {
    let (web, other) = (Web::start().await, Web::start().await);
    let maps: Vec<String> = (0..7).map(|n| format!("/map{n}.xml")).collect();
    let listed: String = maps.iter().map(|path| format!("Sitemap: {}\n", other.url(path))).collect();
    web.put("/robots.txt", Served::of_type("text/plain", listed.into_bytes()));
    other.put("/robots.txt", Served::of_type("text/plain", b"User-agent: *\nDisallow: /map1.xml".to_vec()));
    maps.iter().for_each(|path| other.put(path, sitemap(&[&path.replace("xml", "html")], &web)));
    web.put("/", Served::html(page("0", &[], "")));
    (0..7).for_each(|n| web.put(&format!("/map{n}.html"), Served::html(page(&format!("map {n}"), &[], ""))));

    let source = fixture.add_site(&web.url("/")).await;

    assert_eq!(read(fixture, &source).await, ["/", "/map0.html", "/map2.html", "/map3.html", "/map4.html"]);
    let asked: Vec<String> = other.take_hits().into_iter().map(|hit| hit.path).collect();
    assert_eq!(asked, ["/robots.txt", "/map0.xml", "/map2.xml", "/map3.xml", "/map4.xml"]);
    let reason = async |path: &str| {
        let url = other.url(path);
        let rows = fixture.pages(&source).await.into_iter().find(|page| page.url == url.as_str());
        rows.and_then(|page| page.reason).unwrap_or_default()
    };
    assert_eq!(reason("/map1.xml").await, "The robots.txt of its host does not allow it");
    assert_eq!(reason("/map6.xml").await, "No more than 5 sitemaps on other hosts are read");
}

async fn pages_that_fail_do_not_end_the_crawl(fixture: &CrawlFixture) {
    let web = Web::start().await;
    let broken: Vec<String> = (0..15_u8).map(|n| format!("/{}", char::from(b'a' + n))).collect();
    let mut links: Vec<&str> = broken.iter().map(String::as_str).collect();
    links.push("/last.html");
    web.put("/", Served::html(page("0", &links, "")));
    broken.iter().for_each(|path| web.put(path, Served::status(500)));
    web.put("/last.html", Served::html(page("last", &[], "")));

    let source = fixture.add_site(&web.url("/")).await;

    assert_eq!(read(fixture, &source).await, ["/", "/last.html"]);
}

async fn one_page_under_several_addresses_is_read_once(fixture: &CrawlFixture) {
    let web = Web::start().await;
    let links = ["/faq", "/faq.html", "/%7Eclub/", "/~club/", "/(S(lit3py55t21z5v55vlm25s55))/faq"];
    web.put("/", Served::html(page("0", &links, "")));
    for path in ["/faq", "/faq.html", links[4]] {
        web.put(path, Served::html(page("faq", &[], "")));
    }
    for path in ["/%7Eclub/", "/~club/"] {
        web.put(path, Served::html(page("club", &[], "")));
    }

    let source = fixture.add_site(&web.url("/")).await;

    assert_eq!(read(fixture, &source).await, ["/", "/faq", "/~club/"]);
}

async fn a_start_that_scripts_fill_is_no_end(fixture: &CrawlFixture) {
    let web = Web::start().await;
    web.put("/", Served::html("<html><body><div id=\"root\"></div><script src=\"/app.js\"></script></body></html>"));
    web.put("/sitemap.xml", sitemap(&["/faq.html"], &web));
    web.put("/faq.html", Served::html(page("faq", &[], "")));

    let source = fixture.add_site(&web.url("/")).await;

    assert_eq!(read(fixture, &source).await, ["/faq.html"]);
}

async fn a_refresh_for_other_browsers_is_not_followed(fixture: &CrawlFixture) {
    let web = Web::start().await;
    let refresh = "<meta http-equiv=\"refresh\" content=\"0; url=/old.html\">";
    let head = format!("<noscript>\n{refresh}\n</noscript><!--[if lt IE 9]>{refresh}<![endif]-->");
    web.put("/", Served::html(page("0", &[], &head)));
    web.put("/old.html", Served::html(page("old", &[], "")));

    let source = fixture.add_site(&web.url("/")).await;

    assert_eq!(read(fixture, &source).await, ["/"]);
}
