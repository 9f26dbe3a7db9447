//! What a redirect means for the crawl: where its start is, and which URL a page that was fetched belongs to.

use helpbot_services::sources::options::SourceOptions;
use helpbot_services::sources::page_sync::EarlierChunks;
use url::Url;

use super::super::ground::RobotsVerdict;
use super::super::plan::Planned;
use super::super::report::{self, skipped};
use super::super::visit::{Conditions, Visit};
use super::{Crawl, plan_of};

impl Crawl<'_> {
    /// Moves the plan to the URL that the start redirected to: its host and folder are the intended scope.
    pub(super) fn settle(&mut self, visit: &Visit, options: &SourceOptions) {
        if let Some(led_to) = visit.led_to.as_ref().filter(|led_to| *led_to != self.plan.start()) {
            let start = self.plan.take();
            self.plan = plan_of(led_to, options);
            if let Some(start) = start {
                self.plan.resolve(&start.url);
            }
        }
        // The start is being read already.
        self.plan.take();
    }

    /// Returns the URL that a visit belongs to: after a redirect, its target. `None` when the target must not be
    /// read or is read separately.
    pub(super) async fn arrived(&mut self, planned: &Planned, visit: &Visit) -> Option<Url> {
        // A redirect to the same page, with the session of a visitor, leads nowhere else.
        let led_to = visit.led_to.as_ref().filter(|led_to| **led_to != planned.url);
        let Some(led_to) = led_to else { return Some(planned.url.clone()) };
        self.led.insert(planned.url.clone(), led_to.clone());
        let verdict = self.ground.judge(self.reader, led_to).await;
        let reason = match verdict {
            _ if !self.plan.is_in_scope(led_to) => {
                format!("The page redirects to {led_to}, which is outside the source")
            }
            RobotsVerdict::Allowed => format!("The page redirects to {led_to}"),
            RobotsVerdict::Disallowed | RobotsVerdict::Unknown(_) => {
                format!("The page redirects to {led_to}, which robots.txt does not allow")
            }
        };
        let row = skipped(planned.url.clone(), reason, EarlierChunks::Leaves);
        self.report.add(report::with(row, Conditions::default(), vec![led_to.clone()]));
        // The target of the start is planned already.
        let is_start = *led_to == *self.plan.start() && planned.depth == 0;
        let is_new = verdict == RobotsVerdict::Allowed && (is_start || self.plan.resolve(led_to));
        is_new.then(|| led_to.clone())
    }
}
