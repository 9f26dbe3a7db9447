//! Answers about settings, kept while what they rest on is the same: a widget asks for its
//! settings on every page of a visit, and a site has few keys.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use helpbot_api::{Ground, KeyId};

use crate::respond::Reusable;

/// Answers at most, one a key; past it all are dropped, which costs one execution each.
const MAX: usize = 10_000;

/// The last answer to each key, with its ground.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<KeyId, (Ground, Reusable)>>);

impl Kept {
    /// The answer that rests on `ground`.
    pub fn get(&self, ground: &Ground) -> Option<Reusable> {
        let answers = self.answers();
        let (of, answer) = answers.get(&ground.key)?;
        (of == ground).then(|| answer.clone())
    }

    /// Keeps `answer`, made after `ground` was asked for.
    pub fn put(&self, ground: Ground, answer: Reusable) {
        let mut answers = self.answers();
        if answers.len() >= MAX {
            answers.clear();
        }
        answers.insert(ground.key, (ground, answer));
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<KeyId, (Ground, Reusable)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
