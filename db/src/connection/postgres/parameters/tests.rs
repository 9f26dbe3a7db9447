//! Tests of the parameters: their precedence, and what is refused.

use super::*;

fn resolve<const N: usize>(url: &str, environment: [(&str, &str); N]) -> Result<Parameters, String> {
    Parameters::with_environment(url, &PostgresOptions::default(), &Environment::of(environment))
}

fn hosts(parameters: &Parameters) -> Vec<(Host, u16)> {
    parameters.endpoints.iter().map(|endpoint| (endpoint.host.clone(), endpoint.port)).collect()
}

fn tcp(name: &str, address: Option<&str>) -> Host {
    Host::Tcp { name: name.into(), address: address.map(|text| text.parse().expect("an address")) }
}

#[test]
fn the_url_takes_precedence_over_the_environment() {
    let environment =
        [("PGUSER", "env"), ("PGPASSWORD", "from env"), ("PGSSLMODE", "disable"), ("PGDATABASE", "other")];

    let resolved = resolve("postgres://ann@db.example:6543/shop?sslmode=require", environment).expect("parameters");

    assert_eq!(resolved.config.get_user(), Some("ann"));
    assert_eq!(resolved.config.get_dbname(), Some("shop"));
    assert_eq!(resolved.tls_mode, TlsMode::Require);
    assert_eq!(resolved.endpoints[0].password.as_deref(), Some("from env"));
    assert_eq!(hosts(&resolved), [(tcp("db.example", None), 6543)]);
}

#[test]
fn a_url_without_a_host_uses_the_environment_and_then_the_socket() {
    let of_environment = resolve("postgres:///shop", [("PGHOST", "10.0.0.1"), ("PGPORT", "7000")]).expect("parameters");
    let of_default = resolve("postgres:///shop", []).expect("parameters");

    assert_eq!(hosts(&of_environment), [(tcp("10.0.0.1", None), 7000)]);
    assert_eq!(hosts(&of_default), [(Host::Unix("/var/run/postgresql".into()), 5432)]);
}

#[test]
fn several_hosts_have_their_ports_and_addresses() {
    let url = "postgres://ann:p%40ss@a:1,[::1]:2,c/shop?hostaddr=10.0.0.1,,10.0.0.3&target_session_attrs=read-write";

    let resolved = resolve(url, []).expect("parameters");

    let expected = [(tcp("a", Some("10.0.0.1")), 1), (tcp("::1", None), 2), (tcp("c", Some("10.0.0.3")), 5432)];
    assert_eq!(hosts(&resolved), expected);
    assert_eq!(resolved.endpoints[2].password.as_deref(), Some("p@ss"));
    assert_eq!(resolved.target, Target::ReadWrite);
}

#[test]
fn every_sslmode_of_libpq_is_known() {
    for mode in ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] {
        let resolved = resolve(&format!("postgres://db/shop?sslmode={mode}"), []).expect(mode);

        assert_eq!(resolved.tls_mode.name(), mode);
        assert_eq!(resolved.tls.is_some(), mode != "disable");
    }
    assert_eq!(resolve("postgres://db/shop", []).expect("parameters").tls_mode, TlsMode::Prefer);
}

#[test]
fn what_would_weaken_the_connection_is_refused() {
    let cases = [
        ("sslmode=verify_full", "sslmode must be"),
        ("sslcrl=/x", "sslcrl=/x is not supported"),
        ("gssencmode=require", "gssencmode=require is not supported"),
        ("channel_binding=require", "channel_binding=require is not supported"),
        ("sslmode=verify-full&sslrootcert=/nonexistent/ca.pem", "/nonexistent/ca.pem"),
        ("sslmode=require&sslcert=/nonexistent/a.crt", "sslkey"),
        ("sslmode=disable&sslnegotiation=direct", "does not fit"),
        ("sslmod=require", "\"sslmod\" is not known"),
        ("port=x", "not a port"),
        ("options=%zz", "percent escape"),
    ];
    for (query, expected) in cases {
        let refused = resolve(&format!("postgres://db/shop?{query}"), []).err().unwrap_or_default();

        assert!(refused.contains(expected), "{query}: {refused}");
    }
}
