//! The parameters of a connection: the URL, then the service file, then the environment, as in
//! libpq. [`super::connect`] uses them.
//!
//! A parameter that this program does not support is refused and never ignored when ignoring it
//! would make the connection less safe than the operator asked for.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio_postgres::Config;

use super::address::{PostgresOptions, PostgresUrl};
use super::environment::{Environment, Keywords, password_in};
use super::tls::{self, TlsFiles};

/// Time for the TCP connection and the login to one address, unless `connect_timeout` is set.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Directory of the server's Unix socket when no host is named, as on Debian.
const SOCKET_DIRECTORY: &str = "/var/run/postgresql";
const DEFAULT_PORT: u16 = 5432;
/// Time without data after which the kernel asks whether the server is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
/// Time between these questions, and their number until the connection is considered dead. A server
/// that vanished is thereby noticed after 19 seconds at the latest.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(3);
const KEEPALIVE_RETRIES: u32 = 3;
/// Time for which sent data may stay unacknowledged before the connection is considered dead.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(15);

/// When a connection is encrypted, and how much of the server's certificate is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TlsMode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl TlsMode {
    pub(super) fn name(self) -> &'static str {
        match self {
            TlsMode::Disable => "disable",
            TlsMode::Allow => "allow",
            TlsMode::Prefer => "prefer",
            TlsMode::Require => "require",
            TlsMode::VerifyCa => "verify-ca",
            TlsMode::VerifyFull => "verify-full",
        }
    }
}

impl FromStr for TlsMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        use TlsMode::{Allow, Disable, Prefer, Require, VerifyCa, VerifyFull};
        let modes = [Disable, Allow, Prefer, Require, VerifyCa, VerifyFull];
        modes.into_iter().find(|mode| mode.name() == text).ok_or_else(|| {
            format!("sslmode must be disable, allow, prefer, require, verify-ca or verify-full, not {text:?}")
        })
    }
}

/// What a server must allow so that a connection to it is used (`target_session_attrs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Any,
    ReadWrite,
    ReadOnly,
}

/// One server to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// Name for the certificate, and the address when `hostaddr` sets it.
    Tcp { name: String, address: Option<IpAddr> },
    /// Directory of the socket.
    Unix(PathBuf),
}

/// A server to try, its port, and the password for it.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub host: Host,
    pub port: u16,
    pub password: Option<String>,
}

/// All parameters of the connections to a database.
pub(super) struct Parameters {
    /// User, database and session options. Hosts and passwords are in `endpoints`.
    pub config: Config,
    pub endpoints: Vec<Endpoint>,
    /// Whether every connection begins with another one of the endpoints.
    pub is_balanced: bool,
    pub target: Target,
    pub tls_mode: TlsMode,
    /// `None` when connections are never encrypted.
    pub tls: Option<Arc<ClientConfig>>,
    pub connect_timeout: Duration,
    pub keepalive: Option<Keepalive>,
    pub tcp_user_timeout: Duration,
}

/// When the kernel finds out that the server of an idle connection is gone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keepalive {
    pub idle: Duration,
    pub interval: Duration,
    pub retries: u32,
}

impl Parameters {
    /// Merges the URL with the environment of the process.
    ///
    /// # Errors
    /// A sentence for the operator, without secrets.
    pub(super) fn resolve(url: &PostgresUrl) -> Result<Self, String> {
        Self::with_environment(url.as_str(), &url.options, &Environment::of_process())
    }

    fn with_environment(url: &str, options: &PostgresOptions, environment: &Environment) -> Result<Self, String> {
        let mut given = of_url(url)?;
        let outside = environment.keywords();
        if let Some(service) = given.remove("service").or_else(|| outside.get("service").cloned()) {
            fill(&mut given, environment.service(&service)?);
        }
        fill(&mut given, outside);
        given.remove("service");
        let mut read = KeywordReader(given);
        read.refuse_unsupported()?;
        let mut parameters = read.parameters(environment)?;
        let tls_files = read.tls_files(environment, parameters.tls_mode)?;
        parameters.tls = tls::client_config(parameters.tls_mode, &tls_files, &options.authorities)?;
        read.refuse_unknown()?;
        Ok(parameters)
    }
}

/// Adds the parameters that are not set yet.
fn fill(given: &mut Keywords, more: Keywords) {
    for (keyword, value) in more {
        given.entry(keyword).or_insert(value);
    }
}

