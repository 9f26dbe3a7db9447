//! Parses sitemaps (sitemaps.org): lists of pages and indexes, as XML, gzip or plain text, and feeds in their place.
//!
//! The crawl fetches sitemaps and queues their pages. A sitemap is never trusted: it may be a decompression bomb or
//! refer to other hosts or to itself.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use url::Url;

use crate::charset;
use crate::crawl::plan;
use crate::extract::fragment;
use crate::files::xml;

/// Maximum number of URLs of one sitemap, as in the protocol.
pub const URL_LIMIT: usize = 50_000;

/// Maximum size of a sitemap after decompression, in bytes, as in the protocol.
pub const DECODED_LIMIT_BYTES: u64 = 50 * 1024 * 1024;

/// Number of levels: an index and its sitemaps. The protocol forbids an index in an index, but large sites have them.
pub const LEVEL_LIMIT: u8 = 4;

/// Maximum length of a URL in bytes, as in the protocol.
const ADDRESS_LIMIT_BYTES: usize = 2048;

/// Maximum nesting of elements. Extensions for images and videos use four levels.
const DEPTH_LIMIT: usize = 16;

/// Content of one sitemap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sitemap {
    /// Pages in document order, repeats included: absolute, without fragment, on the site that is crawled. Their dates
    /// of change are not kept: many sites set a new date for all pages with each build, or none, and the validators of
    /// the pages cost as little.
    pub pages: Vec<Url>,
    /// The sitemaps of an index, on the site or on the host of the index. Empty at the last level.
    pub sitemaps: Vec<Url>,
    /// Number of URLs that were left out because they are on other hosts, too long or not http(s).
    pub refused: usize,
    /// Whether the sitemap has more than [`URL_LIMIT`] URLs or is truncated. The URLs before that point are valid.
    pub is_truncated: bool,
}

/// Reason why a sitemap could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SitemapError {
    /// The gzip data is broken.
    #[error("its compression is damaged")]
    Damaged,
    /// Larger than [`DECODED_LIMIT_BYTES`].
    #[error("it is larger than {DECODED_LIMIT_BYTES} bytes")]
    TooLarge,
    /// HTML, a feed or something else.
    #[error("it is not a sitemap")]
    NotASitemap,
}

/// Parses the sitemap at `url` for the site of `site`. The two differ when a site keeps its sitemaps on another host.
/// `level` is 1 for a sitemap that robots.txt lists, and 2 for one in an index.
///
/// # Errors
/// `Damaged` and `TooLarge` while decompressing, `NotASitemap` for everything that is neither XML
/// with the root `urlset` or `sitemapindex` nor a list of addresses.
pub fn read(bytes: &[u8], url: &Url, site: &Url, level: u8) -> Result<Sitemap, SitemapError> {
    let bytes = decompressed(bytes)?;
    let (text, _) = charset::decode(&bytes, None);
    let start = text.trim_start();
    let mut sitemap = match xml_start(start) {
        Some(at) => read_xml(&start[at..], Builder::new(url, site))?,
        None => read_lines(start, Builder::new(url, site))?,
    };
    if level >= LEVEL_LIMIT {
        sitemap.sitemaps.clear();
    }
    Ok(sitemap)
}

fn decompressed(bytes: &[u8]) -> Result<Cow<'_, [u8]>, SitemapError> {
    const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
    if !bytes.starts_with(&GZIP_MAGIC) {
        let is_small = bytes.len() as u64 <= DECODED_LIMIT_BYTES;
        return is_small.then_some(Cow::Borrowed(bytes)).ok_or(SitemapError::TooLarge);
    }
    let mut decoded = Vec::new();
    MultiGzDecoder::new(bytes)
        .take(DECODED_LIMIT_BYTES + 1)
        .read_to_end(&mut decoded)
        .map_err(|_| SitemapError::Damaged)?;
    if decoded.len() as u64 > DECODED_LIMIT_BYTES {
        return Err(SitemapError::TooLarge);
    }
    Ok(Cow::Owned(decoded))
}

/// How far into a file its XML may begin, in bytes: programs write warnings before it.
const PREFACE_BYTES: usize = 8 * 1024;

/// Returns where the XML of a sitemap begins. `None` for a text without XML.
fn xml_start(text: &str) -> Option<usize> {
    let window = text[..text.floor_char_boundary(PREFACE_BYTES)].to_ascii_lowercase();
    let starts = ["<?xml", "<urlset", "<sitemapindex"].into_iter().filter_map(|start| window.find(start));
    starts.min().or_else(|| text.starts_with('<').then_some(0))
}

