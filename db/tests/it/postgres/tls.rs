//! TLS against a private authority, as each `sslmode` of libpq asks for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use helpbot_db::{DatabaseUrl, Db, Error, PostgresOptions};
use helpbot_test_support::cluster::Cluster;
use helpbot_test_support::database::{TestDatabase, server_client};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{text_of, url_with};

/// A certificate authority that issues certificates for the tests.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("ca.pem"), issuer.pem()).expect("written");
        Self { issuer, directory }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn root(&self) -> String {
        self.file("ca.pem").display().to_string()
    }

    fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.file("ca.pem")).expect("a certificate")
    }

    /// Returns a certificate and its key.
    fn issue(&self, name: &str, last_year: i32) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// Writes a certificate of a client and its key, and returns the parameters that name them.
    fn client(&self, name: &str) -> String {
        let (certificate, key) = self.issue(name, 2100);
        std::fs::write(self.file("client.crt"), certificate).expect("written");
        std::fs::write(self.file("client.key"), key).expect("written");
        format!("sslcert={}&sslkey={}", self.file("client.crt").display(), self.file("client.key").display())
    }
}

fn install(cluster: &Cluster, (certificate, key): (String, String)) {
    cluster.write("server.crt", &certificate);
    cluster.write("server.key", &key);
}

fn url(cluster: &Cluster, login: &str, query: &str, change: impl FnOnce(&mut PostgresOptions)) -> DatabaseUrl {
    let text = format!("postgres://{login}:{}/postgres?application_name=tls_test&{query}", cluster.port());
    url_with(&text, change)
}

/// Opens the database, and returns whether its connections are encrypted.
async fn open(cluster: &Cluster, url: &DatabaseUrl) -> Result<bool, Error> {
    let db = Db::open(url).await?;
    let query = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                 WHERE application_name = 'tls_test'";
    let is_encrypted = server_client(cluster.server()).await.query_one(query, &[]).await.expect("the server answers");
    db.close().await;
    Ok(is_encrypted.get(0))
}

async fn refusal(cluster: &Cluster, url: &DatabaseUrl) -> String {
    match open(cluster, url).await {
        Err(Error::Unavailable(reason)) => reason,
        other => panic!("{} gave {other:?}", text_of(url)),
    }
}

/// Repeats an attempt until the server uses its new settings.
async fn eventually<T>(attempt: impl AsyncFn() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "the server does not use its new settings");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_sslmode_verifies_what_it_promises_against_a_private_authority() {
    let Some(cluster) = Cluster::start() else { return };
    let authority = Authority::new();
    install(&cluster, authority.issue("localhost", 2100));
    cluster.append("postgresql.conf", "ssl = on");
    cluster.reload().await;
    eventually(async || {
        let url = url(&cluster, "postgres@localhost", "sslmode=require", |_| ());
        open(&cluster, &url).await.ok()
    })
    .await;

    modes_accept_a_valid_server(&cluster, &authority).await;
    a_wrong_name_and_a_foreign_authority_are_refused(&cluster, &authority).await;
    a_client_certificate_logs_in(&cluster, &authority).await;
    an_expired_certificate_is_refused(&cluster, &authority).await;
}

async fn modes_accept_a_valid_server(cluster: &Cluster, authority: &Authority) {
    let root = authority.root();
    for (query, is_encrypted) in [
        (format!("sslmode=verify-full&sslrootcert={root}"), true),
        (format!("sslmode=verify-ca&sslrootcert={root}"), true),
        (format!("sslmode=require&sslrootcert={root}"), true),
        ("sslmode=require".to_owned(), true),
        ("sslmode=prefer".to_owned(), true),
        ("sslmode=allow".to_owned(), false),
        ("sslmode=disable".to_owned(), false),
        (String::new(), true),
    ] {
        let opened = open(cluster, &url(cluster, "postgres@localhost", &query, |_| ())).await;

        assert_eq!(opened.expect(&query), is_encrypted, "{query}");
    }
    // The authorities of the setting `ca_file` count when the URL names none.
    let with_setting = url(cluster, "postgres@localhost", "sslmode=verify-full", |options| {
        options.authorities = vec![authority.der()];
    });
    assert!(open(cluster, &with_setting).await.expect("the authority is known"));
}

