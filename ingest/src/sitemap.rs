//! Parses sitemaps (sitemaps.org): lists of pages and indexes, as XML, gzip or plain text.
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
use crate::files::xml;

/// Maximum number of URLs of one sitemap, as in the protocol.
pub const URL_LIMIT: usize = 50_000;

/// Maximum size of a sitemap after decompression, in bytes, as in the protocol.
pub const DECODED_LIMIT_BYTES: u64 = 50 * 1024 * 1024;

/// Number of levels: an index and its sitemaps. The protocol forbids an index in an index.
pub const LEVEL_LIMIT: u8 = 2;

/// Maximum length of a URL in bytes, as in the protocol.
const ADDRESS_LIMIT_BYTES: usize = 2048;

/// Maximum nesting of elements. Extensions for images and videos use four levels.
const DEPTH_LIMIT: usize = 16;

/// Content of one sitemap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sitemap {
    /// Pages in document order, repeats included: absolute, without fragment, on the sitemap's own
    /// host. Their dates of change are not kept: many sites set a new date for all pages with each
    /// build, or none, and the validators of the pages cost as little.
    pub pages: Vec<Url>,
    /// The sitemaps of an index on the same site. Empty at the last level.
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

/// Parses the sitemap at `url`. `level` is 1 for a sitemap that robots.txt lists, and 2 for one in an index.
///
/// # Errors
/// `Damaged` and `TooLarge` while decompressing, `NotASitemap` for everything that is neither XML
/// with the root `urlset` or `sitemapindex` nor a list of addresses.
pub fn read(bytes: &[u8], url: &Url, level: u8) -> Result<Sitemap, SitemapError> {
    let bytes = decompressed(bytes)?;
    let (text, _) = charset::decode(&bytes, None);
    let start = text.trim_start();
    let mut sitemap = if start.starts_with('<') { read_xml(start, url)? } else { read_lines(start, url)? };
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

/// Parses one URL per line, as the protocol allows, or one path.
fn read_lines(text: &str, url: &Url) -> Result<Sitemap, SitemapError> {
    let mut reader = Builder::new(url);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if Url::parse(line).is_err() && !line.starts_with('/') {
            return Err(SitemapError::NotASitemap);
        }
        reader.add_page(line);
    }
    if reader.sitemap.pages.is_empty() { Err(SitemapError::NotASitemap) } else { Ok(reader.sitemap) }
}

