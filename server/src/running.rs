//! The life of a server: [`bind`] takes the port and opens the installation, [`BoundServer::serve`] starts the
//! accept loop and the background tasks, and [`RunningServer::shutdown`] stops them in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use helpbot_api::gateway::measures::GatewayMeasures;
use helpbot_api::transport::connections::Connections;
use helpbot_db::DatabaseUrl;
use helpbot_delivery::worker as delivery;
use helpbot_ingest::worker::Worker;
use helpbot_services::Services;
use helpbot_services::accounts::{audit_log, credit_caps, limit_notices, sign_in_links, sign_ins};
use helpbot_services::batch_jobs;
use helpbot_services::conversations::{handoff_notices, retention, search, transcript_codes};
use helpbot_services::runtime::events;
use helpbot_services::runtime::hint_exchange;
use helpbot_services::runtime::idempotency;
use helpbot_services::runtime::jobs;
use helpbot_services::sources::crawl_turns;
use helpbot_services::webhooks::outbox;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::accept::ConnectionLimits;
use crate::assets::{self, PageValues};
use crate::error::StartError;
use crate::health::{self, MetricsState};
use crate::http::AccessLog;
use crate::installation::{Installation, Migrations, Parts};
use crate::instance_lock::InstanceLock;
use crate::metrics::{MetricSources, ServerMetrics};
use crate::settings::{MetricsAddress, Settings, StartMigrations};
use crate::{accept, first_site, http, routes};

/// Interval at which expired events and stored responses are deleted.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(3_600);
/// Time that open transactions have to finish at shutdown. A transaction takes milliseconds.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);
/// Time that WebSockets have to close with code 1012 (service restart). Each of them waits as long for the
/// close frame of its client.
const SOCKET_CLOSE_DEADLINE: Duration = Duration::from_secs(5);
/// Maximum number of connections to the address of the metrics. A few collectors need one each.
const METRICS_CONNECTIONS: usize = 16;

/// A server that has taken its port and opened its installation, and does not accept connections yet.
pub struct BoundServer {
    installation: Installation,
    listener: TcpListener,
    address: SocketAddr,
    metrics_listener: Option<TcpListener>,
    worker: Arc<Worker>,
    instance_lock: Option<InstanceLock>,
}

/// A running server. Dropping it stops it immediately; [`RunningServer::shutdown`] stops it in order.
pub struct RunningServer {
    /// The address that the server listens on.
    pub address: SocketAddr,
    /// The address that serves metrics, if any.
    pub metrics_address: Option<SocketAddr>,
    installation: Installation,
    draining: CancellationToken,
    stop: CancellationToken,
    connections: Connections,
    tasks: JoinSet<()>,
    _instance_lock: Option<InstanceLock>,
}

/// Takes the port, then opens the installation and applies pending migrations if the settings say so. In this order, a port that is
/// in use leaves the database unchanged.
///
/// # Errors
/// Every [`StartError`] except `FirstSite`.
pub async fn bind(mut settings: Settings, parts: Parts) -> Result<BoundServer, StartError> {
    if let DatabaseUrl::Postgres(url) = &mut settings.database {
        url.options.start_wait = settings.database_start_wait;
    }
    let wanted = settings.listen;
    let listener = TcpListener::bind(wanted).await;
    let listener = listener.map_err(|cause| StartError::Listen { address: wanted, cause })?;
    let address = listener.local_addr().map_err(|cause| StartError::Listen { address: wanted, cause })?;
    let metrics_listener = metrics_listener(settings.metrics_listen).await?;
    let migrations = match settings.migrate {
        StartMigrations::Apply => Migrations::Apply,
        StartMigrations::OnlyNew => Migrations::OnlyNew,
        StartMigrations::Refuse => Migrations::Require,
    };
    let installation = Installation::open(settings, parts, migrations).await?;
    installation.adopt_key().await?;
    let instance_lock = InstanceLock::acquire(&installation.settings);
    if let Some(lock) = &instance_lock {
        take_over(&installation.services, &lock.owner_prefix).await;
    }
    let worker = installation.worker_named(lease_owner(&installation, instance_lock.as_ref()));
    Ok(BoundServer { installation, listener, address, metrics_listener, worker, instance_lock })
}

/// Takes the port of the metrics.
async fn metrics_listener(wanted: Option<MetricsAddress>) -> Result<Option<TcpListener>, StartError> {
    let Some(MetricsAddress::Default(address) | MetricsAddress::Set(address)) = wanted else { return Ok(None) };
    match (TcpListener::bind(address).await, wanted) {
        (Ok(listener), _) => Ok(Some(listener)),
        (Err(error), Some(MetricsAddress::Default(_))) => {
            tracing::warn!(%error, %address, "no metrics are served, because their address cannot be used; set metrics_listen");
            Ok(None)
        }
        (Err(cause), _) => Err(StartError::MetricsListen { address, cause }),
    }
}