async fn a_wrong_name_and_a_foreign_authority_are_refused(cluster: &Cluster, authority: &Authority) {
    let own = format!("sslrootcert={}", authority.root());
    let foreign = Authority::new();
    let foreign_root = format!("sslrootcert={}", foreign.root());

    let by_address = url(cluster, "postgres@127.0.0.1", &format!("sslmode=verify-full&{own}"), |_| ());
    let wrong_name = refusal(cluster, &by_address).await;
    let unknown = refusal(cluster, &url(cluster, "postgres@localhost", "sslmode=verify-full", |_| ())).await;
    let by_other = url(cluster, "postgres@localhost", &format!("sslmode=require&{foreign_root}"), |_| ());
    let other_issuer = refusal(cluster, &by_other).await;
    let without_name = url(cluster, "postgres@127.0.0.1", &format!("sslmode=verify-ca&{own}"), |_| ());

    assert!(wrong_name.contains("127.0.0.1") && wrong_name.contains("not valid for name"), "{wrong_name}");
    assert!(wrong_name.contains("sslmode=verify-full"), "{wrong_name}");
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    assert!(other_issuer.contains("invalid peer certificate"), "{other_issuer}");
    assert!(open(cluster, &without_name).await.expect("verify-ca does not look at the name"));
}

async fn a_client_certificate_logs_in(cluster: &Cluster, authority: &Authority) {
    cluster.write("root.crt", &std::fs::read_to_string(Path::new(&authority.root())).expect("read"));
    cluster.append("postgresql.conf", "ssl_ca_file = 'root.crt'");
    cluster.write("pg_hba.conf", "hostssl all ann 127.0.0.1/32 cert\nhost all all 127.0.0.1/32 trust\n");
    cluster.run("CREATE ROLE ann LOGIN SUPERUSER").await;
    cluster.reload().await;
    let certificate = authority.client("ann");
    let with = url(cluster, "ann@localhost", &format!("sslmode=require&{certificate}"), |_| ());
    let without = url(cluster, "ann@localhost", "sslmode=require", |_| ());

    let refused = eventually(async || open(cluster, &without).await.err()).await.to_string();

    assert!(refused.contains("certificate"), "{refused}");
    assert!(open(cluster, &with).await.expect("the certificate of ann logs in"));
}

async fn an_expired_certificate_is_refused(cluster: &Cluster, authority: &Authority) {
    install(cluster, authority.issue("localhost", 2021));
    cluster.reload().await;
    let query = format!("sslmode=verify-full&sslrootcert={}", authority.root());
    let verifying = url(cluster, "postgres@localhost", &query, |_| ());

    let refused = eventually(async || open(cluster, &verifying).await.err()).await.to_string();

    assert!(refused.contains("expired"), "{refused}");
    let trusting = url(cluster, "postgres@localhost", "sslmode=require", |_| ());
    assert!(open(cluster, &trusting).await.expect("require does not look at the certificate"));
}

#[tokio::test]
async fn a_server_without_tls_is_refused_when_tls_is_required() {
    let Some(database) = TestDatabase::postgres().await else { return };
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = url_with(&format!("{}&sslmode={mode}", text_of(database.url())), |_| ());

        let refused = Db::open(&url).await.err();

        let Some(Error::Unavailable(reason)) = refused else { panic!("{mode} gave {refused:?}") };
        assert!(reason.contains("server does not support TLS"), "{reason}");
        assert!(reason.contains(&format!("sslmode={mode}")), "{reason}");
    }
    database.remove().await;
}
