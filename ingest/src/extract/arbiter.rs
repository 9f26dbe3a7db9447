//! Decides which groups of candidates are the questions of a page, and where their answers end.
//!
//! Called by `html`. Groups with stronger markup are decided first. A weaker group is rejected when it is
//! inside the answers of a stronger one. A candidate without content before the next one is a category.
//! Subheadings belong to the answer; a heading at its end belongs to what follows.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::candidate::{FaqCandidate, Group, Source, is_content};
use super::dom::{NONE, NodeId};
use super::enclosed;
use super::flow::{BlockId, Blocks, Flow};
use super::question::{self, LIKELY};
use super::standing::{self, CLEAR_RATIO, Standing, Taken, answers_questions, stop};

/// A question of the page and the blocks that answer it, neither of them empty.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub question: Blocks,
    pub answer: Blocks,
    /// Further parts of the answer, between and behind the questions that it encloses.
    pub rest: Vec<Blocks>,
}

/// Folded words in titles and headings that announce a list of questions.
const HINTS: [&str; 17] = [
    "faq",
    "frequentlyasked",
    "questions",
    "preguntasfrecuentes",
    "perguntasfrequentes",
    "häufigefragen",
    "häufiggestellte",
    "fragenundantworten",
    "foireauxquestions",
    "questionsfréquentes",
    "domandefrequenti",
    "veelgesteldevragen",
    "よくある質問",
    "常见问题",
    "常見問題",
    "частозадаваемые",
    "الأسئلة",
];

/// Maximum number of groups that are decided, the strongest and largest first. Each costs a pass over all
/// questions so far. Real pages have up to 40.
const GROUP_LIMIT: usize = 200;

/// Maximum number of questions of one page: ten times the longest known FAQ.
const QUESTION_LIMIT: usize = 10_000;

/// Factor by which thresholds are lowered on a page that calls itself an FAQ.
const HINT_FACTOR: f32 = 0.6;

/// The questions of a page in document order.
pub(crate) fn decide(flow: &Flow, mut groups: Vec<Group>, title: &str) -> Vec<Found> {
    let factor = if is_hinted(flow, title) { HINT_FACTOR } else { 1.0 };
    let mut largest: HashMap<Source, usize> = HashMap::new();
    for group in &groups {
        let size = largest.entry(group.source).or_default();
        *size = (*size).max(group.candidates.len());
    }
    // Single headings go last: the title of a page of questions is often one itself.
    groups.sort_by_key(|group| {
        let size = group.candidates.len();
        let is_single = group.source <= Source::Heading && size == 1;
        // Answers may have markup of their own, and some of them begin like questions.
        let is_clear = group.ratio() >= CLEAR_RATIO && size * 2 >= largest[&group.source];
        let marked = group.candidates.iter().filter(|candidate| candidate.likeness >= 1.0).count();
        (is_single, Reverse(group.source), Reverse(is_clear), Reverse(size), Reverse(marked))
    });
    groups.truncate(GROUP_LIMIT);
    let mut taken: Vec<Taken> = Vec::new();
    for mut group in groups {
        if is_above_questions(flow, &group, &taken) {
            continue;
        }
        let is_last_resort = group.source == Source::Line || group.candidates.len() == 1;
        if is_last_resort && group.source <= Source::Heading && !taken.is_empty() {
            continue;
        }
        if !is_accepted(flow, &mut group, factor) {
            continue;
        }
        if answers_questions(flow, &group, &taken) {
            continue;
        }
        // An answer that begins like a question makes its own question no category.
        let mut with_group = taken.clone();
        drop_categories_around(flow, &group, &mut with_group);
        if add(flow, group, &mut with_group) {
            taken = with_group;
        }
    }
    taken.sort_by_key(|taken| taken.candidate.question.start);
    drop_titles(flow, &mut taken);
    let mut found: Vec<Found> = (0..taken.len()).filter_map(|index| answer(flow, &taken, index)).collect();
    enclosed::divide(flow, &mut found);
    without_repeats(flow, found)
}

/// Returns whether the headings of a group are above the headings that are questions already, and few
/// compared to them. Such headings are categories, even if they end in a question mark.
fn is_above_questions(flow: &Flow, group: &Group, taken: &[Taken]) -> bool {
    let level = group.candidates.first().map_or(0, |c| flow.block(c.question.start).heading);
    let below = taken.iter().filter(|t| flow.block(t.candidate.question.start).heading > level);
    group.source == Source::Heading && below.count() >= group.candidates.len() * CATEGORY_FACTOR
}

/// Fewest questions below one category. Four fits most real pages and spares pages with questions on two
/// levels.
const CATEGORY_FACTOR: usize = 4;