/// Starts a server with `settings`.
///
/// # Errors
/// The errors of [`bind`] and [`BoundServer::serve`].
pub async fn start(settings: Settings, parts: Parts) -> Result<RunningServer, StartError> {
    bind(settings, parts).await?.serve()
}

impl BoundServer {
    /// The address that the server will listen on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The opened installation.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The URL at which clients reach the server, without a trailing slash.
    pub fn base_url(&self) -> String {
        match &self.installation.settings.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            // Clients cannot connect to 0.0.0.0; on this machine, loopback works.
            None if self.address.ip().is_unspecified() => format!("http://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        }
    }

    /// Runs the pending syncs and returns when none is due.
    pub async fn sync_sources(&self) {
        self.worker.clone().work_off().await;
    }

    /// Only the router, for tests that call it in process. It does not accept connections, sync sources or send
    /// deliveries.
    ///
    /// # Errors
    /// `Setting` when a setting of the APIs is not valid.
    pub fn app(&self) -> Result<axum::Router, StartError> {
        let metrics = ServerMetrics::new(self.installation.services.now());
        Ok(app(&self.installation, &metrics, Connections::default(), CancellationToken::new())?.0)
    }

    /// Starts accepting connections and running background tasks.
    ///
    /// # Errors
    /// `Setting` when a setting of the APIs or the public URL is not valid.
    pub fn serve(self) -> Result<RunningServer, StartError> {
        let base = self.base_url();
        let base: Url = base.parse().map_err(|_| StartError::Setting(format!("public_url: {base:?} is not a URL")))?;
        let Self { installation, listener, address, metrics_listener, worker, instance_lock } = self;
        let owner = || lease_owner(&installation, instance_lock.as_ref());
        let metrics = ServerMetrics::new(installation.services.now());
        let (draining, stop) = (CancellationToken::new(), CancellationToken::new());
        let connections = Connections::ending_with(stop.clone());
        let (app, gateway) = app(&installation, &metrics, connections.clone(), draining.clone())?;
        let limits = routes::connection_limits(&installation.settings)?;
        let mut tasks = JoinSet::new();
        let metrics_address = metrics_listener.as_ref().and_then(|listener| listener.local_addr().ok());
        if let Some(listener) = metrics_listener {
            let sources = MetricSources {
                services: installation.services.clone(),
                worker: worker.clone(),
                gateway,
                connections: connections.clone(),
                accepted: limits.open.clone(),
                answer_calls: installation.answer_calls.clone(),
                embedding_calls: installation.embedding_calls.clone(),
            };
            let of_collectors = ConnectionLimits {
                total: METRICS_CONNECTIONS,
                per_address: METRICS_CONNECTIONS,
                unlimited: Vec::new(),
                open: Arc::default(),
            };
            let app = health::metrics_router(MetricsState { metrics, sources });
            tasks.spawn(accept::run(listener, app, of_collectors, stop.clone()));
        }
        tasks.spawn(accept::run(listener, app, limits, stop.clone()));
        tasks.spawn(worker.run(stop.clone()));
        tasks.spawn(delivery::run(
            installation.services.clone(),
            installation.webhook_client.clone(),
            installation.mailer.clone(),
            delivery::Settings::new(owner(), base),
            stop.clone(),
        ));
        tasks.spawn(batch_jobs::run(installation.services.clone(), owner(), stop.clone()));
        tasks.spawn(until(stop.clone(), poll(installation.services.clone())));
        tasks.spawn(until(stop.clone(), exchange_hints(installation.services.clone())));
        tasks.spawn(until(stop.clone(), delete_expired(installation.services.clone())));
        tasks.spawn(until(stop.clone(), keep_search_index(installation.services.clone())));
        Ok(RunningServer {
            address,
            metrics_address,
            installation,
            draining,
            stop,
            connections,
            tasks,
            _instance_lock: instance_lock,
        })
    }
}

/// A new, unique name for leases. The server that gets the lock next recognizes it.
fn lease_owner(installation: &Installation, lock: Option<&InstanceLock>) -> String {
    let owner = installation.lease_owner();
    lock.map_or_else(|| owner.clone(), |lock| format!("{}{owner}", lock.owner_prefix))
}

/// Releases the deliveries and jobs that a killed server had claimed, so that they continue now and not when
/// their leases expire.
async fn take_over(services: &Services, owner_prefix: &str) {
    let released = async {
        let deliveries = outbox::release_of(services, owner_prefix).await?;
        Ok::<_, helpbot_services::Error>((deliveries, jobs::release_of(services, owner_prefix).await?))
    };
    match released.await {
        Ok((0, 0)) => {}
        Ok((deliveries, jobs)) => tracing::info!(deliveries, jobs, "took over the work of a server that was killed"),
        Err(error) => {
            tracing::warn!(
                error = error.detail(),
                "cannot take over the work of a killed server; it continues when the leases expire"
            )
        }
    }
}

/// All routes of visitors and the team with the common middleware, and what they count.
fn app(
    installation: &Installation,
    metrics: &ServerMetrics,
    connections: Connections,
    draining: CancellationToken,
) -> Result<(axum::Router, Arc<GatewayMeasures>), StartError> {
    let services = installation.services.clone();
    let settings = &installation.settings;
    let values = PageValues { widget_key: first_site::demo_key(settings), has_demo: settings.has_demo };
    let health = health::router(services.clone(), draining.clone());
    let (api, measures) = routes::api(installation, connections)?;
    let routes = api.merge(health).merge(assets::router(values));
    let access_log = if settings.has_access_log { AccessLog::On } else { AccessLog::Off };
    Ok((http::with_middleware(routes, services, metrics.clone(), access_log, draining), measures))
}

impl RunningServer {
    /// The use cases of the server.
    pub fn services(&self) -> &Services {
        &self.installation.services
    }