/// Parses one URL per line, as the protocol allows, or one path.
fn read_lines(text: &str, mut reader: Builder<'_>) -> Result<Sitemap, SitemapError> {
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if Url::parse(line).is_err() && !line.starts_with('/') {
            return Err(SitemapError::NotASitemap);
        }
        reader.add_page(line);
    }
    if reader.sitemap.pages.is_empty() { Err(SitemapError::NotASitemap) } else { Ok(reader.sitemap) }
}

fn read_xml(text: &str, mut builder: Builder<'_>) -> Result<Sitemap, SitemapError> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    // Programs write addresses with parameters as they are.
    reader.config_mut().allow_dangling_amp = true;
    let (mut depth, mut references) = (0_usize, 0_usize);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                depth += 1;
                builder.open(&name(element.local_name().as_ref()), depth)?;
                builder.alternate(&element);
            }
            Ok(Event::Empty(element)) => builder.alternate(&element),
            Ok(Event::End(element)) => {
                depth = depth.saturating_sub(1);
                builder.close(&name(element.local_name().as_ref()));
            }
            Ok(Event::Text(text)) => builder.text(&text),
            Ok(Event::CData(text)) => builder.text(&text),
            Ok(Event::GeneralRef(reference)) => {
                let resolved = reference.resolve_char_ref().ok().flatten();
                references += 1;
                let known = || if references <= REFERENCES_MAX { entity(&reference) } else { String::new() };
                builder.text(&resolved.map_or_else(known, String::from));
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => {
                builder.sitemap.is_truncated = true;
                break;
            }
        }
        if depth > DEPTH_LIMIT || builder.is_full() {
            builder.sitemap.is_truncated = true;
            break;
        }
    }
    if builder.root.is_none() { Err(SitemapError::NotASitemap) } else { Ok(builder.sitemap) }
}

/// The text of a reference by name. XML has five; some programs write those of HTML.
fn entity(name: &str) -> String {
    match xml::entity(name) {
        "" if name.len() <= ENTITY_BYTES => {
            let text = fragment::line(&format!("&{name};"));
            if text.starts_with('&') { String::new() } else { text }
        }
        known => known.to_owned(),
    }
}

/// The most references of a sitemap that are resolved, each of which costs as much as parsing a line of HTML.
const REFERENCES_MAX: usize = 200_000;

/// The longest name of a character in HTML that addresses have, in bytes.
const ENTITY_BYTES: usize = 7;

/// The name of an element as the protocol writes it.
fn name(local: &str) -> String {
    local.to_ascii_lowercase()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SitemapRoot {
    Pages,
    Index,
    /// RSS or Atom, which lists the latest pages.
    Feed,
}

struct Builder<'a> {
    url: &'a Url,
    site: &'a Url,
    root: Option<SitemapRoot>,
    text: String,
    address: Option<String>,
    sitemap: Sitemap,
}

impl<'a> Builder<'a> {
    fn new(url: &'a Url, site: &'a Url) -> Self {
        Self { url, site, root: None, text: String::new(), address: None, sitemap: Sitemap::default() }
    }

    fn is_full(&self) -> bool {
        self.sitemap.pages.len() + self.sitemap.sitemaps.len() >= URL_LIMIT || self.sitemap.refused >= URL_LIMIT
    }

