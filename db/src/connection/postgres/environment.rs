//! Connection parameters from outside the URL, as libpq reads them: environment variables, the
//! service file and the password file. [`super::parameters`] merges them with the URL.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Connection parameters by their libpq keyword.
pub(super) type Keywords = BTreeMap<String, String>;

/// libpq's environment variables and their keywords (PostgreSQL documentation, section 34.15).
const VARIABLES: [(&str, &str); 27] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGREQUIREAUTH", "require_auth"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGSERVICE", "service"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGSSLMODE", "sslmode"),
    ("PGREQUIRESSL", "requiressl"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCRL", "sslcrl"),
    ("PGSSLCRLDIR", "sslcrldir"),
    ("PGSSLSNI", "sslsni"),
    ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
    ("PGSSLMAXPROTOCOLVERSION", "ssl_max_protocol_version"),
    ("PGGSSENCMODE", "gssencmode"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
];

/// The environment of the process, or of a test.
pub(super) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Returns the environment of the process.
    pub(super) fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    #[cfg(test)]
    pub(super) fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        Self(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    fn get(&self, variable: &str) -> Option<&str> {
        self.0.get(variable).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the parameters that the environment sets.
    pub(super) fn keywords(&self) -> Keywords {
        let set = VARIABLES.iter().filter_map(|(variable, keyword)| Some((*keyword, self.get(variable)?)));
        set.map(|(keyword, value)| (keyword.to_owned(), value.to_owned())).collect()
    }

    /// Returns a file in libpq's directory in the home directory, if there is a home directory.
    pub(super) fn home_file(&self, name: &str) -> Option<PathBuf> {
        Some(Path::new(self.get("HOME")?).join(name))
    }

    /// Returns the parameters of a service from `PGSERVICEFILE`, `~/.pg_service.conf` or
    /// `pg_service.conf` in `PGSYSCONFDIR`.
    ///
    /// # Errors
    /// A sentence for the operator when no file has the service.
    pub(super) fn service(&self, name: &str) -> Result<Keywords, String> {
        let files = match self.get("PGSERVICEFILE") {
            Some(file) => vec![PathBuf::from(file)],
            None => {
                let directory = self.get("PGSYSCONFDIR").unwrap_or("/etc/postgresql-common");
                let own = self.home_file(".pg_service.conf");
                own.into_iter().chain([Path::new(directory).join("pg_service.conf")]).collect()
            }
        };
        let read = |file: &PathBuf| section(&std::fs::read_to_string(file).ok()?, name);
        files.iter().find_map(read).ok_or_else(|| format!("no service file contains the service {name:?}"))
    }
}

/// Returns the parameters of a section of a service file.
fn section(text: &str, name: &str) -> Option<Keywords> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut of_section = lines.skip_while(|line| *line != format!("[{name}]"));
    of_section.next()?;
    let own = of_section.take_while(|line| !line.starts_with('['));
    Some(own.filter_map(|line| line.split_once('=')).map(|(k, v)| (k.trim().into(), v.trim().into())).collect())
}

/// Finds the password of a connection in a password file (`~/.pgpass`), whose lines are
/// `host:port:database:user:password`.
pub(super) fn password_in(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let (password, place) = fields.split_last().filter(|(_, place)| place.len() == wanted.len())?;
        let is_match = place.iter().zip(wanted).all(|(field, value)| field == "*" || field == value);
        is_match.then(|| password.clone())
    })
}

/// Splits a line at colons. A backslash takes the meaning from the next character.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            // The password is the rest of the line; only escapes are special in it.
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut().into_iter().for_each(|field| field.extend(characters.next())),
            other => fields.last_mut().into_iter().for_each(|field| field.push(other)),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_file_is_read_like_libpq_reads_it() {
        let text = "# comment\ndb.example:5433:*:ann:other port\ndb.example:*:help\\:bot:ann:se\\:cr\\\\et\n";

        let found = password_in(text, ["db.example", "5432", "help:bot", "ann"]);

        assert_eq!(found.as_deref(), Some("se:cr\\et"));
        assert_eq!(password_in(text, ["db.example", "5432", "help:bot", "bob"]), None);
    }

    #[test]
    fn a_service_is_one_section_of_the_file() {
        let text = "[one]\nhost=a\n\n[two]\n# comment\nhost = b\nsslmode=require\n[three]\nhost=c\n";

        let two = section(text, "two").expect("a section");

        assert_eq!(two.get("host").map(String::as_str), Some("b"));
        assert_eq!(two.len(), 2);
        assert_eq!(section(text, "four"), None);
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let environment = Environment::of([("PGUSER", ""), ("PGPASSWORD", "secret")]);

        assert_eq!(environment.keywords(), Keywords::from([("password".into(), "secret".into())]));
    }
}