fn read_xml(text: &str, url: &Url) -> Result<Sitemap, SitemapError> {
    let mut builder = Builder::new(url);
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    let mut depth = 0_usize;
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                depth += 1;
                builder.open(&name(element.local_name().as_ref()), depth)?;
            }
            Ok(Event::Empty(element)) if element.local_name().as_ref() == "link" => builder.alternate(&element),
            Ok(Event::End(element)) => {
                depth = depth.saturating_sub(1);
                builder.close(&name(element.local_name().as_ref()));
            }
            Ok(Event::Text(text)) => builder.text(&text),
            Ok(Event::CData(text)) => builder.text(&text),
            Ok(Event::GeneralRef(reference)) => {
                let resolved = reference.resolve_char_ref().ok().flatten();
                builder.text(&resolved.map_or_else(|| xml::entity(&reference).to_owned(), String::from));
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

/// The name of an element as the protocol writes it.
fn name(local: &str) -> String {
    local.to_ascii_lowercase()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SitemapRoot {
    Pages,
    Index,
}

struct Builder<'a> {
    url: &'a Url,
    root: Option<SitemapRoot>,
    text: String,
    address: Option<String>,
    sitemap: Sitemap,
}

impl<'a> Builder<'a> {
    fn new(url: &'a Url) -> Self {
        Self { url, root: None, text: String::new(), address: None, sitemap: Sitemap::default() }
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
            "url" | "sitemap" => {
                if let Some(address) = self.address.take() {
                    match self.root {
                        Some(SitemapRoot::Index) => self.add_sitemap(&address),
                        _ => self.add_page(&address),
                    }
                }
            }
            _ => {}
        }
        self.text.clear();
    }

    /// The same page in another language, as `xhtml:link` names it.
    fn alternate(&mut self, element: &quick_xml::events::BytesStart<'_>) {
        let (mut is_alternate, mut address) = (false, None);
        for attribute in element.attributes().with_checks(false).flatten() {
            match attribute.key.local_name().as_ref() {
                "rel" => is_alternate = &*attribute.value == "alternate",
                "href" => {
                    address = attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
                }
                _ => {}
            }
        }
        if let (true, Some(address)) = (is_alternate && self.root == Some(SitemapRoot::Pages), address) {
            self.add_page(&address);
        }
    }

    fn add_page(&mut self, address: &str) {
        match self.own(address) {
            Some(url) if self.sitemap.pages.len() < URL_LIMIT => self.sitemap.pages.push(url),
            Some(_) => self.sitemap.is_truncated = true,
            None => self.sitemap.refused += 1,
        }
    }

    fn add_sitemap(&mut self, address: &str) {
        match self.own(address) {
            Some(url) if url != *self.url => self.sitemap.sitemaps.push(url),
            _ => self.sitemap.refused += 1,
        }
    }

    /// The address on the sitemap's own site, with or without `www.`, absolute and without fragment.
    fn own(&self, address: &str) -> Option<Url> {
        if address.len() > ADDRESS_LIMIT_BYTES {
            return None;
        }
        let mut url = self.url.join(address).ok()?;
        url.set_fragment(None);
        plan::is_same_site(self.url, &url).then_some(url)
    }
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
        let sitemap = read(PAGES.as_bytes(), &here(), 1).expect("a sitemap");

        let pages: Vec<_> = sitemap.pages.iter().map(Url::as_str).collect();
        assert_eq!(pages, ["https://example.com/faq?a=1&b=2", "https://example.com/help"]);
        assert_eq!(sitemap.refused, 2);
        assert!(!sitemap.is_truncated);
    }

    #[test]
    fn gzip_and_plain_lists_are_read() {
        assert_eq!(read(&gzip(PAGES.as_bytes()), &here(), 1), read(PAGES.as_bytes(), &here(), 1));

        let shouted = read(b"<URLSET><URL><LOC>/a</LOC></URL></URLSET>", &here(), 1).expect("a sitemap");
        assert_eq!(shouted.pages[0].path(), "/a");
        assert_eq!(read(b"/a\n/b\n", &here(), 1).expect("a list of paths").pages.len(), 2);

        let list = read(b"\xef\xbb\xbfhttps://example.com/a\r\nhttps://example.com/b\n", &here(), 1);
        assert_eq!(list.expect("a list").pages.len(), 2);
    }

    #[test]
    fn index_lists_sitemaps_at_the_first_level_only() {
        let index = "<sitemapindex><sitemap><loc>/a.xml.gz</loc></sitemap>\
            <sitemap><loc>/sitemap.xml</loc></sitemap></sitemapindex>";

        let first = read(index.as_bytes(), &here(), 1).expect("an index");
        let second = read(index.as_bytes(), &here(), 2).expect("an index");

        assert_eq!(first.sitemaps.iter().map(Url::path).collect::<Vec<_>>(), ["/a.xml.gz"]);
        assert!(second.sitemaps.is_empty());
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
        assert_eq!(read(&bomb, &here(), 1), Err(SitemapError::TooLarge));
        assert_eq!(read(&gzip(PAGES.as_bytes())[..40], &here(), 1), Err(SitemapError::Damaged));
        assert_eq!(read(b"<html><body>404</body></html>", &here(), 1), Err(SitemapError::NotASitemap));
        assert_eq!(read(b"not found", &here(), 1), Err(SitemapError::NotASitemap));
        assert_eq!(read(b"", &here(), 1), Err(SitemapError::NotASitemap));

        let sitemap = read(billion_laughs().as_bytes(), &here(), 1).expect("a sitemap");
        assert_eq!(sitemap.pages[0].path(), "/faq");
    }

    #[test]
    fn addresses_over_the_limit_are_left_out() {
        let body: String = (0..URL_LIMIT + 10).map(|n| format!("<url><loc>/{n}</loc></url>")).collect();

        let sitemap = read(format!("<urlset>{body}</urlset>").as_bytes(), &here(), 1).expect("a sitemap");

        assert_eq!(sitemap.pages.len(), URL_LIMIT);
        assert!(sitemap.is_truncated);
    }

    #[test]
    fn broken_end_and_deep_nesting_keep_what_came_before() {
        let broken = "<urlset><url><loc>/a</loc></url><url><loc>/b</lo";
        let deep = format!("<urlset><url><loc>/a</loc></url>{}", "<x>".repeat(100_000));

        assert_eq!(read(broken.as_bytes(), &here(), 1).expect("a sitemap").pages.len(), 1);
        let sitemap = read(deep.as_bytes(), &here(), 1).expect("a sitemap");
        assert_eq!((sitemap.pages.len(), sitemap.is_truncated), (1, true));
    }
}
