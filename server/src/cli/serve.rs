//! `helpbot serve`: starts the server, prints its addresses and the keys of the first start, and runs until
//! SIGINT or SIGTERM. Then it stops in order.

use std::io::{self, IsTerminal};
use std::time::Duration;

use tokio::signal;

use super::context::CommandContext;
use super::failure::CommandFailure;
use super::{logging, output};
use crate::first_site::{self, FirstSite};
use crate::settings::Settings;
use crate::{Parts, RunningServer, StartError, bind};

/// Runs the server until it is stopped.
pub(super) async fn run(context: &CommandContext) -> Result<(), CommandFailure> {
    let settings = context.settings()?.clone();
    logging::start(&settings, &settings.log)?;
    for variable in &context.layers.unknown_variables {
        tracing::warn!("the environment variable {variable} matches no setting; `helpbot doctor` lists all settings");
    }
    let bound = bind(settings, Parts::default()).await?;
    let first = first_site::create(bound.installation()).await.map_err(StartError::FirstSite)?;
    let base = bound.base_url();
    let has_demo = context.settings()?.has_demo;
    let details = match first {
        Some(first) => {
            // Written before anything that takes time, because nothing else has the keys.
            let announcement = announce(context.settings()?, &first)?;
            // Syncs the FAQ now, so that the printed example question is answered.
            bound.sync_sources().await;
            format!("{announcement}{}", urls(&base, &first.widget_key, has_demo))
        }
        None => urls(&base, "YOUR_WIDGET_KEY", has_demo),
    };
    let running = bound.serve()?;
    output::text(&format!("HelpBot {} is ready at {base}\n{details}", env!("CARGO_PKG_VERSION")))?;
    if stop_signal().await == StopSignal::Terminate {
        drain(&running, context.settings()?.drain).await;
    }
    tracing::info!("stopping; open requests have ten seconds to finish");
    running.shutdown().await;
    Ok(())
}

/// The text about the first site. Its keys are part of it only on a terminal. Otherwise stdout probably goes to a log, so
/// the keys are written to a private file that the text names.
fn announce(settings: &Settings, first: &FirstSite) -> Result<String, CommandFailure> {
    let intro = "A first site was created. It answers questions about HelpBot from HelpBot's own FAQ.";
    if io::stdout().is_terminal() {
        return Ok(format!("\n{intro}\nThese keys are not shown again:\n\n{}", keys(first)));
    }
    let path = first_site::write_keys(settings, &keys(first))?;
    Ok(format!("\n{intro}\nIts keys are in {}, which only you can read.\n", path.display()))
}

fn keys(first: &FirstSite) -> String {
    format!(
        "\
  site          {site}
  widget key    {widget}   for web pages: ask, vote, request a human
  secret key    {secret}   for your servers: full access to this site
  operator key  {operator}       for you: full access to all sites
",
        site = first.site,
        widget = first.widget_key,
        secret = first.secret_key,
        operator = first.operator_key,
    )
}

fn urls(base: &str, widget_key: &str, has_demo: bool) -> String {
    let demo = if has_demo { format!("  demo          {base}/demo\n") } else { String::new() };
    format!(
        "
  dashboard     {base}/dashboard
{demo}  GraphQL       {base}/graphql   (explorer: {base}/graphiql)
  REST          {base}/api/v1    (reference: {base}/docs)

Ask a question:

  curl {base}/api/v1/chat -H 'Authorization: Bearer {widget_key}' \\
    -d '{{\"question\": \"How do I add the widget to my site?\"}}'

Add the widget to a page:

  <script src=\"{base}/widget.js\" data-api-key=\"{widget_key}\" async></script>

"
    )
}

/// Lets proxies notice that the server stops. A second signal ends the wait.
async fn drain(running: &RunningServer, time: Duration) {
    if time.is_zero() {
        return;
    }
    tracing::info!(seconds = time.as_secs(), "not ready anymore; requests are still served so that proxies notice");
    tokio::select! {
        () = running.drain(time) => {}
        _ = stop_signal() => {}
    }
}

/// How the server was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StopSignal {
    /// SIGINT. A person at a terminal does not want to wait.
    Interrupt,
    /// SIGTERM, from a service manager or an orchestrator.
    Terminate,
}

/// Waits for SIGINT or, on Unix, SIGTERM.
async fn stop_signal() -> StopSignal {
    let interrupted = async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => StopSignal::Interrupt,
        () = terminated => StopSignal::Terminate,
    }
}
