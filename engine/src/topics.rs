//! Groups questions of the same meaning, to show what visitors ask and what the site lacks.
//!
//! Questions are added oldest first. Each one joins the closest existing group or starts a new one.
//! A later question never moves an earlier one, and the same questions give the same groups on
//! every machine. The similarity of two questions depends only on these two: word weights come from
//! the embedding table or from the length of a word, never from a count.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::analysis::{self, Analyzer};
use crate::embedding::{self, DIMS};
use crate::normalization;
use crate::vectors::{QueryVector, Vectors};

/// Share of the cosine in the similarity of two questions. Common words make up the rest.
const SEMANTIC_SHARE: f32 = 0.6;
/// Minimum similarity of two questions in one group. It favors pure groups over complete ones
/// (docs/answering.md has the measurements), because a mixed group misleads.
const MIN_LIKENESS: f32 = 0.5;
/// Minimum similarity when one of the questions is not in English.
const MIN_LEXICAL_LIKENESS: f32 = 0.4;
/// Share of character n-grams in that similarity. Common words make up the rest.
const GRAM_SHARE: f32 = 0.5;
/// Share of whole pieces below which a question is not in English.
const MIN_WHOLE_WORDS: f64 = 0.5;
/// The most frequent words of every language, which say least, are short. A word weighs the number
/// of its characters beyond this.
const LIGHT_CHARS: f32 = 2.0;
/// Weight of the shortest words.
const MIN_WEIGHT: f32 = 0.2;

/// A question, and how often it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedQuestion<'a> {
    /// The question.
    pub text: &'a str,
    /// Number of times it was asked.
    pub count: u64,
}

/// A group of questions with the same meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionCluster {
    /// The question that was asked most often, and the oldest of several such.
    pub label: String,
    /// Number of times that all questions of the group were asked.
    pub size: u64,
    /// Positions of the questions in the input, oldest first. It is never empty.
    pub members: Vec<usize>,
}

