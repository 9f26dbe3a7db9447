//! Identity tokens: with them the site's own server says who a visitor is.
//!
//! A token is a JSON Web Token (RFC 7519) that is signed with HMAC-SHA-256 and one of the site's identity secrets. Nothing
//! else is accepted: the algorithm is not chosen by the token, so neither `none` nor a confusion of algorithms is possible,
//! and headers that the token calls critical are refused because none is understood. The signature is compared before the
//! claims are read. A token must name the site (`aud`), the person (`sub`) and the time at which it expires (`exp`).

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use helpbot_domain::contact::ContactClaims;
use helpbot_domain::ids::{IdentitySecretId, SiteId};
use helpbot_domain::{Invalid, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use sha2::Sha256;

/// Longest token in bytes. Twenty attributes of 300 characters fit when most of them are ASCII.
const TOKEN_MAX_BYTES: usize = 8 * 1024;
/// Longest time between now and the expiry of a token. A token that leaks is useless after a day.
const LIFETIME_MAX: Duration = Duration::from_secs(86_400);
/// How much the clocks of the two servers may differ.
const LEEWAY: Duration = Duration::from_secs(60);
/// The field of the input that contains the token.
const FIELD: &str = "token";

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    sub: Option<Value>,
    aud: Option<Value>,
    exp: Option<f64>,
    nbf: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    email: Option<Option<String>>,
    #[serde(default)]
    attributes: Map<String, Value>,
}

/// Tells a null from a claim that is absent.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(from).map(Some)
}

/// Returns what a token says about a person.
///
/// # Errors
/// `Invalid`, whose message says what is wrong with the token. It never contains the token or a secret.
pub fn claims(
    token: &str,
    site: SiteId,
    secrets: &[(IdentitySecretId, String)],
    now: Timestamp,
) -> Result<ContactClaims, Invalid> {
    let token = token.trim();
    let malformed = || refused("The identity token is not a JSON Web Token.");
    if token.len() > TOKEN_MAX_BYTES {
        return Err(refused("The identity token is too long."));
    }
    let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
    let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
    let header: Header = decoded(header).ok_or_else(malformed)?;
    if header.alg != "HS256" || header.crit.is_some() {
        return Err(refused("The identity token must be signed with HS256 and must have no critical headers."));
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
    let is_signed_by = |(id, secret): &(IdentitySecretId, String)| {
        let is_named = header.kid.as_ref().is_none_or(|kid| *kid == id.to_string());
        is_named && mac(secret, signed).verify_slice(&signature).is_ok()
    };
    if !secrets.iter().any(is_signed_by) {
        return Err(refused("The identity token is not signed with an identity secret of this site."));
    }
    let claims: Claims = decoded(payload).ok_or_else(|| refused("A claim of the identity token has a wrong type."))?;
    check_audience(claims.aud.as_ref(), site)?;
    check_times(&claims, now)?;
    let attributes = claims.attributes.into_iter().map(attribute).collect::<Result<BTreeMap<_, _>, _>>()?;
    let external_id = match claims.sub {
        Some(Value::String(text)) => text,
        // User tables often have numbers.
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err(refused("The identity token must contain the claim sub.")),
    };
    ContactClaims { external_id, name: claims.name, email: claims.email, attributes }.checked(FIELD)
}

fn check_audience(audience: Option<&Value>, site: SiteId) -> Result<(), Invalid> {
    let site = site.to_string();
    let is_for_site = match audience {
        Some(Value::String(one)) => *one == site,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(&site)),
        _ => false,
    };
    if is_for_site { Ok(()) } else { Err(refused("The claim aud of the identity token must be the ID of this site.")) }
}

fn check_times(claims: &Claims, now: Timestamp) -> Result<(), Invalid> {
    let seconds = |at: Timestamp| at.as_ms() as f64 / 1000.0;
    let expires = claims.exp.ok_or_else(|| refused("The identity token must contain the claim exp."))?;
    if expires <= seconds(now.minus(LEEWAY)) {
        return Err(refused("The identity token has expired."));
    }
    if expires > seconds(now.plus(LIFETIME_MAX + LEEWAY)) {
        return Err(refused("The identity token must expire within one day."));
    }
    if claims.nbf.is_some_and(|from| from > seconds(now.plus(LEEWAY))) {
        return Err(refused("The identity token is not valid yet."));
    }
    Ok(())
}

/// Returns an attribute as text. Null removes it.
fn attribute((name, value): (String, Value)) -> Result<(String, Option<String>), Invalid> {
    let text = match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is_so) => Some(is_so.to_string()),
        Value::Array(_) | Value::Object(_) => {
            return Err(refused("The claim attributes can contain only texts, numbers, true, false and null."));
        }
    };
    Ok((name, text))
}

fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn mac(secret: &str, signed: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC accepts a key of any length");
    mac.update(signed.as_bytes());
    mac
}