fn is_hinted(flow: &Flow, title: &str) -> bool {
    let headings =
        (0..flow.len()).filter(|&id| (1..=2).contains(&flow.block(id).heading)).map(|id| question::fold(flow.text(id)));
    std::iter::once(question::fold(title)).chain(headings).any(|text| HINTS.iter().any(|hint| text.contains(hint)))
}

/// Returns whether a group holds questions. A group of headings or bold lines below the threshold is
/// reduced to its clear questions.
fn is_accepted(flow: &Flow, group: &mut Group, factor: f32) -> bool {
    if group.source != Source::Microdata && !has_content(flow, group) {
        return false;
    }
    // Any page can have a table of contents, so calling the page an FAQ does not make it one of questions.
    let factor = if group.source == Source::Contents { 1.0 } else { factor };
    if group.ratio() >= group.threshold * factor {
        let is_single_weak = group.candidates.len() == 1
            && (group.source == Source::Bold || group.candidates[0].likeness < 1.0)
            && group.source < Source::Disclosure;
        return !is_single_weak;
    }
    if group.source <= Source::Heading {
        group.candidates.retain(|candidate| candidate.likeness >= 1.0);
        return group.candidates.len() > 1;
    }
    false
}

/// Returns whether at least half of the candidates are followed by content.
fn has_content(flow: &Flow, group: &Group) -> bool {
    let starts: Vec<_> = group.candidates.iter().map(|c| c.question.start).collect();
    let with = group.candidates.iter().enumerate().filter(|(index, candidate)| {
        let stop = starts.get(index + 1).copied().unwrap_or(flow.len());
        let answer = candidate.answer.clone().unwrap_or(candidate.question.end..stop);
        answer.clone().any(|id| is_content(flow, id) && flow.block(id).heading == 0)
    });
    with.count() * 2 >= group.candidates.len()
}

/// Removes enclosing candidates that are titles of several questions in this group.
fn drop_categories_around(flow: &Flow, group: &Group, taken: &mut Vec<Taken>) {
    taken.retain(|outer| {
        let Some(answer) = &outer.candidate.answer else { return true };
        let inner: Vec<_> = group
            .candidates
            .iter()
            .map(|candidate| candidate.question.start)
            .filter(|start| answer.contains(start))
            .collect();
        let Some(&first) = inner.first() else { return true };
        let has_own = (answer.start..first).any(|id| is_content(flow, id));
        let is_title = outer.candidate.likeness < LIKELY;
        let is_category = is_title && (inner.len() > 1 || !has_own) || inner.len() > 1 && !has_own;
        !is_category
    });
}

/// Accepts the candidates of a group that are not inside the answers of others. Returns whether it accepts the group.
fn add(flow: &Flow, group: Group, taken: &mut Vec<Taken>) -> bool {
    let regions = standing::regions(flow, taken);
    let standings: Vec<_> = group.candidates.iter().map(|c| standing::standing(flow, &regions, c)).collect();
    let count = |wanted: &[Standing]| standings.iter().filter(|s| wanted.contains(s)).count();
    let fresh = standings.len() - count(&[Standing::Same]);
    let inside = count(&[Standing::Enclosed, Standing::Behind]);
    let is_clear = group.ratio() >= CLEAR_RATIO && fresh > taken.len();
    // When most of the group is accepted already, the rest is of the same kind.
    let known_percent = count(&[Standing::Same]) * 100 / standings.len().max(1);
    let is_known = known_percent > KNOWN_PERCENT;
    if inside * 2 > fresh && !is_clear && !is_known {
        return false;
    }
    let room = QUESTION_LIMIT.saturating_sub(taken.len());
    let group_end = common_end(flow, &group);
    let source = group.source;
    let may_nest = source == Source::Disclosure;
    taken.extend(
        group
            .candidates
            .into_iter()
            .zip(standings)
            .filter(|(candidate, standing)| match standing {
                Standing::Same => false,
                Standing::Enclosed => may_nest,
                Standing::Behind if is_known => candidate.likeness >= LIKELY || known_percent >= SAME_PERCENT,
                Standing::Behind | Standing::Free => true,
            })
            .take(room)
            .map(|(candidate, _)| Taken { candidate, group_end }),
    );
    true
}

/// From this percentage of accepted candidates on, the other questions of a group are of the same kind.
const KNOWN_PERCENT: usize = 50;

/// From this percentage on, so are the statements in it.
const SAME_PERCENT: usize = 80;