/// Groups questions that are ordered oldest first. The largest group comes first, and of equal ones
/// the oldest. Every question is in exactly one group.
///
/// `language` is the primary subtag of the site, used for stemming. The time grows with the square
/// of the number of questions; [`TopicGrouping`] adds questions to groups that exist.
pub fn group(questions: &[AskedQuestion<'_>], language: Option<&str>) -> Vec<QuestionCluster> {
    let mut grouping = TopicGrouping::new(language);
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (place, question) in questions.iter().enumerate() {
        let topic = grouping.add(question.text);
        match members.get_mut(topic) {
            Some(members) => members.push(place),
            None => members.push(vec![place]),
        }
    }
    let topic = |members: Vec<usize>| {
        let size = members.iter().map(|place| questions[*place].count).sum();
        let most = members.iter().min_by_key(|place| Reverse(questions[**place].count));
        let label = most.map_or("", |place| questions[*place].text).to_owned();
        QuestionCluster { label, size, members }
    };
    let mut topics: Vec<QuestionCluster> = members.into_iter().map(topic).collect();
    // The sort is stable, so that the older of two equal groups stays first.
    topics.sort_by_key(|topic| Reverse(topic.size));
    topics
}

/// Returns a key that is equal for questions that differ only in case, punctuation and spacing. It
/// is empty for a text without words.
pub fn same_question_key(text: &str) -> String {
    Analyzer::new(None).words(text).join(" ")
}

/// Groups to which questions are added one by one, oldest first.
pub struct TopicGrouping {
    analyzer: Analyzer,
    vectors: Vectors,
    /// Whether each question has a direction.
    is_directed: Vec<bool>,
    has_undirected: bool,
    words: SharedWeights,
    grams: SharedWeights,
    topic_of: Vec<usize>,
    /// Number of questions of each group.
    sizes: Vec<usize>,
}

impl TopicGrouping {
    /// Creates an empty grouping for a site in this language, a primary subtag.
    pub fn new(language: Option<&str>) -> Self {
        Self {
            analyzer: Analyzer::new(language),
            vectors: Vectors::new(DIMS),
            is_directed: Vec::new(),
            has_undirected: false,
            words: SharedWeights::default(),
            grams: SharedWeights::default(),
            topic_of: Vec::new(),
            sizes: Vec::new(),
        }
    }

    /// Adds a question, and returns the number of its group. Groups are numbered from 0 in the order
    /// in which they began.
    pub fn add(&mut self, text: &str) -> usize {
        let (profile, vector) = Profile::new(text, &self.analyzer);
        let topic = self.nearest(&profile).unwrap_or(self.sizes.len());
        self.store(&profile, &vector, topic);
        topic
    }

    /// Adds a question to the group in which an earlier grouping has put it. A group that does not exist
    /// must be the next one.
    pub fn restore(&mut self, text: &str, topic: usize) {
        let (profile, vector) = Profile::new(text, &self.analyzer);
        self.store(&profile, &vector, topic.min(self.sizes.len()));
    }

    fn store(&mut self, profile: &Profile, vector: &[f32; DIMS], topic: usize) {
        if topic == self.sizes.len() {
            self.sizes.push(0);
        }
        self.sizes[topic] += 1;
        self.topic_of.push(topic);
        self.vectors.push(vector);
        self.is_directed.push(profile.direction.is_some());
        self.has_undirected |= profile.direction.is_none();
        self.words.push(&profile.words);
        self.grams.push(&profile.grams);
    }

    /// Returns the group whose questions are closest on average, if they are close enough. With the
    /// closest single question instead, groups would grow together in chains.
    fn nearest(&self, profile: &Profile) -> Option<usize> {
        let words = self.words.overlaps(&profile.words);
        let cosines = profile.direction.as_ref().map(|direction| self.vectors.cosines(direction));
        // N-grams count only when one of two questions is not in English.
        let needs_grams = self.has_undirected || cosines.is_none();
        let grams = if needs_grams { self.grams.overlaps(&profile.grams) } else { Vec::new() };
        let mut sums = vec![0.0_f32; self.sizes.len()];
        for (earlier, topic) in self.topic_of.iter().enumerate() {
            // The similarity of two questions, divided by the minimum for one group.
            sums[*topic] += match &cosines {
                Some(cosines) if self.is_directed[earlier] => {
                    (SEMANTIC_SHARE * cosines[earlier] + (1.0 - SEMANTIC_SHARE) * words[earlier]) / MIN_LIKENESS
                }
                _ => (GRAM_SHARE * grams[earlier] + (1.0 - GRAM_SHARE) * words[earlier]) / MIN_LEXICAL_LIKENESS,
            };
        }
        let means = sums.iter().zip(&self.sizes).map(|(sum, size)| sum / *size as f32);
        let near = means.enumerate().filter(|(_, mean)| *mean >= 1.0);
        // Of equally close groups, the oldest is used.
        near.max_by(|(a, one), (b, other)| one.total_cmp(other).then(b.cmp(a))).map(|(topic, _)| topic)
    }
}

/// The weighted features of questions, by feature, so that the weight that a question shares with all
/// others is found without comparing it with each.
#[derive(Default)]
struct SharedWeights {
    /// For each feature, the questions that have it, with its weight there.
    questions: HashMap<u32, Vec<(u32, f32)>>,
    /// Weight of all features of each question.
    totals: Vec<f32>,
}

impl SharedWeights {
    fn push(&mut self, features: &[(u32, f32)]) {
        let number = u32::try_from(self.totals.len()).unwrap_or(u32::MAX);
        for (feature, weight) in features {
            self.questions.entry(*feature).or_default().push((number, *weight));
        }
        self.totals.push(total(features));
    }

    /// For each question, the weight that it shares with these features, divided by the weight of all
    /// features of both, 0 to 1.
    fn overlaps(&self, features: &[(u32, f32)]) -> Vec<f32> {
        let mut shared = vec![0.0_f32; self.totals.len()];
        for (feature, weight) in features {
            for (question, other) in self.questions.get(feature).into_iter().flatten() {
                shared[*question as usize] += weight + other;
            }
        }
        let own = total(features);
        for (shared, total) in shared.iter_mut().zip(&self.totals) {
            let all = own + total;
            *shared = if all > 0.0 { *shared / all } else { 0.0 };
        }
        shared
    }
}

fn total(features: &[(u32, f32)]) -> f32 {
    features.iter().map(|(_, weight)| weight).sum()
}

/// The comparable form of a question.
struct Profile {
    /// Hashes of the stems, ascending, with their weights.
    words: Vec<(u32, f32)>,
    /// Hashes of the character n-grams, ascending, with their weights.
    grams: Vec<(u32, f32)>,
    /// `None` when the question is not in English.
    direction: Option<QueryVector>,
}

impl Profile {
    /// Returns the profile and the vector, which is zero when there is none.
    fn new(text: &str, analyzer: &Analyzer) -> (Self, [f32; DIMS]) {
        let cut = embedding::cut(text);
        let mut vector = [0.0; DIMS];
        for &piece in &cut.pieces {
            embedding::add_row(&mut vector, piece, 1.0);
        }
        let whole_words = cut.whole_words as f64 / cut.words.max(1) as f64;
        let direction = (whole_words >= MIN_WHOLE_WORDS).then(|| QueryVector::new(&vector)).flatten();
        let (mut words, mut grams) = (HashMap::new(), HashMap::new());
        for word in analyzer.words(text) {
            words.insert(analysis::hash(&analyzer.stem(&word)), weight(&word));
            let of_gram = if normalization::is_bigram_text(&word) { weight(&word) } else { 1.0 };
            analysis::grams(&word, |gram| {
                grams.insert(gram, of_gram);
            });
        }
        (Self { words: sorted(words), grams: sorted(grams), direction }, vector)
    }
}

/// Returns the weight of a word, estimated from its form.
fn weight(word: &str) -> f32 {
    // Japanese writes endings and particles in Hiragana, and the words before them in Kanji or
    // Katakana.
    let is_hiragana = |c: char| matches!(u32::from(c), 0x3040..=0x309F);
    if normalization::is_bigram_text(word) {
        return if word.chars().all(is_hiragana) { MIN_WEIGHT } else { 1.0 };
    }
    (word.chars().count() as f32 - LIGHT_CHARS).max(MIN_WEIGHT)
}

fn sorted(weights: HashMap<u32, f32>) -> Vec<(u32, f32)> {
    let mut weights: Vec<(u32, f32)> = weights.into_iter().collect();
    weights.sort_unstable_by_key(|(key, _)| *key);
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTIONS: [&str; 9] = [
        "Do you ship to Canada?",
        "How do I cancel my subscription?",
        "Is there a vegan menu?",
        "Can you deliver to Canada",
        "cancel subscription",
        "Where is the nearest parking garage?",
        "do you have vegan food on the menu?",
        "I want to cancel my subscription please",
        "shipping to Canada?",
    ];

    fn grouped(texts: &[&str], language: &str) -> Vec<Vec<usize>> {
        let asked: Vec<AskedQuestion<'_>> = texts.iter().map(|text| AskedQuestion { text, count: 1 }).collect();
        let mut members: Vec<Vec<usize>> =
            group(&asked, Some(language)).into_iter().map(|topic| topic.members).collect();
        members.sort();
        members
    }

    #[test]
    fn questions_that_mean_the_same_are_one_topic() {
        assert_eq!(grouped(&QUESTIONS, "en"), [vec![0, 3, 8], vec![1, 4, 7], vec![2, 6], vec![5]]);
    }

    #[test]
    fn a_later_question_never_moves_an_earlier_one() {
        let whole = grouped(&QUESTIONS, "en");

        for count in 0..QUESTIONS.len() {
            let before = grouped(&QUESTIONS[..count], "en");
            let mut rest: Vec<Vec<usize>> = whole
                .iter()
                .map(|members| members.iter().copied().filter(|place| *place < count).collect())
                .filter(|members: &Vec<usize>| !members.is_empty())
                .collect();
            rest.sort();
            assert_eq!(before, rest, "of the first {count}");
        }
    }

    #[test]
    fn other_languages_are_grouped_by_words_and_their_parts() {
        let german = [
            "Wie kann ich mein Abo kündigen?",
            "Liefert ihr in die Schweiz?",
            "Abo kündigen",
            "Lieferung in die Schweiz",
        ];
        let japanese = ["返品したいです", "営業時間を教えてください", "返品できますか", "営業時間は？"];

        assert_eq!(grouped(&german, "de"), [[0, 2], [1, 3]]);
        assert_eq!(grouped(&japanese, "ja"), [[0, 2], [1, 3]]);
    }

    #[test]
    fn the_most_asked_topic_comes_first_under_its_most_asked_question() {
        let counts = [1, 2, 9, 3, 2, 1, 1, 2, 3];
        let asked: Vec<AskedQuestion<'_>> =
            QUESTIONS.iter().zip(counts).map(|(text, count)| AskedQuestion { text, count }).collect();

        let topics = group(&asked, Some("en"));

        let shown: Vec<(&str, u64)> = topics.iter().map(|topic| (topic.label.as_str(), topic.size)).collect();
        assert_eq!(
            shown,
            [
                ("Is there a vegan menu?", 10),
                ("Can you deliver to Canada", 7),
                ("How do I cancel my subscription?", 6),
                ("Where is the nearest parking garage?", 1)
            ]
        );
    }

    #[test]
    fn restored_questions_continue_like_those_that_were_added() {
        let mut whole = TopicGrouping::new(Some("en"));
        let topics: Vec<usize> = QUESTIONS.iter().map(|question| whole.add(question)).collect();

        for count in 0..QUESTIONS.len() {
            let mut grouping = TopicGrouping::new(Some("en"));
            QUESTIONS.iter().zip(&topics).take(count).for_each(|(question, topic)| grouping.restore(question, *topic));
            let rest: Vec<usize> = QUESTIONS[count..].iter().map(|question| grouping.add(question)).collect();
            assert_eq!(rest, topics[count..], "after {count}");
        }
    }

    #[test]
    fn questions_without_words_stay_apart_and_nothing_gives_no_topic() {
        assert_eq!(grouped(&["???", "🥐", "!"], "en"), [[0], [1], [2]]);
        assert!(group(&[], None).is_empty());
    }

    #[test]
    fn case_punctuation_and_spacing_do_not_make_another_question() {
        assert_eq!(same_question_key("Where's  my ORDER?!"), same_question_key("where’s my order"));
        assert_ne!(same_question_key("my order"), same_question_key("order my"));
        assert_eq!(same_question_key("?"), "");
    }
}