fn refused(message: &str) -> Invalid {
    Invalid::new(FIELD, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_772_366_400_000);
    const SECRET: &str = "ids_current";

    fn site() -> SiteId {
        SiteId::from_uuid(Uuid::from_u128(1))
    }

    fn id(number: u128) -> IdentitySecretId {
        IdentitySecretId::from_uuid(Uuid::from_u128(number))
    }

    fn secrets() -> Vec<(IdentitySecretId, String)> {
        vec![(id(1), SECRET.into()), (id(2), "ids_next".into())]
    }

    fn signed(header: &Value, claims: &Value, secret: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(mac(secret, &text).finalize().into_bytes());
        format!("{text}.{signature}")
    }

    fn payload() -> Value {
        json!({ "sub": "42", "aud": site().to_string(), "exp": 1_772_366_460 })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut changed = payload();
        changed[name] = value;
        changed
    }

    fn read(token: &str) -> Result<ContactClaims, String> {
        claims(token, site(), &secrets(), NOW).map_err(|invalid| invalid.message)
    }

    fn by(claims: &Value) -> Result<ContactClaims, String> {
        read(&signed(&json!({ "alg": "HS256", "typ": "JWT" }), claims, SECRET))
    }

    #[test]
    fn a_token_names_a_person_with_name_address_and_attributes() {
        let all = json!({
            "sub": 42, "aud": ["other", site().to_string()], "exp": 1_772_366_460.5, "nbf": 1_772_366_400, "iat": 0, "jti": "x",
            "name": "Ann", "email": null, "attributes": { "plan": "gold", "seats": 3, "isTrial": false, "old": null },
        });

        let found = by(&all).expect("a valid token");

        assert_eq!(found.external_id, "42");
        assert_eq!((found.name, found.email), (Some(Some("Ann".to_owned())), Some(None)));
        let attribute = |name: &str| found.attributes[name].as_deref();
        assert_eq!(["plan", "seats", "isTrial", "old"].map(attribute), [Some("gold"), Some("3"), Some("false"), None]);
        let least = by(&payload()).expect("a valid token");
        assert_eq!(least, ContactClaims { external_id: "42".into(), ..ContactClaims::default() });
    }

    /// The example of RFC 7515, appendix A.1.
    #[test]
    fn the_signature_is_that_of_the_standard() {
        let text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                    eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .expect("a key");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length");
        mac.update(text.as_bytes());

        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());

        assert_eq!(signature, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn only_hs256_is_accepted_whatever_the_token_says() {
        for alg in ["none", "None", "NONE", "", "HS384", "HS512", "RS256", "ES256", "hs256"] {
            let token = signed(&json!({ "alg": alg }), &payload(), SECRET);
            assert!(read(&token).is_err(), "{alg}");
            let (unsigned, _) = token.rsplit_once('.').expect("three parts");
            assert!(read(&format!("{unsigned}.")).is_err(), "{alg} without a signature");
        }
        for header in [json!({}), json!({ "alg": ["HS256"] }), json!({ "alg": "HS256", "crit": ["exp"] }), json!([])] {
            assert!(read(&signed(&header, &payload(), SECRET)).is_err(), "{header}");
        }
        // A header that names the algorithm twice is read by other programs in another way.
        let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","alg":"HS256"}"#);
        let text = format!("{twice}.{}", URL_SAFE_NO_PAD.encode(payload().to_string()));
        let signature = URL_SAFE_NO_PAD.encode(mac(SECRET, &text).finalize().into_bytes());
        assert!(read(&format!("{text}.{signature}")).is_err());
    }

    #[test]
    fn both_secrets_are_accepted_and_a_key_id_chooses_one() {
        let named = |number, secret| {
            read(&signed(&json!({ "alg": "HS256", "kid": id(number).to_string() }), &payload(), secret))
        };

        assert!(read(&signed(&json!({ "alg": "HS256" }), &payload(), "ids_next")).is_ok());
        assert!(named(1, SECRET).is_ok() && named(2, "ids_next").is_ok());
        assert!(named(2, SECRET).is_err() && named(3, SECRET).is_err());
        assert!(read(&signed(&json!({ "alg": "HS256" }), &payload(), "ids_gone")).is_err());
        assert!(claims(&signed(&json!({ "alg": "HS256" }), &payload(), ""), site(), &[], NOW).is_err());
    }

    #[test]
    fn a_changed_token_proves_nothing() {
        let token = signed(&json!({ "alg": "HS256" }), &payload(), SECRET);
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert!(read(&changed).is_err(), "{changed}");
        }
        for text in
            ["", ".", "..", "...", "a.b.c", &token[1..], &format!("{token}."), &format!("{token}="), &"a".repeat(9000)]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_must_expire_soon_and_name_the_site_and_a_person() {
        for (name, wrong) in [
            ("exp", Value::Null),
            ("exp", json!("1772366460")),
            ("exp", json!(1_772_366_339)),
            ("exp", json!(1_772_366_400 + 86_400 + 61)),
            ("exp", json!(-1)),
            ("nbf", json!(1_772_366_461)),
            ("aud", Value::Null),
            ("aud", json!("site_other")),
            ("aud", json!([])),
            ("aud", json!({ "site": site().to_string() })),
            ("sub", Value::Null),
            ("sub", json!("")),
            ("sub", json!(["42"])),
            ("name", json!(7)),
            ("email", json!("ann")),
            ("attributes", json!([])),
            ("attributes", json!({ "deep": { "x": 1 } })),
        ] {
            assert!(by(&with(name, wrong.clone())).is_err(), "{name}: {wrong}");
        }
        assert!(by(&with("exp", json!(1_772_366_341))).is_ok(), "clocks may differ by a minute");
        assert!(by(&with("nbf", json!(1_772_366_459))).is_ok());
    }
}
