//! Addresses of pages: their normal form, the site that they belong to, and whether they can be a page.
//!
//! Used by [`plan`](super::plan). Pure: nothing here knows what was visited.

use url::Url;

/// The longest address that is followed, in bytes, as in the sitemap protocol.
const ADDRESS_LIMIT_BYTES: usize = 2048;

/// How often a folder may be repeated in one path: relative links without a base pile up.
const REPEATS: usize = 3;

/// Query parameters that name where a visitor came from, never what is shown.
const TRACKING: [&str; 9] = ["fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "_ga", "ref_src"];

/// Extensions of files that hold no text to answer from. PDF and office documents are read.
const NOT_PAGES: [&str; 36] = [
    "png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "ico", "bmp", "tif", "tiff", "css", "js", "mjs", "json", "xml",
    "rss", "atom", "zip", "gz", "tar", "7z", "rar", "exe", "dmg", "apk", "mp3", "mp4", "webm", "ogg", "wav", "avi",
    "mov", "woff", "woff2", "ttf",
];

/// Names of parameters that carry the session of a visitor and never what is shown.
const SESSIONS: [&str; 7] = ["phpsessid", "jsessionid", "oscsid", "zenid", "cfid", "cftoken", "aspsessionid"];

/// Whether two http(s) addresses are of one site: the same host and port, with or without `www.`,
/// on either default port.
pub fn is_same_site(one: &Url, other: &Url) -> bool {
    matches!(other.scheme(), "http" | "https")
        && host(one) == host(other)
        && one.port_or_known_default() == other.port_or_known_default()
        || is_upgrade(one, other)
}

/// The same host on the other default port: sites link to both until the redirect.
fn is_upgrade(start: &Url, url: &Url) -> bool {
    let is_default = |url: &Url| matches!(url.scheme(), "http" | "https") && url.port().is_none();
    host(url) == host(start) && is_default(url) && is_default(start)
}

/// The host without `www.`, which no site uses for different content.
fn host(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host))
}

/// Whether a path is that of the start or below it; a start that is a file stands for its folder.
pub(super) fn is_below(path: &str, start: &str) -> bool {
    let (folder, name) = start.rsplit_once('/').unwrap_or(("", start));
    let folder = if name.contains('.') || name.is_empty() { folder } else { start };
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What addresses of one series have in common: their path with its numbers made alike, and the names
/// of their parameters.
pub(super) fn shape(url: &Url) -> String {
    let mut shape = String::with_capacity(url.path().len());
    for c in url.path().chars() {
        if !c.is_ascii_digit() {
            shape.push(c);
        } else if !shape.ends_with('#') {
            shape.push('#');
        }
    }
    let mut names: Vec<&str> =
        url.query().unwrap_or_default().split('&').map(|pair| pair.split('=').next().unwrap_or_default()).collect();
    names.sort_unstable();
    names.dedup();
    // A day, a month and a year of a calendar are one series, whichever of them an address names.
    names.retain(|name| name.len() > 2);
    if url.query().is_some() { format!("{shape}?{}", names.join("&")) } else { shape }
}

/// One spelling for one page: no fragment, no credentials, no tracking or session parameters, no empty
/// query, no doubled slashes, no escapes of plain letters. Case, order of parameters and trailing slashes may mean
/// something and stay.
pub fn normalise(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    // Both fail for addresses without a host only, which have no credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.path().contains("//") {
        let mut path = url.path().to_owned();
        while path.contains("//") {
            path = path.replace("//", "/");
        }
        url.set_path(&path);
    }
    if url.path().contains("/(") {
        let folders: Vec<&str> = url.path().split('/').filter(|folder| !is_session_folder(folder)).collect();
        let path = folders.join("/");
        url.set_path(&path);
    }
    if url.path().contains('%') {
        let path = with_plain_escapes(url.path());
        url.set_path(&path);
    }
    if let Some(query) = url.query().filter(|query| query.contains('%')) {
        let query = with_plain_escapes(query);
        url.set_query(Some(&query));
    }
    if let Some(at) = url.path().to_ascii_lowercase().find(";jsessionid=") {
        let path = url.path()[..at].to_owned();
        url.set_path(&path);
    }
    if let Some(query) = url.query() {
        let kept: Vec<_> = query.split('&').filter(|pair| !pair.is_empty() && !is_tracking(pair)).collect();
        let kept = kept.join("&");
        url.set_query(Some(kept.as_str()).filter(|kept| !kept.is_empty()));
    }
    url
}

/// Whether an address is that of a further page of a list: `?page=2`, `/page/2/`, `/page-2.html`.
pub(super) fn is_further_page(address: &str) -> bool {
    const NAMES: [&str; 7] = ["page", "paged", "pg", "p", "pagina", "seite", "start"];
    let lower = address.to_ascii_lowercase();
    let mut parts = lower.split(['/', '?', '&', '=', '-', '_', '.', '#']).peekable();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    while let Some(part) = parts.next() {
        let name = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_numbered = name.len() < part.len() || parts.peek().is_some_and(|next| is_number(next));
        if is_numbered && NAMES.contains(&name) {
            return true;
        }
    }
    false
}

/// Whether a folder is the session of a visitor, as ASP.NET writes it without cookies: `(S(lit3py55t21z5v55vlm25s55))`.
fn is_session_folder(folder: &str) -> bool {
    let inside = folder.strip_prefix('(').and_then(|folder| folder.strip_suffix(')')).unwrap_or_default();
    let mut letters = inside.chars();
    letters.next().is_some_and(|c| c.is_ascii_uppercase()) && letters.next() == Some('(') && inside.ends_with(')')
}

/// A path or query with capital digits in its escapes, and without escapes of characters that need none (RFC 3986,
/// section 6.2.2).
fn with_plain_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => out.push(char::from(byte)),
            Some(byte) => out.push_str(&format!("%{byte:02X}")),
            None => out.push('%'),
        }
        rest = &rest[at + if byte.is_some() { 3 } else { 1 }..];
    }
    out + rest
}

fn is_tracking(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    let is_session = || SESSIONS.iter().any(|session| name.to_ascii_lowercase().starts_with(session));
    name.starts_with("utm_") || TRACKING.contains(&name) || is_session()
}

pub(super) fn is_trap(url: &Url) -> bool {
    if url.as_str().len() > ADDRESS_LIMIT_BYTES {
        return true;
    }
    let folders: Vec<_> = url.path().split('/').filter(|folder| !folder.is_empty()).collect();
    folders.iter().any(|folder| folders.iter().filter(|other| other == &folder).count() > REPEATS)
}

pub(super) fn may_be_page(url: &Url) -> bool {
    let name = url.path().rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    !NOT_PAGES.iter().any(|known| known.eq_ignore_ascii_case(extension))
}
