//! Reads the trace that a request belongs to, so that the log line of the request names it. Proxies and clients send it
//! in the header `traceparent` (W3C Trace Context). `http` calls it.

use axum::http::HeaderMap;

/// The header of W3C Trace Context.
const HEADER: &str = "traceparent";

/// ID of the trace in 32 hexadecimal digits. `None` when the header is missing or not valid.
pub(crate) fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(HEADER).iter();
    let parent = given.next()?.to_str().ok().filter(|_| given.next().is_none())?;
    let parts: Vec<&str> = parent.split('-').collect();
    let [version, trace, span, flags, rest @ ..] = parts.as_slice() else { return None };
    let is_valid = is_hex(version, 2)
        && *version != "ff"
        && is_hex(trace, 32)
        && is_hex(span, 16)
        && is_hex(flags, 2)
        && (rest.is_empty() || *version != "00");
    let is_set = |id: &str| id.bytes().any(|byte| byte != b'0');
    (is_valid && is_set(trace) && is_set(span)).then_some(*trace)
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn read(value: &str) -> Option<String> {
        let headers =
            HeaderMap::from_iter([(HEADER.parse().expect("a name"), HeaderValue::from_str(value).expect("text"))]);
        trace_id(&headers).map(str::to_owned)
    }

    #[test]
    fn the_trace_of_a_valid_header_is_read() {
        assert_eq!(read(&format!("00-{TRACE}-00f067aa0ba902b7-01")).as_deref(), Some(TRACE));
        assert_eq!(read(&format!("01-{TRACE}-00f067aa0ba902b7-01-later")).as_deref(), Some(TRACE));
    }

    #[test]
    fn anything_else_is_ignored() {
        for wrong in [
            "",
            "my secret",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
