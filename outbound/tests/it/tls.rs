//! HTTPS with real certificates: which ones are trusted, which errors are reported, and HTTP/2.

use std::convert::Infallible;
use std::net::SocketAddr;

use crate::authority::Authority;
use crate::site::{QUICK, allow, fixed_dns, ms, user_agent};
use bytes::Bytes;
use helpbot_outbound::{
    CertificateDer, Client, Dial, FetchError, HeaderMap, Policy, SetupError, WebhookLimits, authorities_from_pem,
};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use url::Url;

/// Starts a server for `name` whose certificate is valid until the start of the year `until`.
async fn serve(authority: &Authority, name: &str, until: i32, alpn: &[&str]) -> SocketAddr {
    listen(authority.acceptor(name, until, alpn)).await
}

/// Responds with the HTTP version of the request. `/plain` redirects to http.
async fn listen(acceptor: TlsAcceptor) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let answer = service_fn(|request: Request<hyper::body::Incoming>| async move {
                    let version = format!("{:?}", request.version());
                    let response = match request.uri().path() {
                        "/plain" => Response::builder().status(301).header("location", "http://shop.example/"),
                        _ => Response::builder().header("content-type", "text/plain"),
                    };
                    Ok::<_, Infallible>(response.body(Full::new(Bytes::from(version))).expect("a response"))
                });
                let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    address
}

/// Returns a client that resolves every name to `address` and also trusts `authorities`.
fn client(address: SocketAddr, authorities: Vec<CertificateDer<'static>>) -> Client {
    let dial = Dial { dns: ms(300), connect: ms(2000), lookup: fixed_dns(address), authorities };
    Client::with_dial(Policy::web(allow("127.0.0.1")), &user_agent(), dial).expect("a client")
}

fn shop(path: &str) -> Url {
    Url::parse(&format!("https://shop.example{path}")).expect("a URL")
}

#[tokio::test]
async fn http_2_is_used_where_it_is_offered_and_http_1_elsewhere() {
    let authority = Authority::new();
    for (alpn, version) in [(&["h2", "http/1.1"][..], "HTTP/2.0"), (&["http/1.1"], "HTTP/1.1"), (&[], "HTTP/1.1")] {
        let address = serve(&authority, "shop.example", 2999, alpn).await;
        let client = client(address, vec![authority.certificate()]);

        let page = client.get(&shop("/"), None, &QUICK).await.expect("a page");
        let hook = client.post_webhook(&shop("/"), HeaderMap::new(), Bytes::new(), &WebhookLimits::DEFAULT).await;

        assert_eq!(page.body, version.as_bytes());
        assert_eq!(hook.response.expect("an answer").body, version.as_bytes());
    }
}

#[tokio::test]
async fn a_redirect_from_https_to_http_is_rejected() {
    let authority = Authority::new();
    let address = serve(&authority, "shop.example", 2999, &[]).await;

    let error = client(address, vec![authority.certificate()]).get(&shop("/plain"), None, &QUICK).await;

    assert_eq!(error, Err(FetchError::RedirectDowngrade));
}

#[tokio::test]
async fn the_error_describes_why_a_certificate_is_invalid() {
    let authority = Authority::new();
    let trusted = vec![authority.certificate()];
    let good = serve(&authority, "shop.example", 2999, &[]).await;
    let expired = serve(&authority, "shop.example", 2021, &[]).await;
    let other = serve(&authority, "other.example", 2999, &[]).await;
    let failure = async |address, authorities| {
        client(address, authorities).get(&shop("/"), None, &QUICK).await.expect_err("not trusted").to_string()
    };

    assert_eq!(
        failure(good, Vec::new()).await,
        "the TLS connection failed: the issuer of the certificate is not trusted, or an intermediate certificate is missing"
    );
    assert_eq!(failure(expired, trusted.clone()).await, "the TLS connection failed: the certificate has expired");
    assert_eq!(failure(other, trusted).await, "the TLS connection failed: the certificate is for another host name");
}

#[test]
fn authorities_are_read_from_pem() {
    let authority = Authority::new();

    assert_eq!(authorities_from_pem(authority.pem().as_bytes()).expect("one"), [authority.certificate()]);
    let no_certificate = b"-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    for damaged in [&b"no certificate here"[..], no_certificate] {
        assert!(matches!(authorities_from_pem(damaged), Err(SetupError::Authority)));
    }
}
