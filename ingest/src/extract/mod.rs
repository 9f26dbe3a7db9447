//! HTML to questions, answers and passages. Called by the crawl and by `files`, which turns every other
//! format into HTML; never fetches, stores or looks at the clock.
//!
//! HTML goes through four steps: a flat tree (`parse`, `sink`, `dom`), a line of blocks
//! (`roles`, `rearrange`, `cells`, `flatten`, `flow`, `boilerplate`), groups of question candidates, one file for
//! each kind of markup (`structured_data`, `disclosure`, `definition_list`, `tables`, `contents`, `headings`,
//! `bold`), and the `arbiter` that picks among them; what is left becomes `passages`. Rules speak
//! of markup and language, never of a page.
//!
//! Hostile input costs bounded memory and time: sizes, depth and node counts are capped, no walk
//! recurses, and each step is linear in the size of the page.

mod arbiter;
mod badges;
mod boilerplate;
mod bold;
mod candidate;
mod cells;
mod contents;
mod definition_list;
mod disclosure;
mod dom;
mod element;
mod enclosed;
mod error;
pub(crate) mod facts;
mod feedback;
mod flatten;
mod flow;
pub(crate) mod fragment;
mod headings;
mod html;
mod images;
mod jumps;
mod lenient_json;
mod markdown;
mod media;
mod meta;
mod omissions;
mod overview;
mod page;
mod page_notes;
mod parse;
mod passages;
mod previews;
pub(crate) mod question;
mod radio_tabs;
mod rearrange;
mod roles;
pub(crate) mod script;
mod script_data;
mod sink;
mod stand_in;
mod standing;
mod structured_data;
mod tab_lists;
mod tables;
mod tabs;
mod words;

pub use error::ExtractError;
pub(crate) use html::extract_text as html_text;
pub use html::{HTML_LIMIT_BYTES, extract as html};
pub use page::{Item, Page, StandIn};