    /// The opened installation.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Reports that the server is not ready and still serves requests for `time`, so that proxies notice and send no more of
    /// them. Responses close their connections meanwhile.
    pub async fn drain(&self, time: Duration) {
        self.draining.cancel();
        tokio::time::sleep(time).await;
    }

    /// Stops the server: it accepts no new connections, gives open requests ten seconds, closes WebSockets with
    /// code 1012 (service restart) within five seconds and returns running syncs to the queue.
    pub async fn shutdown(mut self) {
        self.draining.cancel();
        self.stop.cancel();
        // WebSockets run in tasks of their own, which the end of the process would stop before they close.
        if tokio::time::timeout(SOCKET_CLOSE_DEADLINE, self.connections.ended()).await.is_err() {
            tracing::warn!("some WebSockets did not close before the deadline");
        }
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a background task panicked");
            }
        }
        // Started writes finish even when the task that started them has ended.
        let close = self.installation.services.close();
        if tokio::time::timeout(CLOSE_DEADLINE, close).await.is_err() {
            tracing::warn!("some transactions did not finish before the deadline");
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Runs `work` until it ends or `stop` is canceled.
async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

async fn poll(services: Services) {
    events::poll(&services).await;
}

async fn exchange_hints(services: Services) {
    hint_exchange::run(&services).await;
}

async fn keep_search_index(services: Services) {
    search::run_indexer(&services).await;
}

/// Deletes expired events and stored responses, and queues the deletion of what sites do not want to keep, again and again.
async fn delete_expired(services: Services) {
    loop {
        match events::delete_expired(&services).await {
            Ok(0) => {}
            Ok(events) => tracing::info!(events, "deleted expired events"),
            Err(error) => tracing::warn!(error = error.detail(), "cannot delete expired events"),
        }
        match idempotency::delete_expired(&services).await {
            Ok(0) => {}
            Ok(requests) => tracing::info!(requests, "deleted expired responses of idempotency keys"),
            Err(error) => tracing::warn!(error = error.detail(), "cannot delete expired responses of idempotency keys"),
        }
        if let Err(error) = retention::queue_due(&services).await {
            tracing::warn!(error = error.detail(), "cannot queue the deletion of old data of sites");
        }
        if let Err(error) = delete_old_limits(&services).await {
            tracing::warn!(error = error.detail(), "cannot delete what limits counted earlier");
        }
        tokio::time::sleep(CLEANUP_INTERVAL).await;
    }
}

/// Deletes the records by which limits count mails, credits and requests to hosts, and those of sign-ins and changes, once
/// they are too old to matter.
async fn delete_old_limits(services: &Services) -> Result<(), helpbot_services::Error> {
    transcript_codes::delete_expired(services).await?;
    sign_in_links::delete_expired(services).await?;
    sign_ins::delete_expired(services).await?;
    audit_log::delete_expired(services).await?;
    handoff_notices::delete_expired(services).await?;
    credit_caps::delete_expired(services).await?;
    limit_notices::delete_expired(services).await?;
    crawl_turns::delete_expired(services).await?;
    Ok(())
}
