//! Lists of questions that the page answers elsewhere: an overview at its head, "Popular questions" beside
//! it. They answer nothing themselves.
//!
//! Called by `html` when the questions of the page are known.

use std::collections::HashSet;

use super::arbiter::Found;
use super::flow::{Blocks, Flow};
use super::question;

/// Questions of a page, folded.
pub(crate) fn asked(flow: &Flow, found: &[Found]) -> HashSet<String> {
    let folded = found.iter().map(|pair| {
        let line = flow.line(pair.question.clone());
        question::fold(question::strip_label(&line))
    });
    folded.filter(|question| !question.is_empty()).collect()
}

/// Whether some blocks only repeat questions of the page, two of them or more.
pub(crate) fn repeats_questions(flow: &Flow, blocks: &Blocks, asked: &HashSet<String>) -> bool {
    let is_shown = |&id: &u32| !flow.block(id).is_boilerplate && !flow.block(id).is_control;
    let mut shown = blocks.clone().filter(is_shown).map(|id| question::fold(question::strip_label(flow.text(id))));
    let count = blocks.clone().filter(is_shown).count();
    count >= 2 && shown.all(|text| asked.contains(&text))
}
