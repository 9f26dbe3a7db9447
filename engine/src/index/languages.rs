//! Finds the language of each entry of a site.
//!
//! A site can have pages in several languages, and an entry is often too short to tell. An entry
//! has the language of its page unless its text is certainly in another. A page has the language
//! that it declares, or that of the site, unless its text is certainly in another.

use std::collections::HashMap;
use std::sync::Arc;

use helpbot_domain::ids::SourceId;
use helpbot_domain::language::primary;

use crate::chunk::Chunk;
use crate::language;
use crate::parallel;

/// Number of bytes from which the language of a site is detected, taken from all pages equally.
const SITE_SAMPLE_BYTES: usize = 20_000;
/// Number of bytes from which the language of a page is detected.
const PAGE_SAMPLE_BYTES: usize = 2_000;
/// Number of bytes from which the language of an entry is detected.
const ENTRY_SAMPLE_BYTES: usize = 600;
/// Minimum number of bytes that each page adds to the sample of the site.
const MIN_SHARE_BYTES: usize = 200;

/// The languages of a site and of its entries.
#[derive(Debug)]
pub(super) struct Languages {
    /// Language of the site, as given or detected.
    pub site: Option<String>,
    /// Each language with the positions of its entries, ascending. Empty only when there are no
    /// entries.
    pub groups: Vec<(Option<String>, Vec<u32>)>,
}

struct SitePage<'a> {
    declared: Option<String>,
    sample: String,
    entries: Vec<(u32, &'a Chunk)>,
}

impl SitePage<'_> {
    /// Returns the language of each entry, on a site in the language `site`.
    fn languages<'a>(&'a self, site: Option<&'a str>) -> Vec<Option<&'a str>> {
        let of_page = settled(&self.sample, self.declared.as_deref().or(site));
        if self.entries.len() == 1 && self.sample.len() < ENTRY_SAMPLE_BYTES {
            // The sample of the page is the text of its only entry.
            return vec![of_page];
        }
        let own = |(_, chunk): &(u32, &Chunk)| {
            let mut sample = String::new();
            add(&mut sample, chunk, ENTRY_SAMPLE_BYTES);
            settled(&sample, of_page)
        };
        self.entries.iter().map(own).collect()
    }
}

impl Languages {
    /// Finds the languages of these entries. `given` is the language that the owner set.
    pub fn of(chunks: &[Arc<Chunk>], given: Option<&str>) -> Self {
        let pages = pages(chunks);
        let site = given.map(str::to_owned).or_else(|| detect(&pages));
        let mut groups: Vec<(Option<String>, Vec<u32>)> = Vec::new();
        for (page, languages) in pages.iter().zip(parallel::map(&pages, |page| page.languages(site.as_deref()))) {
            for ((place, _), own) in page.entries.iter().zip(languages) {
                match groups.iter_mut().find(|(known, _)| known.as_deref() == own) {
                    Some((_, places)) => places.push(*place),
                    None => groups.push((own.map(str::to_owned), vec![*place])),
                }
            }
        }
        groups.iter_mut().for_each(|(_, places)| places.sort_unstable());
        // The order follows the first entries and not the pages.
        groups.sort_by_key(|(_, places)| places.first().copied());
        Self { site, groups }
    }
}

/// Returns `usual` unless the text is certainly in another language.
fn settled<'a>(text: &str, usual: Option<&'a str>) -> Option<&'a str> {
    let usual = usual?;
    Some(language::other_than(text, usual).unwrap_or(usual))
}

/// Returns the pages in the order of their first entries. Entries without an address form one page
/// per source.
fn pages(chunks: &[Arc<Chunk>]) -> Vec<SitePage<'_>> {
    let mut places: HashMap<(SourceId, &str), usize> = HashMap::new();
    let mut pages: Vec<SitePage<'_>> = Vec::new();
    for (place, chunk) in (0..).zip(chunks) {
        let address = chunk.url.as_deref().and_then(|url| url.split('#').next()).unwrap_or_default();
        let at = *places.entry((chunk.source_id, address)).or_insert(pages.len());
        if at == pages.len() {
            let declared = chunk.language.as_deref().and_then(primary);
            pages.push(SitePage { declared, sample: String::new(), entries: Vec::new() });
        }
        let page = &mut pages[at];
        add(&mut page.sample, chunk, PAGE_SAMPLE_BYTES);
        page.entries.push((place, chunk));
    }
    pages
}

fn detect(pages: &[SitePage<'_>]) -> Option<String> {
    let share = (SITE_SAMPLE_BYTES / pages.len().max(1)).max(MIN_SHARE_BYTES);
    let mut sample = String::new();
    for page in pages {
        sample.push_str(head(&page.sample, share));
        sample.push('\n');
        if sample.len() > SITE_SAMPLE_BYTES {
            break;
        }
    }
    language::detect(&sample).map(str::to_owned)
}

/// Adds the question and the text of an entry, up to the limit.
fn add(sample: &mut String, chunk: &Chunk, most: usize) {
    for part in [chunk.question.as_deref().unwrap_or_default(), &chunk.text] {
        let room = most.saturating_sub(sample.len());
        if room > 0 && !part.is_empty() {
            sample.push_str(head(part, room));
            sample.push('\n');
        }
    }
}

fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
