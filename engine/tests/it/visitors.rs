//! The 28 sites of `docs/evaluation/development-languages/`: questions as visitors type them, in fourteen languages.
//!
//! The shares are those of docs/decisions/0068-suggestions-before-silence.md, rounded down or up.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use helpbot_engine::evaluate::{self, CorpusEntry, CorpusQuery};
use helpbot_engine::{AnswerPolicy, Channels};
use serde::Deserialize;

/// Of the questions that a site answers, those that are answered from their entry or offered it: at least.
const LED_SHARE: f64 = 0.45;
/// Those that are answered from another entry: at most.
const WRONG_SHARE: f64 = 0.05;
/// Of the questions that a site does not answer, those that are answered: at most.
const FALSE_SHARE: f64 = 0.06;

#[derive(Deserialize)]
struct Site {
    entries: Vec<Entry>,
    asked: Vec<Asked>,
}

#[derive(Deserialize)]
struct Entry {
    question: String,
    answer: String,
}

#[derive(Deserialize)]
struct Asked {
    question: String,
    /// Position of the entry with the answer.
    entry: Option<usize>,
}

#[derive(Debug, Default)]
struct Counts {
    answerable: f64,
    led: f64,
    wrong: f64,
    unanswerable: f64,
    answered: f64,
}

impl Counts {
    fn add(&mut self, site: &Site) {
        let entry = |(number, entry): (usize, &Entry)| CorpusEntry {
            id: number.to_string(),
            text: entry.answer.clone(),
            question: Some(entry.question.clone()),
            phrasings: Vec::new(),
            title: None,
            url: None,
            tenant: None,
        };
        let query = |(number, asked): (usize, &Asked)| CorpusQuery {
            id: number.to_string(),
            text: asked.question.clone(),
            relevant: asked.entry.iter().map(usize::to_string).collect(),
            tenant: None,
        };
        let corpus: Vec<CorpusEntry> = site.entries.iter().enumerate().map(entry).collect();
        let queries: Vec<CorpusQuery> = site.asked.iter().enumerate().map(query).collect();

        let trials = evaluate::trials(&corpus, &queries, &AnswerPolicy::default(), Channels::Both);

        for (line, trial) in evaluate::run(&trials).iter().zip(&trials) {
            let Some(relevant) = trial.query.relevant.first() else {
                self.unanswerable += 1.0;
                self.answered += f64::from(u8::from(line.answered));
                continue;
            };
            let is_first = line.ranked.first() == Some(relevant);
            let is_led = line.answered && is_first || line.suggested.contains(relevant);
            self.answerable += 1.0;
            self.led += f64::from(u8::from(is_led));
            self.wrong += f64::from(u8::from(line.answered && !is_first));
        }
    }
}

#[test]
fn visitors_in_fourteen_languages_are_led_to_what_the_site_knows() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/evaluation/development-languages");
    let mut counts = Counts::default();
    for file in fs::read_dir(folder).unwrap() {
        counts.add(&serde_json::from_str(&fs::read_to_string(file.unwrap().path()).unwrap()).unwrap());
    }

    assert!(counts.answerable >= 392.0 && counts.unanswerable >= 196.0, "{counts:?}");
    assert!(counts.led >= LED_SHARE * counts.answerable, "{counts:?}");
    assert!(counts.wrong <= WRONG_SHARE * counts.answerable, "{counts:?}");
    assert!(counts.answered <= FALSE_SHARE * counts.unanswerable, "{counts:?}");
}
