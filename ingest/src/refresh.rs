//! Pages that only lead to another one: by the header or the element for a refresh.
//!
//! Called when a page was fetched. What a page shows to other browsers does not count: elements in comments, in scripts
//! and for visitors without scripts.

use helpbot_outbound::FetchedPage;
use url::Url;

/// The longest wait of a page that leads to another one, in seconds. Pages that wait longer show
/// something first, or load themselves again.
const REFRESH_MAX_SECONDS: f32 = 10.0;

/// The start of a page that is searched for a refresh, in bytes.
const REFRESH_WINDOW_BYTES: usize = 16 * 1024;

/// Parts of a page whose elements do not count: how they begin and how they end.
const PASSED_OVER: [(&str, &str); 7] = [
    ("<!--", "-->"),
    ("<script", "</script"),
    ("<noscript", "</noscript"),
    ("<style", "</style"),
    ("<template", "</template"),
    ("<textarea", "</textarea"),
    ("<title", "</title"),
];

/// Where a page leads that only moves its visitors on, by the header or the element for it.
pub(crate) fn moved_to(fetched: &FetchedPage) -> Option<Url> {
    let window = &fetched.body[..fetched.body.len().min(REFRESH_WINDOW_BYTES)];
    let element = || refresh_element(&String::from_utf8_lossy(window));
    let value = fetched.refresh.clone().or_else(element)?;
    let (seconds, target) = value.split_once([';', ',']).unwrap_or((&value, ""));
    let is_soon = seconds.trim().parse::<f32>().is_ok_and(|seconds| seconds <= REFRESH_MAX_SECONDS);
    let target = target.trim();
    let target = match target.get(..3) {
        Some(name) if name.eq_ignore_ascii_case("url") => target[3..].trim_start().strip_prefix('=')?,
        _ => target,
    };
    let target = target.trim().trim_matches(['"', '\'']).trim();
    let mut url = fetched.final_url.join(target).ok().filter(|_| is_soon && !target.is_empty())?;
    url.set_fragment(None);
    let is_elsewhere = url != fetched.final_url && matches!(url.scheme(), "http" | "https");
    is_elsewhere.then_some(url)
}

/// The content of `<meta http-equiv="refresh">` near the start of a page.
fn refresh_element(html: &str) -> Option<String> {
    let lower = html.to_ascii_lowercase();
    let mut at = 0;
    while let Some(found) = lower[at..].find('<') {
        let start = at + found;
        let rest = &lower[start..];
        if let Some((begin, end)) = PASSED_OVER.iter().find(|(begin, _)| rest.starts_with(begin)) {
            at = start + rest[begin.len()..].find(end).map_or(rest.len(), |length| begin.len() + length + end.len());
            continue;
        }
        let end = rest.find('>').map_or(lower.len(), |end| start + end);
        if rest.starts_with("<meta")
            && let Some(content) = refresh_content(&html[start..end])
        {
            return Some(content);
        }
        at = end.max(start + 1);
    }
    None
}

/// What an element for a refresh says. `None` for other elements.
fn refresh_content(tag: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let equivalent = lower.split("http-equiv").nth(1)?;
    let is_refresh = equivalent
        .trim_start()
        .trim_start_matches('=')
        .trim_start()
        .trim_start_matches(['"', '\''])
        .starts_with("refresh");
    let content = &tag[lower.find("content").filter(|_| is_refresh)? + "content".len()..];
    let value = content.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let value = match quote {
        Some(quote) => value[1..].split(quote).next().unwrap_or_default(),
        None => value.trim_end_matches('/'),
    };
    Some(value.replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_redirect_by_element_are_detected() {
        assert_eq!(
            refresh_element("<META HTTP-EQUIV=Refresh CONTENT='0; URL=/en/?a=1&amp;b=2'>").as_deref(),
            Some("0; URL=/en/?a=1&b=2")
        );
        assert_eq!(refresh_element("<meta name=description content='refresh'>"), None);
    }

    #[test]
    fn elements_for_other_browsers_do_not_count() {
        let element = "<meta http-equiv=\"refresh\" content=\"0; url=/old\">";
        for (start, end) in [
            ("<noscript>\n  ", "\n</noscript>"),
            ("<!--[if lt IE 9]>", "<![endif]-->"),
            ("<script>var t = '", "';</script>"),
            ("<NOSCRIPT class=x>", "</NOSCRIPT>"),
        ] {
            assert_eq!(refresh_element(&format!("{start}{element}{end}<p>Text")), None, "{start}");
        }
        assert_eq!(refresh_element(&format!("<!-- a --><script></script>{element}")).as_deref(), Some("0; url=/old"));
    }
}
