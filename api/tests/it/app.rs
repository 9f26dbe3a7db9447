//! The gateway and the router over a database of their own, as the tests of this crate use them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::middleware::from_fn_with_state;
use futures_util::Future;
use helpbot_api::gateway::settings::GatewaySettings;
use helpbot_api::gateway::trusted::TrustedDocuments;
use helpbot_api::transport::connections::Connections;
use helpbot_api::transport::envelope::envelope;
use helpbot_api::transport::router;
use helpbot_api::transport::settings::TransportSettings;
use helpbot_api::{Caller, Credentials, Gateway};
use helpbot_db::{DatabaseUrl, Db};
use helpbot_domain::ids::KeyId;
use helpbot_domain::key::KeyKind;
use helpbot_domain::site::Site;
use helpbot_engine::{Engine, EngineSettings};
use helpbot_services::accounts::keys::{self, NewKey};
use helpbot_services::accounts::sites::{self, NewSite};
use helpbot_services::{Services, Settings, SystemClock, Viewer};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::schema::{self, Traces};

/// A trusted document.
pub const TRUSTED: &str = "query Trusted { hello }";

/// The server of one test.
pub struct App {
    pub gateway: Gateway,
    pub router: Router,
    pub traces: Traces,
    pub shutdown: CancellationToken,
    pub connections: Connections,
    pub widget_key: String,
    pub secret_key: String,
    secret_key_id: KeyId,
    site: Site,
    operator: Viewer,
    database: DatabaseUrl,
    _directory: TempDir,
}

impl App {
    pub async fn start() -> Self {
        Self::with(GatewaySettings::default(), TransportSettings::default()).await
    }

    pub async fn with(settings: GatewaySettings, transport: TransportSettings) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::Sqlite(directory.path().join("helpbot.db"));
        let services = Services::new(
            Db::open(&database).await.unwrap(),
            Engine::new(EngineSettings::default()),
            Arc::new(SystemClock),
            Arc::new(|_| Ok(())),
            Settings::new([7; 32]),
        );
        let (operator, _) = keys::create_operator(&services, "tests").await.unwrap();
        let operator = Viewer::operator(operator.id);
        let new =
            NewSite { name: "Shop".into(), owner_email: "owner@shop.example".into(), plan: None, credit_limit: None };
        let site = sites::create(&services, &operator, new).await.unwrap();
        let (_, widget_key) = key(&services, &operator, &site, KeyKind::Widget).await;
        let (secret_key_id, secret_key) = key(&services, &operator, &site, KeyKind::Secret).await;
        let traces = Traces::default();
        let data = {
            let traces = traces.clone();
            move |viewer: &Viewer| schema::request_data(&traces, viewer)
        };
        let trusted = TrustedDocuments::new([TRUSTED]).unwrap();
        let gateway = Gateway::new(schema::builder(), schema::RULES, services, data, trusted, settings);
        let shutdown = CancellationToken::new();
        let connections = Connections::ending_with(shutdown.clone());
        let router = router(gateway.clone(), connections.clone(), transport)
            .layer(from_fn_with_state(Arc::new(gateway.services().clone()), envelope));
        Self {
            gateway,
            router,
            traces,
            shutdown,
            connections,
            widget_key,
            secret_key,
            secret_key_id,
            site,
            operator,
            database,
            _directory: directory,
        }
    }

    /// Sends one request without a socket.
    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Listens on a free port and returns its address.
    pub async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    /// A caller with the API key `key`.
    pub fn caller(&self, key: &str) -> Caller {
        let credentials = Credentials { key: Some(key.to_owned()), ..Credentials::default() };
        Caller { credentials, peer: None, request_id: "test".into(), idempotency_key: None }
    }

    /// Revokes the secret key.
    pub async fn revoke_secret_key(&self) {
        keys::revoke(self.gateway.services(), &self.operator, Some(self.site.id), self.secret_key_id).await.unwrap();
    }

    /// Drops all tables, to simulate an unexpected failure.
    pub async fn drop_all_tables(&self) {
        Db::revert_migrations(&self.database).await.unwrap();
    }
}

async fn key(services: &Services, operator: &Viewer, site: &Site, kind: KeyKind) -> (KeyId, String) {
    let new = NewKey { kind, name: "test".into(), scopes: None, origins: vec![], expires_at: None };
    let (key, secret) = keys::create(services, operator, Some(site.id), new).await.unwrap();
    (key.id, secret)
}

/// The result of `future`, which must be ready within 20 s.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("the future was not ready within 20 s")
}
