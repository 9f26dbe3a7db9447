//! From settings to a server that runs, and from there to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use helpbot_api::transport::Connections;
use helpbot_delivery::worker as delivery;
use helpbot_ingest::worker::Worker;
use helpbot_services::Services;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::assets::{self, Values};
use crate::error::StartError;
use crate::health::{self, Health};
use crate::installation::{Installation, Migrations, Parts};
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::sole::Sole;
use crate::{accept, first_start, http, routes};

/// How often events and kept answers that are past their time are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
/// What open transactions get to end at the stop; one takes milliseconds.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);
/// What sockets get to be told to come back (1012) and to hear it; as long as each of them waits for
/// its client's own close frame.
const FAREWELL_DEADLINE: Duration = Duration::from_secs(5);

/// A server that has its port and its installation, and serves nobody yet.
pub struct Bound {
    installation: Installation,
    listener: TcpListener,
    address: SocketAddr,
    worker: Arc<Worker>,
    sole: Option<Sole>,
}

/// A server that serves. Dropped, it ends at once; [`Running::shutdown`] ends it in order.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    installation: Installation,
    stop: CancellationToken,
    connections: Connections,
    tasks: JoinSet<()>,
    _sole: Option<Sole>,
}

/// Takes the port, then opens the installation and brings its tables up to date. In this order,
/// so that an occupied port changes nothing.
///
/// # Errors
/// Each [`StartError`] but that of the first site.
pub async fn bind(settings: Settings, parts: Parts) -> Result<Bound, StartError> {
    let wanted = settings.listen;
    let listener = TcpListener::bind(wanted).await;
    let listener = listener.map_err(|cause| StartError::Listen { address: wanted, cause })?;
    let address = listener.local_addr().map_err(|cause| StartError::Listen { address: wanted, cause })?;
    let installation = Installation::open(settings, parts, Migrations::Apply).await?;
    let sole = Sole::take(&installation.settings.database);
    if sole.is_some() {
        take_over(&installation.services).await;
    }
    let worker = installation.worker();
    Ok(Bound { installation, listener, address, worker, sole })
}

/// A server over `settings`, serving.
///
/// # Errors
/// As [`bind`].
pub async fn start(settings: Settings, parts: Parts) -> Result<Running, StartError> {
    bind(settings, parts).await?.serve()
}

impl Bound {
    /// Where it will serve.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it serves from.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The address that others reach it at, without a slash at its end.
    pub fn base_url(&self) -> String {
        match &self.installation.settings.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            // Nobody can open 0.0.0.0; from this machine, loopback reaches it.
            None if self.address.ip().is_unspecified() => format!("http://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        }
    }

    /// Reads the sources that wait, and returns when none is due.
    pub async fn read_sources(&self) {
        self.worker.clone().work_off().await;
    }

    /// The application alone, for who calls it in process: no port is listened on, no source
    /// read, nothing delivered.
    ///
    /// # Errors
    /// `Setting`.
    pub fn app(&self) -> Result<axum::Router, StartError> {
        app(&self.installation, &self.worker, Connections::default())
    }

    /// Begins to serve and to work.
    ///
    /// # Errors
    /// `Setting`.
    pub fn serve(self) -> Result<Running, StartError> {
        let base = self.base_url();
        let base: Url = base.parse().map_err(|_| StartError::Setting(format!("public_url: {base:?} is no address")))?;
        let Self { installation, listener, address, worker, sole } = self;
        let stop = CancellationToken::new();
        let connections = Connections::ending_with(stop.clone());
        let app = app(&installation, &worker, connections.clone())?;
        let mut tasks = JoinSet::new();
        tasks.spawn(accept::run(listener, app, installation.settings.max_connections, stop.clone()));
        tasks.spawn(worker.run(stop.clone()));
        tasks.spawn(delivery::run(
            installation.services.clone(),
            installation.webhook_client.clone(),
            installation.mailer.clone(),
            delivery::Settings::new(installation.lease_owner(), base),
            stop.clone(),
        ));
        tasks.spawn(until(stop.clone(), poll(installation.services.clone())));
        tasks.spawn(until(stop.clone(), forget(installation.services.clone())));
        tasks.spawn(until(stop.clone(), keep_search_index(installation.services.clone())));
        Ok(Running { address, installation, stop, connections, tasks, _sole: sole })
    }
}

/// What a server that died here was sending is sent again now, not when its leases run out.
async fn take_over(services: &Services) {
    match services.take_over_deliveries().await {
        Ok(0) => {}
        Ok(deliveries) => tracing::info!(deliveries, "took over what a server that died was sending"),
        Err(error) => tracing::warn!(%error, "deliveries of a server that died wait for their leases to end"),
    }
}

/// All routes with everything around them.
fn app(
    installation: &Installation,
    worker: &Arc<Worker>,
    connections: Connections,
) -> Result<axum::Router, StartError> {
    let metrics = Metrics::new()?;
    let services = installation.services.clone();
    let values = Values { widget_key: first_start::demo_key(&installation.settings) };
    let health = Health { services: services.clone(), metrics: metrics.clone(), worker: worker.clone() };
    let routes = routes::api(installation, connections)?.merge(health::router(health)).merge(assets::router(values));
    Ok(http::sealed(routes, services, metrics))
}

impl Running {
    /// The use cases that it serves.
    pub fn services(&self) -> &Services {
        &self.installation.services
    }

    /// What it serves from.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Ends it: no new connections, open requests get ten seconds, sockets are told to come
    /// back (1012) and get five to hear it, sources being read are put back.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        // Sockets are tasks of their own, which the end of the process would cut off unheard.
        if tokio::time::timeout(FAREWELL_DEADLINE, self.connections.ended()).await.is_err() {
            tracing::warn!("some sockets did not end in time and were cut off");
        }
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a part of the server ended in a panic");
            }
        }
        // Writes run to their end also when whoever began them is gone by now.
        let close = self.installation.services.close();
        if tokio::time::timeout(CLOSE_DEADLINE, close).await.is_err() {
            tracing::warn!("the database did not settle in time");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

async fn poll(services: Services) {
    services.poll().await;
}

async fn keep_search_index(services: Services) {
    services.keep_search_index().await;
}

async fn forget(services: Services) {
    loop {
        match services.forget_old_events().await {
            Ok(0) => {}
            Ok(events) => tracing::info!(events, "forgot events past their time"),
            Err(error) => tracing::warn!(%error, "could not forget old events"),
        }
        match services.forget_old_requests().await {
            Ok(0) => {}
            Ok(requests) => tracing::info!(requests, "forgot answers past their time"),
            Err(error) => tracing::warn!(%error, "could not forget old answers"),
        }
        tokio::time::sleep(FORGET_EVERY).await;
    }
}
