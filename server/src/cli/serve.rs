//! `helpbot serve`: start, tell what to paste, run until a signal, end in order.

use clap::Args;
use tokio::signal;

use super::context::Context;
use super::failure::Failure;
use super::{logging, output};
use crate::first_start::{self, FirstSite};
use crate::settings::Layer;
use crate::{Parts, StartError, bind};

#[derive(Debug, Default, Clone, Args)]
pub(super) struct ServeArgs {
    /// Address and port to serve on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl ServeArgs {
    /// These arguments, or where they say nothing those given before the command's name.
    pub(super) fn over(self, before: Self) -> Self {
        Self { listen: self.listen.or(before.listen) }
    }

    /// As settings.
    pub(super) fn layer(&self) -> Layer {
        self.listen.iter().map(|listen| ("listen", listen.clone())).collect()
    }
}

pub(super) async fn run(context: &Context) -> Result<(), Failure> {
    let settings = context.settings()?.clone();
    logging::start(&settings, &settings.log)?;
    for variable in &context.layers.unknown_variables {
        tracing::warn!("{variable} is set but is no setting; `helpbot doctor` lists those there are");
    }
    let bound = bind(settings, Parts::default()).await?;
    let first = first_start::prepare(bound.installation()).await.map_err(StartError::FirstSite)?;
    if first.is_some() {
        // So that the first question pasted is answered.
        bound.read_sources().await;
    }
    let base = bound.base_url();
    let running = bound.serve()?;
    let told = match first {
        Some(first) => format!("{}{}", keys(&first), urls(&base, &first.widget_key)),
        None => urls(&base, "YOUR_WIDGET_KEY"),
    };
    output::text(&format!("HelpBot {} is ready at {base}\n{told}", env!("CARGO_PKG_VERSION")))?;
    stop_signal().await;
    tracing::info!("stopping: open requests get ten seconds");
    running.shutdown().await;
    Ok(())
}

fn keys(first: &FirstSite) -> String {
    format!(
        "
A first site was made. It answers questions about HelpBot, from its own FAQ.
These keys are shown once:

  site          {site}
  widget key    {widget}   for pages: ask, vote, hand off
  secret key    {secret}   for your servers: everything on this site
  operator key  {operator}       for you: all sites, plans
",
        site = first.site,
        widget = first.widget_key,
        secret = first.secret_key,
        operator = first.operator_key,
    )
}

fn urls(base: &str, widget_key: &str) -> String {
    format!(
        "
  dashboard     {base}/dashboard
  demo          {base}/demo
  GraphQL       {base}/graphql   (by hand: {base}/graphiql)
  REST          {base}/api/v1    (reference: {base}/docs)

Ask something:

  curl {base}/api/v1/chat -H 'Authorization: Bearer {widget_key}' \\
    -d '{{\"question\": \"How do I add the widget to my site?\"}}'

Put it on a page:

  <script src=\"{base}/widget.js\" data-api-key=\"{widget_key}\" async></script>

"
    )
}

/// Returns at SIGINT or, where there is one, SIGTERM.
async fn stop_signal() {
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
        () = interrupted => {}
        () = terminated => {}
    }
}
