//! Measures the grouping of questions on labeled sets.
//!
//! `cargo run --release -p helpbot-engine --example topics -- SET_DIR...`. Each folder has a
//! `queries.jsonl` in English, and the first relevant entry of a query is its true topic. It prints
//! B-cubed values as means over the questions. Precision is the share of a question's group that
//! belongs with it. Recall is the share of the questions that belong with it and are in its group.

#![allow(clippy::print_stdout, reason = "a program that prints")]

use std::collections::{HashMap, HashSet};
use std::path::Path;

use helpbot_engine::evaluate::{self, CorpusQuery};
use helpbot_engine::topics::{self, AskedQuestion, QuestionCluster};

/// Number of questions that are grouped together, as many as a busy site leaves unanswered in a
/// month or two.
const AT_ONCE: usize = 500;

fn main() -> Result<(), String> {
    println!("{:24} {:>9} {:>7} {:>7} {:>9} {:>7}", "set", "questions", "labels", "topics", "precision", "recall");
    for set in std::env::args().skip(1) {
        measure(Path::new(&set))?;
    }
    Ok(())
}

fn measure(folder: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(folder.join("queries.jsonl")).map_err(|error| error.to_string())?;
    let queries: Vec<CorpusQuery> = evaluate::read(&text).map_err(|error| error.to_string())?;
    let mut sites: HashMap<Option<&str>, Vec<(&str, &str)>> = HashMap::new();
    for query in &queries {
        let Some(label) = query.relevant.first() else { continue };
        sites.entry(query.tenant.as_deref()).or_default().push((&query.text, label));
    }
    let (mut asked, mut labels, mut topics, mut precision, mut recall) = (0, 0, 0, 0.0, 0.0);
    // Every part gets every n-th question, so that each part has all labels.
    for site in sites.values() {
        let parts = site.len().div_ceil(AT_ONCE);
        for part in 0..parts {
            let questions: Vec<(&str, &str)> = site.iter().skip(part).step_by(parts).copied().collect();
            let found = grouped(&questions);
            let (p, r) = b_cubed(&questions, &found);
            asked += questions.len();
            labels += questions.iter().map(|(_, label)| label).collect::<HashSet<_>>().len();
            topics += found.len();
            precision += p;
            recall += r;
        }
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let (precision, recall) = (precision / asked as f64, recall / asked as f64);
    println!("{name:24} {asked:>9} {labels:>7} {topics:>7} {precision:>9.3} {recall:>7.3}");
    Ok(())
}

fn grouped(questions: &[(&str, &str)]) -> Vec<QuestionCluster> {
    let asked: Vec<AskedQuestion<'_>> = questions.iter().map(|(text, _)| AskedQuestion { text, count: 1 }).collect();
    topics::group(&asked, Some("en"))
}

/// Returns the sums over the questions.
fn b_cubed(questions: &[(&str, &str)], topics: &[QuestionCluster]) -> (f64, f64) {
    let mut of_label: HashMap<&str, f64> = HashMap::new();
    for (_, label) in questions {
        *of_label.entry(label).or_default() += 1.0;
    }
    let (mut precision, mut recall) = (0.0, 0.0);
    for topic in topics {
        let mut here: HashMap<&str, f64> = HashMap::new();
        for member in &topic.members {
            *here.entry(questions[*member].1).or_default() += 1.0;
        }
        for (label, count) in here {
            precision += count * count / topic.members.len() as f64;
            recall += count * count / of_label[label];
        }
    }
    (precision, recall)
}
