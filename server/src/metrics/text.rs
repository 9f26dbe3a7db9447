//! Writes metrics in the text format of Prometheus. The modules beside it say which ones.

use std::fmt::{Display, Write as _};

use helpbot_domain::measurement::{BUCKET_SECONDS, HistogramState};

/// The type of a metric.
#[derive(Debug, Clone, Copy)]
pub(super) enum MetricType {
    /// A number that only grows.
    Counter,
    /// A number that grows and falls.
    Gauge,
    /// Durations in buckets.
    Histogram,
}

/// The metrics that were written until now.
#[derive(Debug, Default)]
pub(super) struct MetricsText(String);

/// A name and a value for each label.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

impl MetricsText {
    /// Begins a metric. All its samples follow.
    pub(super) fn metric(&mut self, name: &str, metric_type: MetricType, help: &str) {
        let metric_type = match metric_type {
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            MetricType::Histogram => "histogram",
        };
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {metric_type}");
    }

    /// Writes one value.
    pub(super) fn sample(&mut self, name: &str, labels: Labels<'_>, value: impl Display) {
        self.0.push_str(name);
        self.labels(labels, None);
        let _ = writeln!(self.0, " {value}");
    }

    /// Writes a metric that has one value.
    pub(super) fn single(&mut self, name: &str, metric_type: MetricType, help: &str, value: impl Display) {
        self.metric(name, metric_type, help);
        self.sample(name, &[], value);
    }

    /// Writes the samples of a histogram.
    pub(super) fn histogram(&mut self, name: &str, labels: Labels<'_>, state: &HistogramState) {
        for (bound, count) in BUCKET_SECONDS.iter().zip(state.at_most) {
            let _ = write!(self.0, "{name}_bucket");
            self.labels(labels, Some(&bound.to_string()));
            let _ = writeln!(self.0, " {count}");
        }
        let _ = write!(self.0, "{name}_bucket");
        self.labels(labels, Some("+Inf"));
        let _ = writeln!(self.0, " {}", state.count);
        self.sample(&format!("{name}_sum"), labels, state.sum.as_secs_f64());
        self.sample(&format!("{name}_count"), labels, state.count);
    }

    /// Returns the text.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn labels(&mut self, labels: Labels<'_>, bucket: Option<&str>) {
        let all = labels.iter().copied().chain(bucket.map(|bound| ("le", bound)));
        let all: Vec<String> = all.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        if !all.is_empty() {
            let _ = write!(self.0, "{{{}}}", all.join(","));
        }
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use helpbot_domain::measurement::Histogram;

    use super::*;

    #[test]
    fn samples_follow_their_metric_and_label_values_are_escaped() {
        let mut text = MetricsText::default();

        text.metric("helpbot_cats_total", MetricType::Counter, "Cats.");
        text.sample("helpbot_cats_total", &[("name", "a\"b\\c\n"), ("color", "red")], 2);

        let expected = "# HELP helpbot_cats_total Cats.\n# TYPE helpbot_cats_total counter\n\
                        helpbot_cats_total{name=\"a\\\"b\\\\c\\n\",color=\"red\"} 2\n";
        assert_eq!(text.into_text(), expected);
    }

    #[test]
    fn the_buckets_of_a_histogram_are_cumulative() {
        let (mut text, histogram) = (MetricsText::default(), Histogram::default());
        histogram.record(Duration::from_millis(3));
        histogram.record(Duration::from_secs(40));

        text.histogram("cat_seconds", &[], &histogram.state());
        let text = text.into_text();

        for line in [
            "cat_seconds_bucket{le=\"0.0025\"} 0",
            "cat_seconds_bucket{le=\"0.005\"} 1",
            "cat_seconds_bucket{le=\"+Inf\"} 2",
            "cat_seconds_sum 40.003",
            "cat_seconds_count 2",
        ] {
            assert!(text.lines().any(|written| written == line), "{line} in {text}");
        }
    }
}
