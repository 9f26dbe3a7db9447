//! Content negotiation: the GraphQL media type that an `Accept` header asks for, and whether the
//! `Content-Type` of a body is JSON.

use axum::http::{HeaderMap, HeaderValue, header};

use super::stream_form::StreamForm;

/// Media type of server-sent events.
const EVENTS: &str = "text/event-stream";

/// A media type that a GraphQL response can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status reports request errors.
    GraphqlResponse,
    /// `application/json`: every GraphQL response has status 200.
    Json,
}

impl Media {
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Media::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Media::Json => "application/json; charset=utf-8",
        })
    }
}

/// The media type that the client prefers, or `None` when it accepts neither.
///
/// Without a header, or with wildcards only, this is `application/json`.
pub(super) fn negotiate(headers: &HeaderMap) -> Option<Media> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return Some(Media::Json);
    }
    let (modern, is_named) = quality(&ranges, "application/graphql-response+json");
    let (plain, _) = quality(&ranges, "application/json");
    match (modern, plain) {
        (0, 0) => None,
        _ if modern > plain || (modern == plain && is_named) => Some(Media::GraphqlResponse),
        _ => Some(Media::Json),
    }
}

/// Whether the client accepts `text/event-stream`.
pub(super) fn takes_events(headers: &HeaderMap) -> bool {
    let ranges = ranges(headers);
    ranges.is_empty() || quality(&ranges, EVENTS).0 > 0
}

/// The form in which the client accepts many results at `/graphql`, or `None` when it names neither. The
/// type of the operation decides whether it is used.
pub(super) fn stream_form(headers: &HeaderMap) -> Option<StreamForm> {
    let ranges = ranges(headers);
    let (events, is_named) = quality(&ranges, EVENTS);
    if is_named && events > 0 {
        return Some(StreamForm::Events);
    }
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let is_apollos = |range: &str| {
        let range = range.to_ascii_lowercase();
        range.trim_start().starts_with("multipart/mixed") && range.contains("subscriptionspec=")
    };
    values.flat_map(|value| value.split(',')).any(is_apollos).then_some(StreamForm::Parts)
}

/// Whether the client accepts only server-sent events at `/graphql`.
pub(super) fn takes_only_events(headers: &HeaderMap) -> bool {
    negotiate(headers).is_none() && stream_form(headers) == Some(StreamForm::Events)
}

/// Whether the headers declare the body to be JSON in UTF-8.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = value.split(';').map(str::trim);
    parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") => {
                let charset = charset.trim().trim_matches('"');
                charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
            }
            _ => true,
        })
}

/// A media range and its quality in thousandths.
type MediaRange = (String, u16);

fn ranges(headers: &HeaderMap) -> Vec<MediaRange> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(range).collect()
}

fn range(text: &str) -> Option<MediaRange> {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().filter(|media| !media.is_empty())?.to_ascii_lowercase();
    let quality = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .map_or(Some(1.0), |(_, value)| value.trim().parse::<f32>().ok())
        .filter(|quality| (0.0..=1.0).contains(quality))?;
    // A quality has at most three decimals, RFC 9110 §12.4.2.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    Some((media, (quality * 1_000.0).round() as u16))
}

/// The quality of `media` by its most specific range, and whether that range names it.
fn quality(ranges: &[MediaRange], media: &str) -> (u16, bool) {
    let kind = media.split('/').next().unwrap_or_default();
    let whole_kind = format!("{kind}/*");
    let of = |range: &str| ranges.iter().filter(|(media, _)| media == range).map(|(_, quality)| *quality).max();
    match of(media) {
        Some(quality) => (quality, true),
        None => (of(&whole_kind).or_else(|| of("*/*")).unwrap_or(0), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(accept: &'static str) -> Option<Media> {
        negotiate(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
    }

    #[test]
    fn the_media_type_with_the_highest_quality_by_its_most_specific_range_is_chosen() {
        for (accept, media) in [
            ("", Some(Media::Json)),
            ("*/*", Some(Media::Json)),
            ("application/*", Some(Media::Json)),
            ("application/json", Some(Media::Json)),
            ("Application/JSON; charset=utf-8", Some(Media::Json)),
            ("application/graphql-response+json", Some(Media::GraphqlResponse)),
            ("application/graphql-response+json, application/json;q=0.9", Some(Media::GraphqlResponse)),
            ("application/json, application/graphql-response+json", Some(Media::GraphqlResponse)),
            ("application/graphql-response+json;q=0.1, */*", Some(Media::Json)),
            ("application/json;q=0, */*", Some(Media::GraphqlResponse)),
            ("text/html", None),
            ("text/event-stream", None),
            ("*/*;q=0", None),
        ] {
            assert_eq!(asked(accept), media, "{accept}");
        }
    }

    #[test]
    fn a_stream_has_the_form_that_the_client_names() {
        const APOLLO: &str = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0,application/json";
        for (accept, form, is_only) in [
            ("text/event-stream", Some(StreamForm::Events), true),
            ("application/json, text/event-stream", Some(StreamForm::Events), false),
            ("application/json, text/event-stream;q=0", None, false),
            ("*/*", None, false),
            ("", None, false),
            (APOLLO, Some(StreamForm::Parts), false),
            ("multipart/mixed;deferSpec=20220824, application/json", None, false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!((stream_form(&headers), takes_only_events(&headers)), (form, is_only), "{accept}");
        }
    }

    #[test]
    fn a_body_is_json_only_with_the_media_type_application_json_in_utf_8() {
        for (content_type, expected) in [
            ("application/json", true),
            ("application/json; charset=UTF-8", true),
            ("application/json;charset=\"utf-8\"", true),
            ("application/json; charset=utf8", true),
            ("application/json; charset=utf-16", false),
            ("application/json garbage", false),
            ("application/json; charset=latin1", false),
            ("application/jsonp", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            assert_eq!(is_json(&headers), expected, "{content_type}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