    fn open(&mut self, name: &str, depth: usize) -> Result<(), SitemapError> {
        self.text.clear();
        if depth == 1 {
            self.root = Some(match name {
                "urlset" => SitemapRoot::Pages,
                "sitemapindex" => SitemapRoot::Index,
                "rss" | "feed" | "rdf" => SitemapRoot::Feed,
                _ => return Err(SitemapError::NotASitemap),
            });
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if self.text.len() + text.len() <= ADDRESS_LIMIT_BYTES * 2 {
            self.text.push_str(text);
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            // Extensions have `loc` elements too, after that of the page.
            "loc" if self.address.is_none() => self.address = Some(self.text.trim().to_owned()),
            // The element decides and not the root, which some programs choose wrongly.
            "url" | "sitemap" => {
                if let Some(address) = self.address.take() {
                    let path = address.split(['?', '#']).next().unwrap_or_default();
                    if name == "sitemap" || is_sitemap_path(path) {
                        self.add_sitemap(&address);
                    } else {
                        self.add_page(&address);
                    }
                }
            }
            "link" if self.root == Some(SitemapRoot::Feed) && !self.text.trim().is_empty() => {
                let address = self.text.trim().to_owned();
                self.add_page(&address);
            }
            _ => {}
        }
        self.text.clear();
    }

    /// The same page in another language, as `xhtml:link` names it, or the page of an entry of Atom.
    fn alternate(&mut self, element: &quick_xml::events::BytesStart<'_>) {
        if element.local_name().as_ref() != "link" {
            return;
        }
        let (mut is_alternate, mut address) = (self.root == Some(SitemapRoot::Feed), None);
        for attribute in element.attributes().with_checks(false).flatten() {
            match attribute.key.local_name().as_ref() {
                "rel" => is_alternate = &*attribute.value == "alternate",
                "href" => {
                    address = attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
                }
                _ => {}
            }
        }
        if let (true, Some(address)) = (is_alternate && self.root != Some(SitemapRoot::Index), address) {
            self.add_page(&address);
        }
    }

    fn add_page(&mut self, address: &str) {
        match self.absolute(address).filter(|url| plan::is_same_site(self.site, url)) {
            Some(url) if self.sitemap.pages.len() < URL_LIMIT => self.sitemap.pages.push(url),
            Some(_) => self.sitemap.is_truncated = true,
            None => self.sitemap.refused += 1,
        }
    }

    fn add_sitemap(&mut self, address: &str) {
        let is_near = |url: &Url| plan::is_same_site(self.site, url) || plan::is_same_site(self.url, url);
        match self.absolute(address).filter(is_near) {
            Some(url) if url != *self.url => self.sitemap.sitemaps.push(url),
            _ => self.sitemap.refused += 1,
        }
    }

    /// The absolute address without its fragment. An address that begins with the host of the site lacks its scheme.
    fn absolute(&self, address: &str) -> Option<Url> {
        if address.len() > ADDRESS_LIMIT_BYTES {
            return None;
        }
        let host = self.site.host_str().unwrap_or_default();
        let has_host = address.strip_prefix(host).is_some_and(|rest| rest.starts_with(['/', ':']));
        let whole = has_host.then(|| format!("{}://{address}", self.site.scheme()));
        let mut url = self.url.join(whole.as_deref().unwrap_or(address)).ok()?;
        url.set_fragment(None);
        Some(url)
    }
}

/// Whether a path is that of a sitemap by its extension. No page has it.
pub(crate) fn is_sitemap_path(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.ends_with(".xml") || path.ends_with(".xml.gz")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn here() -> Url {
        Url::parse("https://example.com/sitemap.xml").expect("a valid address")
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("a vector takes everything");
        encoder.finish().expect("a vector takes everything")
    }

    const PAGES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
        <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="urn:image">
          <url><loc> https://example.com/faq?a=1&amp;b=2#top </loc><lastmod>2026-01-02</lastmod></url>
          <url><loc><![CDATA[/help]]></loc><image:image><image:loc>/x.png</image:loc></image:image></url>
          <url><loc>https://elsewhere.example/</loc></url>
          <url><loc>ftp://example.com/</loc></url>
        </urlset>"#;

    #[test]
    fn pages_of_the_sitemaps_own_host_are_listed() {
        let sitemap = read(PAGES.as_bytes(), &here(), &here(), 1).expect("a sitemap");

        let pages: Vec<_> = sitemap.pages.iter().map(Url::as_str).collect();
        assert_eq!(pages, ["https://example.com/faq?a=1&b=2", "https://example.com/help"]);
        assert_eq!(sitemap.refused, 2);
        assert!(!sitemap.is_truncated);
    }

    #[test]
    fn gzip_and_plain_lists_are_read() {
        assert_eq!(read(&gzip(PAGES.as_bytes()), &here(), &here(), 1), read(PAGES.as_bytes(), &here(), &here(), 1));

        let shouted = read(b"<URLSET><URL><LOC>/a</LOC></URL></URLSET>", &here(), &here(), 1).expect("a sitemap");
        assert_eq!(shouted.pages[0].path(), "/a");
        assert_eq!(read(b"/a\n/b\n", &here(), &here(), 1).expect("a list of paths").pages.len(), 2);

        let list = read(b"\xef\xbb\xbfhttps://example.com/a\r\nhttps://example.com/b\n", &here(), &here(), 1);
        assert_eq!(list.expect("a list").pages.len(), 2);
    }

    #[test]
    fn index_lists_sitemaps_up_to_the_last_level() {
        let index = "<sitemapindex><sitemap><loc>/a.xml.gz</loc></sitemap>\
            <sitemap><loc>/sitemap.xml</loc></sitemap></sitemapindex>";

        let first = read(index.as_bytes(), &here(), &here(), 1).expect("an index");
        let last = read(index.as_bytes(), &here(), &here(), LEVEL_LIMIT).expect("an index");

        assert_eq!(first.sitemaps.iter().map(Url::path).collect::<Vec<_>>(), ["/a.xml.gz"]);
        assert!(last.sitemaps.is_empty());
    }

    fn paths(text: &str) -> Vec<String> {
        let sitemap = read(text.as_bytes(), &here(), &here(), 1).expect("a sitemap");
        sitemap.pages.iter().map(|url| url[url::Position::BeforePath..].to_owned()).collect()
    }

    #[test]
    fn addresses_that_are_not_escaped_are_read() {
        let pages = "<urlset><url><loc>/a?b=1&c=2</loc></url><url><loc>/caf&eacute;</loc></url>\
            <url><loc>example.com/d</loc></url></urlset>";

        assert_eq!(paths(pages), ["/a?b=1&c=2", "/caf%C3%A9", "/d"]);
    }

    #[test]
    fn what_programs_write_before_a_sitemap_is_passed_over() {
        let notice = "<br />\n<b>Notice</b>: Undefined index<br />\n<?xml version='1.0'?><urlset><url><loc>/a</loc>\
            </url></urlset>";

        assert_eq!(paths(notice), ["/a"]);
        assert_eq!(paths("Warning: no language <urlset><url><loc>/a</loc></url></urlset>"), ["/a"]);
    }

    #[test]
    fn elements_decide_what_is_listed_and_not_the_root() {
        let mixed = "<urlset><url><loc>/maps/b.xml.gz</loc></url><url><loc>/a</loc></url></urlset>";
        let sitemap = read(mixed.as_bytes(), &here(), &here(), 1).expect("a sitemap");

        assert_eq!((sitemap.sitemaps[0].path(), sitemap.pages[0].path()), ("/maps/b.xml.gz", "/a"));
        assert_eq!(paths("<sitemapindex><url><loc>/a</loc></url></sitemapindex>"), ["/a"]);
    }

    #[test]
    fn feeds_list_pages_too() {
        let rss = "<rss><channel><link>/</link><item><link>/a</link></item></channel></rss>";
        let atom = "<feed><link rel='self' href='/f'/><entry><link href='/a'/><link rel='alternate' href='/b'></link>\
            </entry></feed>";

        assert_eq!(paths(rss), ["/", "/a"]);
        assert_eq!(paths(atom), ["/a", "/b"]);
    }

    #[test]
    fn a_sitemap_on_another_host_lists_pages_of_the_site_alone() {
        let elsewhere = Url::parse("https://files.example.net/map.xml").expect("a valid address");
        let pages = "<urlset><url><loc>https://example.com/a</loc></url><url><loc>/b</loc></url></urlset>";
        let sitemap = read(pages.as_bytes(), &elsewhere, &here(), 1).expect("a sitemap");

        assert_eq!(sitemap.pages.iter().map(Url::as_str).collect::<Vec<_>>(), ["https://example.com/a"]);
    }

    /// Ten entities, each with ten of the previous one, which would expand to 10 GB.
    fn billion_laughs() -> String {
        let entities: String =
            (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
        format!(
            "<!DOCTYPE urlset [<!ENTITY l0 \"ha ha ha ha\">{entities}]><urlset><url><loc>/faq&l9;</loc></url></urlset>"
        )
    }

    #[test]
    fn hostile_sitemaps_end_with_a_reason() {
        let bomb = gzip(&vec![b' '; DECODED_LIMIT_BYTES as usize + 1]);
        assert_eq!(read(&bomb, &here(), &here(), 1), Err(SitemapError::TooLarge));
        assert_eq!(read(&gzip(PAGES.as_bytes())[..40], &here(), &here(), 1), Err(SitemapError::Damaged));
        assert_eq!(read(b"<html><body>404</body></html>", &here(), &here(), 1), Err(SitemapError::NotASitemap));
        assert_eq!(read(b"not found", &here(), &here(), 1), Err(SitemapError::NotASitemap));
        assert_eq!(read(b"", &here(), &here(), 1), Err(SitemapError::NotASitemap));

        let sitemap = read(billion_laughs().as_bytes(), &here(), &here(), 1).expect("a sitemap");
        assert_eq!(sitemap.pages[0].path(), "/faq");
    }

    #[test]
    fn addresses_over_the_limit_are_left_out() {
        let body: String = (0..URL_LIMIT + 10).map(|n| format!("<url><loc>/{n}</loc></url>")).collect();

        let sitemap = read(format!("<urlset>{body}</urlset>").as_bytes(), &here(), &here(), 1).expect("a sitemap");

        assert_eq!(sitemap.pages.len(), URL_LIMIT);
        assert!(sitemap.is_truncated);
    }

    #[test]
    fn broken_end_and_deep_nesting_keep_what_came_before() {
        let broken = "<urlset><url><loc>/a</loc></url><url><loc>/b</lo";
        let deep = format!("<urlset><url><loc>/a</loc></url>{}", "<x>".repeat(100_000));

        assert_eq!(read(broken.as_bytes(), &here(), &here(), 1).expect("a sitemap").pages.len(), 1);
        let sitemap = read(deep.as_bytes(), &here(), &here(), 1).expect("a sitemap");
        assert_eq!((sitemap.pages.len(), sitemap.is_truncated), (1, true));
    }
}
