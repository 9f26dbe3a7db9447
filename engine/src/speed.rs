//! Measures the engine on a generated site of any size, for `benches` and the `speed` example.
//!
//! The text is drawn from a fixed list of words by rank, with rare product names in between, and is
//! the same on every machine. Callers measure the time.

use std::time::Duration;

use helpbot_domain::ids::{ChunkId, SourceId};

use crate::chunk::{Chunk, ChunkKind};
use crate::compose::extractive;
use crate::decide;
use crate::embedding;
use crate::index::Index;
use crate::settings::AnswerPolicy;

/// Number of words of an answer, the average of a written FAQ.
const ANSWER_WORDS: usize = 90;
/// One word in this many is a rare name.
const RARE_EVERY: usize = 12;
/// Words by falling frequency.
const WORDS: &str = "the to you your and a of is in for can we our it on with be not if are this will how do what order \
    from or please account by have when time day at contact as delivery payment email after before which return card \
    refund items shipping days free find information change password website customer service product page need send \
    support number open store price cost address phone country working hours business details check available update \
    select button click settings profile login cancel subscription plan monthly annual invoice credit bank transfer \
    tracking package courier warranty repair damaged size colour material wash clean store pickup gift voucher code \
    discount sale season newsletter privacy data delete download install version device mobile tablet screen battery \
    charge cable network connection error message restart reset booking room breakfast parking pets children pool \
    checkin checkout airport shuttle train station city map restaurant menu vegan gluten allergy table reservation";

/// Generates a site. Half of its chunks are FAQ entries, half are passages.
pub fn site(chunks: usize) -> Vec<Chunk> {
    let mut draw = Draw::new(7);
    let source_id = SourceId::from_uuid(uuid::Uuid::from_u128(1));
    let chunk = |number: usize| {
        let is_faq = number.is_multiple_of(2);
        let title = draw.sentence(7);
        let text: Vec<String> = (0..ANSWER_WORDS / 10).map(|_| format!("{}.", draw.sentence(10))).collect();
        Chunk {
            id: ChunkId::from_uuid(uuid::Uuid::from_u128(number as u128)),
            source_id,
            kind: if is_faq { ChunkKind::Faq } else { ChunkKind::Passage },
            question: is_faq.then(|| format!("{title}?")),
            heading: if is_faq { Vec::new() } else { vec![title] },
            text: text.join(" "),
            url: Some(format!("https://shop.example/help/{number}")),
            page_title: Some("Help".to_owned()),
            language: None,
            phrasings: Vec::new(),
        }
    };
    (0..chunks).map(chunk).collect()
}

/// Generates questions of about eight words.
pub fn questions(count: usize) -> Vec<String> {
    let mut draw = Draw::new(11);
    (0..count).map(|number| draw.sentence(5 + number % 6)).collect()
}

/// Retrieves, decides and composes without a model. Returns the length of the text, so that the
/// compiler cannot remove the work.
pub fn answer(index: &Index, question: &str, settings: &AnswerPolicy) -> usize {
    let retrieval = index.retrieve(question, None);
    let decision = decide::decide(&retrieval, settings);
    let composed = extractive::answer(index, &retrieval, settings);
    composed.text.len() + decision.suggested.len()
}

/// Splits a question and sums its vectors. Returns the number of its pieces.
pub fn embed(question: &str) -> usize {
    let cut = embedding::cut(question);
    let mut sum = [0.0; embedding::DIMS];
    for &piece in &cut.pieces {
        embedding::add_row(&mut sum, piece, 1.0);
    }
    cut.pieces.len() + usize::from(sum[0] > f32::MAX / 2.0)
}

/// Returns the median of the durations, or zero when there are none.
pub fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}

/// Draws words with xorshift. The rank is the square of a uniform number.
struct Draw {
    state: u64,
    words: Vec<&'static str>,
}

impl Draw {
    fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15), words: WORDS.split_whitespace().collect() }
    }

    fn next(&mut self) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize
    }

    fn sentence(&mut self, words: usize) -> String {
        let mut sentence = String::new();
        for _ in 0..words {
            if !sentence.is_empty() {
                sentence.push(' ');
            }
            if self.next().is_multiple_of(RARE_EVERY) {
                self.push_name(&mut sentence);
            } else {
                let uniform = (self.next() % 10_000) as f64 / 10_000.0;
                sentence.push_str(self.words[(uniform * uniform * self.words.len() as f64) as usize]);
            }
        }
        sentence
    }

    fn push_name(&mut self, sentence: &mut String) {
        const SYLLABLES: [&str; 16] =
            ["ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve", "wi", "xo", "zu", "ka"];
        for _ in 0..3 {
            sentence.push_str(SYLLABLES[self.next() % SYLLABLES.len()]);
        }
    }
}
