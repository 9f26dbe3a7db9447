//! HTTP requests by method and route template: their number by status, and their duration.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::Method;
use helpbot_domain::measurement::{Counter, Histogram};

use super::text::{MetricType, MetricsText};

const REQUESTS: &str = "helpbot_http_requests_total";
const SECONDS: &str = "helpbot_http_request_duration_seconds";
/// Label of methods that are not listed in [`METHODS`].
const OTHER: &str = "other";
/// The methods that are counted separately. A client may send any other word.
const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// The requests of one server. Cloning is cheap.
#[derive(Clone, Default)]
pub(super) struct Requests(Arc<RwLock<BTreeMap<&'static str, BTreeMap<String, RouteRequests>>>>);

/// The requests to one route.
#[derive(Default)]
struct RouteRequests {
    seconds: Histogram,
    by_status: Vec<(u16, Counter)>,
}

impl Requests {
    /// Counts a request. `route` is the route template that matched.
    pub(super) fn count(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let method = label(method);
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(requests) = known.get(method).and_then(|routes| routes.get(route))
            && let Some((_, count)) = requests.by_status.iter().find(|(known, _)| *known == status)
        {
            count.add_one();
            requests.seconds.record(took);
            return;
        }
        drop(known);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let requests = all.entry(method).or_default().entry(route.to_owned()).or_default();
        requests.seconds.record(took);
        match requests.by_status.iter().find(|(known, _)| *known == status) {
            Some((_, count)) => count.add_one(),
            None => {
                let first = Counter::default();
                first.add_one();
                requests.by_status.push((status, first));
            }
        }
    }

    /// Writes the metrics.
    pub(super) fn write(&self, text: &mut MetricsText) {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let routes =
            || all.iter().flat_map(|(method, routes)| routes.iter().map(move |(route, of)| (*method, route, of)));
        text.metric(REQUESTS, MetricType::Counter, "HTTP requests by method, route template and status.");
        for (method, route, requests) in routes() {
            for (status, count) in &requests.by_status {
                let labels = [("method", method), ("route", route), ("status", &status.to_string())];
                text.sample(REQUESTS, &labels, count.get());
            }
        }
        text.metric(SECONDS, MetricType::Histogram, "Time until the response headers were ready.");
        for (method, route, requests) in routes() {
            text.histogram(SECONDS, &[("method", method), ("route", route)], &requests.seconds.state());
        }
    }
}

fn label(method: &Method) -> &'static str {
    const NAMES: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    METHODS.iter().position(|known| known == method).map_or(OTHER, |at| NAMES[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_method_route_and_status() {
        let (requests, mut text) = (Requests::default(), MetricsText::default());
        let took = Duration::from_millis(2);

        for status in [200, 200, 404] {
            requests.count(&Method::GET, "/a", status, took);
        }
        requests.count(&Method::from_bytes(b"CURSE").expect("a method"), "/a", 405, took);
        requests.write(&mut text);
        let text = text.into_text();

        for line in [
            "helpbot_http_requests_total{method=\"GET\",route=\"/a\",status=\"200\"} 2",
            "helpbot_http_requests_total{method=\"GET\",route=\"/a\",status=\"404\"} 1",
            "helpbot_http_requests_total{method=\"other\",route=\"/a\",status=\"405\"} 1",
            "helpbot_http_request_duration_seconds_count{method=\"GET\",route=\"/a\"} 3",
        ] {
            assert!(text.lines().any(|written| written == line), "{line} in {text}");
        }
    }
}
