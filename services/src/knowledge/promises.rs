//! The promise on wrong answers: the policy by which a site answers, together with what was judged so far.

use helpbot_db as db;
use helpbot_db::judged_answers::JudgedAnswers;
use helpbot_domain::key::Scope;
use helpbot_domain::promise::{Judged, MIN_JUDGED};
use helpbot_domain::site::Site;
use helpbot_engine::{AnswerPolicy, decide};

use crate::accounts::sites;
use crate::{Error, Result, Services, Viewer, boxed};

/// How a site keeps its promise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PromiseState {
    /// Maximum share of the answers that may be wrong, 0 to 1.
    pub promised: f64,
    /// Answers that visitors and members judged.
    pub by_people: Judged,
    /// Answers to the saved test questions when they were last run.
    pub by_cases: Judged,
    /// Confidence from which the next question is answered, 0 to 1.
    pub threshold: f64,
}

impl PromiseState {
    /// All judged answers.
    pub fn judged(&self) -> Judged {
        self.by_people.and(self.by_cases)
    }

    /// Whether the measured share of wrong answers is within the promise. `None` before enough answers were judged.
    pub fn is_kept(&self) -> Option<bool> {
        let judged = self.judged();
        let share = judged.wrong_share()?;
        (judged.answers >= MIN_JUDGED).then_some(share <= self.promised)
    }
}

/// Returns the policy by which a site answers the next question.
///
/// # Errors
/// `NotFound` when the site does not exist; errors of the database.
pub(crate) async fn policy(services: &Services, site: &Site) -> Result<AnswerPolicy> {
    Ok(judged_policy(services, site).await?.1)
}

/// Returns how a site keeps its promise.
///
/// # Errors
/// `Forbidden` without the scope to read settings; `NotFound`; errors of the database.
#[boxed]
pub async fn state(services: &Services, viewer: &Viewer, site: &Site) -> Result<PromiseState> {
    viewer.require(Scope::ReadConfig)?;
    viewer.site(Some(site.id))?;
    let (judged, policy) = judged_policy(services, site).await?;
    Ok(PromiseState {
        promised: policy.promised(),
        by_people: judged.by_people,
        by_cases: judged.by_cases,
        threshold: decide::threshold(&policy),
    })
}

/// Returns the judged answers of a site, and its policy with them.
async fn judged_policy(services: &Services, site: &Site) -> Result<(JudgedAnswers, AnswerPolicy)> {
    let judged = db::judged_answers::of(&mut services.db.reader_of(site.id).await?, site.id).await?;
    let judged = judged.ok_or(Error::NotFound("Site"))?;
    let policy = AnswerPolicy { judged: judged.by_people.and(judged.by_cases), ..sites::parsed_settings(site) };
    Ok((judged, policy))
}
