//! What a page says about itself below its content: "Edit this page", "Last updated on", "Next page".
//!
//! Called by `flatten` once the blocks of the page are known. Only what follows all content counts, so that an answer
//! may speak of its last update.

use super::flow::{BlockId, Flow};
use super::question;

/// How such lines begin, folded.
const NOTES: [&str; 41] = [
    "editthispage",
    "editon",
    "suggestedit",
    "improvethispage",
    "viewpagesource",
    "returntotop",
    "backtotop",
    "nachoben",
    "retourenhaut",
    "volverarriba",
    "onthispage",
    "inthisarticle",
    "aufdieserseite",
    "surcettepage",
    "enestapágina",
    "sharethis",
    "filedunder",
    "lastupdate",
    "lastmodified",
    "lastedited",
    "pagelastupdated",
    "thispagewaslast",
    "diesseitebearbeiten",
    "dieseseitebearbeiten",
    "zuletztaktualisiert",
    "zuletztgeändert",
    "zuletztbearbeitet",
    "letzteaktualisierung",
    "letzteänderung",
    "modifiercettepage",
    "dernièremiseàjour",
    "dernièremodification",
    "editarestapágina",
    "últimaactualización",
    "últimamodificación",
    "últimaatualização",
    "ultimoaggiornamento",
    "laatstbijgewerkt",
    "最終更新",
    "最后更新",
    "上次更新",
];

/// The first words of links to the neighbors of a page, folded.
const NEIGHBORS: [&str; 18] = [
    "previous",
    "next",
    "vorherige",
    "nächste",
    "zurück",
    "weiter",
    "précédent",
    "suivant",
    "anterior",
    "siguiente",
    "próximo",
    "próxima",
    "precedente",
    "successivo",
    "successiva",
    "下一页",
    "下一頁",
    "下一篇",
];

/// The longest line of this kind that is not a link, in bytes: longer ones are sentences of an answer.
const LONGEST_NOTE_BYTES: usize = 80;

/// The longest line of this kind, in bytes.
const LONGEST_BYTES: usize = 160;

/// The most lines at the end of a page that are looked at.
const LINES: usize = 12;

/// Marks the lines at the end of a page that speak of the page itself.
pub(crate) fn mark(flow: &mut Flow) {
    let mut notes: Vec<BlockId> = Vec::new();
    let shown = (1..flow.len()).rev().filter(|&id| !flow.block(id).is_boilerplate && !flow.block(id).is_control);
    for id in shown.take(LINES) {
        if !is_note(flow, id) {
            break;
        }
        notes.push(id);
    }
    // A line directly below a heading is what the heading speaks of.
    while notes.last().is_some_and(|&id| flow.block(id - 1).heading > 0) {
        notes.pop();
    }
    for id in notes {
        flow.blocks[id as usize].is_boilerplate = true;
    }
}

fn is_note(flow: &Flow, id: BlockId) -> bool {
    let (block, text) = (flow.block(id), flow.text(id));
    if block.heading > 0 || text.len() > LONGEST_BYTES || question::is_marked(text) {
        return false;
    }
    let folded = question::fold(text);
    let begins = |words: &[&str]| words.iter().any(|word| folded.starts_with(word));
    let is_link = block.link_bytes as usize + 2 >= text.trim().len();
    // "Next-day delivery" is no link to the next page.
    let names_neighbor = || {
        let first = text.split(|c: char| !c.is_alphanumeric() && c != '-').find(|word| !word.is_empty());
        first.is_some_and(|word| NEIGHBORS.contains(&question::fold(word).as_str()))
    };
    begins(&NOTES) && (is_link || text.len() <= LONGEST_NOTE_BYTES) || is_link && names_neighbor()
}