/// Returns the parameters of a URL.
fn of_url(url: &str) -> Result<Keywords, String> {
    let (_, rest) = url.split_once("://").ok_or("the database URL has no scheme")?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let mut given = Keywords::new();
    let mut set = |keyword: &str, value: &str| -> Result<(), String> {
        let value = percent_decoded(value)?;
        if !value.is_empty() {
            given.insert(keyword.to_owned(), value);
        }
        Ok(())
    };
    set("user", user)?;
    set("password", password)?;
    set("dbname", database)?;
    let (names, ports): (Vec<&str>, Vec<&str>) = hosts.split(',').map(host_and_port).unzip();
    set("host", &names.join(","))?;
    if ports.iter().any(|port| !port.is_empty()) {
        set("port", &ports.join(","))?;
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (keyword, value) = pair.split_once('=').ok_or_else(|| format!("the parameter {pair:?} has no value"))?;
        set(&percent_decoded(keyword)?, value)?;
    }
    Ok(given)
}

/// Splits `host:port`. An IPv6 address is in brackets.
fn host_and_port(text: &str) -> (&str, &str) {
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, rest.trim_start_matches(':'));
    }
    text.split_once(':').unwrap_or((text, ""))
}

fn percent_decoded(text: &str) -> Result<String, String> {
    let invalid = || "the database URL contains an invalid percent escape".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or_else(invalid);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).map_err(|_| invalid())?);
    }
    String::from_utf8(bytes).map_err(|_| invalid())
}

/// Parameters that libpq knows and this program does not support, because they would have to make
/// the connection safer, with the values that change nothing.
const UNSUPPORTED: [(&str, &[&str]); 9] = [
    ("sslcrl", &[]),
    ("sslcrldir", &[]),
    ("sslpassword", &[]),
    ("sslsni", &["1"]),
    ("gssencmode", &["disable", "prefer"]),
    ("require_auth", &[]),
    ("requirepeer", &[]),
    ("channel_binding", &["disable", "prefer"]),
    ("replication", &["false", "off", "no", "0"]),
];
/// Parameters that do not matter here: this program sets the encoding itself, and uses neither
/// compression nor Kerberos.
const IGNORED: [&str; 7] = [
    "client_encoding",
    "sslcompression",
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "sslcertmode",
    "min_protocol_version",
];

/// Takes parameters one by one, so that unknown ones remain.
struct KeywordReader(Keywords);

impl KeywordReader {
    fn take(&mut self, keyword: &str) -> Option<String> {
        self.0.remove(keyword)
    }

    fn parsed<T: FromStr>(&mut self, keyword: &str) -> Result<Option<T>, String> {
        let Some(text) = self.take(keyword) else { return Ok(None) };
        let value = text.trim().parse().map_err(|_| format!("{keyword} has the invalid value {text:?}"))?;
        Ok(Some(value))
    }

