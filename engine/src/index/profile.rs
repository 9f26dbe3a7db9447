//! Measures a site by asking it its own questions.
//!
//! The question of an entry is asked while that entry is left out: a question of exactly this
//! domain that the rest of the site cannot answer. The best scores of the others show what a wrong
//! answer looks like on this site. Nobody has to label anything. `decide.rs` compares the score of a
//! real question with them.

/// Maximum number of entries that are asked. More would slow down building the index.
pub(super) const MAX_ASKED: usize = 48;
/// Values for a site of average size, which a small site is pulled towards.
const USUAL_LEVEL: f32 = 0.35;
const USUAL_SPREAD: f32 = 0.12;
const USUAL_OWN: f32 = 0.8;
/// Minimum of the level of an entry itself. An entry whose question says nothing scores low for it.
const MIN_OWN: f32 = 0.3;
/// Number of measurements that weigh as much as the usual values.
const USUAL_COUNT: f32 = 6.0;
/// Minimum spread. Scores of a site with repeated entries can be nearly equal.
const MIN_SPREAD: f32 = 0.04;

/// Scores of entries for questions that they do not answer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SiteProfile {
    /// Mean of the best score for a question without an answer.
    pub level: f32,
    /// Standard deviation of that score.
    pub spread: f32,
    /// Mean score of an entry for its own question: what a right answer looks like.
    pub own: f32,
}

impl SiteProfile {
    /// Measures a site by the best scores of the other entries for the question of each entry,
    /// and by the score of the entry itself for each.
    pub fn measure(asked: impl Iterator<Item = (f32, f32)>) -> Self {
        let (best, own): (Vec<f32>, Vec<f32>) = asked.unzip();
        let count = best.len() as f32;
        let level = (best.iter().sum::<f32>() + USUAL_COUNT * USUAL_LEVEL) / (count + USUAL_COUNT);
        let squares: f32 = best.iter().map(|score| (score - level).powi(2)).sum();
        let spread = ((squares + USUAL_COUNT * USUAL_SPREAD.powi(2)) / (count + USUAL_COUNT)).sqrt().max(MIN_SPREAD);
        let own = (own.iter().sum::<f32>() + USUAL_COUNT * USUAL_OWN) / (count + USUAL_COUNT);
        Self { level, spread, own: own.max(MIN_OWN) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_follows_the_best_other_entry() {
        let profile = SiteProfile::measure([(0.6, 0.9); 3].into_iter());

        assert!(profile.level > USUAL_LEVEL && profile.level < 0.6, "{profile:?}");
        assert!(profile.own > USUAL_OWN && profile.own < 0.9, "{profile:?}");
    }

    #[test]
    fn a_site_that_asks_nothing_has_the_usual_values() {
        let profile = SiteProfile::measure(std::iter::empty());

        assert!((profile.level - USUAL_LEVEL).abs() < 1e-6 && (profile.spread - USUAL_SPREAD).abs() < 1e-6);
    }
}