/// Returns where the innermost element around all questions of a group ends. For one question, it is the
/// end of the page.
fn common_end(flow: &Flow, group: &Group) -> BlockId {
    let mut nodes = group.candidates.iter().map(|c| flow.block(c.question.start).node);
    let (Some(first), Some(last)) = (nodes.next(), nodes.next_back()) else { return flow.len() };
    // Candidates are in document order: what is around the first and the last is around all.
    let around: Vec<NodeId> = flow.dom.ancestors(first).collect();
    flow.dom.ancestors(last).find(|id| around.contains(id)).map_or(flow.len(), |id| flow.range(id).end)
}

/// Removes headings that are not questions and have questions in headings below them, even if text
/// introduces them.
fn drop_titles(flow: &Flow, taken: &mut Vec<Taken>) {
    let level = |taken: &Taken| flow.block(taken.candidate.question.start).heading;
    let mut below = 0;
    // From the end, so that both of two consecutive titles see the question below them.
    let mut kept: Vec<Taken> = Vec::with_capacity(taken.len());
    for question in taken.drain(..).rev() {
        let is_above = (1..below).contains(&level(&question));
        if !is_above || question.candidate.likeness >= LIKELY {
            below = level(&question);
            kept.push(question);
        }
    }
    kept.reverse();
    *taken = kept;
}

/// Returns a question with its answer, if it has one.
fn answer(flow: &Flow, taken: &[Taken], index: usize) -> Option<Found> {
    let own = &taken[index];
    let question = own.candidate.question.clone();
    let next = taken.get(index + 1).map_or(flow.len(), |next| next.candidate.question.start);
    let mut rest = Vec::new();
    let mut answer = match &own.candidate.answer {
        Some(answer) if answer.contains(&next) => {
            rest.push(next..answer.end);
            answer.start..next
        }
        Some(answer) => answer.clone(),
        None => question.end..own_end(flow, taken, index).min(stop(flow, own, next)),
    };
    while !answer.is_empty() && !is_content(flow, answer.start) {
        answer.start += 1;
    }
    while !answer.is_empty() && is_loose_end(flow, answer.end - 1, &own.candidate) {
        answer.end -= 1;
    }
    let is_directory = own.candidate.answer.is_none()
        && own.candidate.likeness < LIKELY
        && flow.link_percent(answer.clone()) > DIRECTORY_LINK_PERCENT;
    (!answer.is_empty() && !is_directory).then_some(Found { question, answer, rest })
}

/// From this percentage of links on, text below a title that asks nothing ("See also") is no answer.
const DIRECTORY_LINK_PERCENT: usize = 85;

/// Returns the end of the largest element that contains this question and no other, if it contains an
/// answer as well.
fn own_end(flow: &Flow, taken: &[Taken], index: usize) -> BlockId {
    let question = &taken[index].candidate.question;
    let previous = index.checked_sub(1).map(|at| taken[at].candidate.question.start);
    let next = taken.get(index + 1).map(|next| next.candidate.question.start);
    if previous.is_none() && next.is_none() {
        return flow.len();
    }
    let mut end = question.end;
    for id in flow.dom.ancestors(flow.block(question.start).node) {
        let blocks = flow.range(id);
        let holds = |other: Option<BlockId>| other.is_some_and(|at| blocks.contains(&at));
        if holds(previous) || holds(next) {
            break;
        }
        end = blocks.end;
    }
    if (question.end..end).any(|id| is_content(flow, id)) { end } else { flow.len() }
}

/// Returns whether a block at the end of an answer belongs to what follows, or to nothing.
fn is_loose_end(flow: &Flow, id: BlockId, candidate: &FaqCandidate) -> bool {
    let block = flow.block(id);
    // A dash behind other cells is the value of its row.
    let is_value = block.row != NONE && id > candidate.question.end && flow.block(id - 1).row == block.row;
    if is_value && !block.is_boilerplate && !block.is_control {
        return false;
    }
    if !is_content(flow, id) || block.heading > 0 {
        return true;
    }
    // A short bold line at the end of an answer without its own element titles what follows.
    candidate.answer.is_none()
        && block.is_bold
        && block.list_depth == 0
        && id > candidate.question.end
        && flow.text(id).len() < LONGEST_TITLE_BYTES
}

/// Longest bold line that is a title, in bytes.
const LONGEST_TITLE_BYTES: usize = 120;

/// Drops repeated questions: those with the same answer, and repetitions without an answer of their own.
fn without_repeats(flow: &Flow, found: Vec<Found>) -> Vec<Found> {
    let mut seen = HashSet::new();
    found
        .into_iter()
        .filter(|found| {
            let question = question::fold(question::strip_label(&flow.line(found.question.clone())));
            seen.insert((question, question::fold(flow.text(found.answer.start))))
        })
        .collect()
}