    fn seconds(&mut self, keyword: &str, default: Duration) -> Result<Duration, String> {
        // In libpq, 0 and negative numbers mean that there is no limit.
        let given: Option<i32> = self.parsed(keyword)?;
        Ok(given.map_or(default, |seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0))))
    }

    fn refuse_unsupported(&mut self) -> Result<(), String> {
        for (keyword, harmless) in UNSUPPORTED {
            if let Some(value) = self.take(keyword).filter(|value| !harmless.contains(&value.as_str())) {
                return Err(format!("{keyword}={value} is not supported"));
            }
        }
        for keyword in IGNORED {
            self.take(keyword);
        }
        Ok(())
    }

    fn refuse_unknown(&self) -> Result<(), String> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(keyword) => Err(format!("the parameter {keyword:?} is not known")),
        }
    }

    fn parameters(&mut self, environment: &Environment) -> Result<Parameters, String> {
        let mut config = Config::new();
        let user = self.take("user");
        let database = self.take("dbname");
        if let Some(user) = &user {
            config.user(user);
        }
        if let Some(name) = &database {
            config.dbname(name);
        }
        if let Some(options) = self.take("options") {
            config.options(options);
        }
        let fallback = self.take("fallback_application_name").unwrap_or_else(|| "helpbot".into());
        config.application_name(self.take("application_name").unwrap_or(fallback));
        let (user, database) = (user.unwrap_or_default(), database.unwrap_or_default());
        let endpoints = self.endpoints(environment, &user, &database)?;
        let requires_tls = self.take("requiressl").is_some_and(|value| value == "1");
        let default = if requires_tls { TlsMode::Require } else { TlsMode::Prefer };
        let tls_mode = self.take("sslmode").map_or(Ok(default), |text| text.parse())?;
        match self.take("sslnegotiation").as_deref() {
            None | Some("postgres") => {}
            Some("direct") if tls_mode >= TlsMode::Require => {
                config.ssl_negotiation(tokio_postgres::config::SslNegotiation::Direct);
            }
            Some(other) => return Err(format!("sslnegotiation={other} does not fit sslmode={}", tls_mode.name())),
        }
        let is_balanced = match self.take("load_balance_hosts").as_deref() {
            None | Some("disable") => false,
            Some("random") => true,
            Some(other) => return Err(format!("load_balance_hosts must be disable or random, not {other:?}")),
        };
        let connect_timeout = match self.seconds("connect_timeout", CONNECT_TIMEOUT)? {
            // A request must not wait forever for a connection.
            Duration::ZERO => CONNECT_TIMEOUT,
            given => given,
        };
        Ok(Parameters {
            config,
            endpoints,
            is_balanced,
            target: self.target()?,
            tls_mode,
            tls: None,
            connect_timeout,
            keepalive: self.keepalive()?,
            tcp_user_timeout: self.parsed::<u64>("tcp_user_timeout")?.map_or(TCP_USER_TIMEOUT, Duration::from_millis),
        })
    }

    fn target(&mut self) -> Result<Target, String> {
        match self.take("target_session_attrs").as_deref() {
            None | Some("any") => Ok(Target::Any),
            Some("read-write" | "primary") => Ok(Target::ReadWrite),
            Some("read-only" | "standby") => Ok(Target::ReadOnly),
            Some(other) => Err(format!("target_session_attrs={other} is not supported")),
        }
    }

    fn keepalive(&mut self) -> Result<Option<Keepalive>, String> {
        let is_on = self.take("keepalives").is_none_or(|value| value != "0");
        let keepalive = Keepalive {
            idle: self.seconds("keepalives_idle", KEEPALIVE_IDLE)?,
            interval: self.seconds("keepalives_interval", KEEPALIVE_INTERVAL)?,
            retries: self.parsed("keepalives_count")?.unwrap_or(KEEPALIVE_RETRIES),
        };
        Ok(is_on.then_some(keepalive))
    }

    /// Pairs hosts, addresses and ports. One port is for all hosts.
    fn endpoints(&mut self, environment: &Environment, user: &str, database: &str) -> Result<Vec<Endpoint>, String> {
        let mut list = |keyword| -> Vec<String> {
            self.take(keyword).map(|text| text.split(',').map(str::to_owned).collect()).unwrap_or_default()
        };
        let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
        let password = self.take("password");
        let file = self.take("passfile").map(PathBuf::from).or_else(|| environment.home_file(".pgpass"));
        let file = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let count = names.len().max(addresses.len()).max(1);
        if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
            return Err(format!("there are {} hosts and {} addresses", names.len(), addresses.len()));
        }
        if ports.len() > 1 && ports.len() != count {
            return Err(format!("there are {count} hosts and {} ports", ports.len()));
        }
        let port = |place: usize| match ports.get(place).or(ports.first()).map_or("", String::as_str) {
            "" => Ok(DEFAULT_PORT),
            text => text.parse().map_err(|_| format!("{text:?} is not a port")),
        };
        let endpoint = |place: usize| {
            let (name, address) = (names.get(place), addresses.get(place).filter(|text| !text.is_empty()));
            let address = address.map(|text| text.parse().map_err(|_| format!("{text:?} is not an IP address")));
            let address: Option<IpAddr> = address.transpose()?;
            let host = match (name.filter(|name| !name.is_empty()), address) {
                (Some(path), None) if path.starts_with('/') => Host::Unix(path.into()),
                (Some(name), address) => Host::Tcp { name: name.clone(), address },
                (None, Some(address)) => Host::Tcp { name: address.to_string(), address: Some(address) },
                (None, None) => Host::Unix(SOCKET_DIRECTORY.into()),
            };
            let port = port(place)?;
            let name = if let Host::Tcp { name, .. } = &host { name.as_str() } else { "localhost" };
            let from_file = || password_in(&file, [name, &port.to_string(), database, user]);
            let password = password.clone().or_else(from_file);
            Ok(Endpoint { host, port, password })
        };
        (0..count).map(endpoint).collect()
    }

    /// Files that are named, and libpq's default files as far as they exist.
    fn tls_files(&mut self, environment: &Environment, mode: TlsMode) -> Result<TlsFiles, String> {
        let mut file = |keyword: &str, default: &str| {
            let default = || environment.home_file(&format!(".postgresql/{default}")).filter(|path| path.is_file());
            self.take(keyword).map(PathBuf::from).or_else(default).filter(|_| mode != TlsMode::Disable)
        };
        let (root, certificate, key) =
            (file("sslrootcert", "root.crt"), file("sslcert", "postgresql.crt"), file("sslkey", "postgresql.key"));
        let versions = (self.take("ssl_min_protocol_version"), self.take("ssl_max_protocol_version"));
        Ok(TlsFiles { root, certificate, key, versions: tls::versions(versions.0.as_deref(), versions.1.as_deref())? })
    }
}

#[cfg(test)]
mod tests;
