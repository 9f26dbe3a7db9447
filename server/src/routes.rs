//! Wires the GraphQL API and the REST API to an installation. `running` merges the routes into the server's
//! router. The APIs themselves are in `api` and `rest-compat`.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use helpbot_api::Gateway;
use helpbot_api::gateway::measures::GatewayMeasures;
use helpbot_api::gateway::settings::{DocumentPolicy, GatewaySettings, Introspection};
use helpbot_api::gateway::trusted::TrustedDocuments;
use helpbot_api::limits::peer;
use helpbot_api::limits::rates::RateSettings;
use helpbot_api::schema;
use helpbot_api::transport;
use helpbot_api::transport::connections::Connections;
use helpbot_api::transport::settings::TransportSettings;
use ipnet::IpNet;

use crate::accept::ConnectionLimits;
use crate::assets;
use crate::error::StartError;
use crate::inbound_mail;
use crate::installation::Installation;
use crate::settings::Settings;

/// Value of `trusted_proxies` that trusts no proxy, not even one on this machine.
const NO_PROXY: &str = "none";

/// The routes `/graphql`, `/graphql/stream` and everything below `/api`, and the one that receives mail. WebSockets and event streams
/// register in `connections`. Also returns what the routes count.
pub(crate) fn api(
    installation: &Installation,
    connections: Connections,
) -> Result<(Router, Arc<GatewayMeasures>), StartError> {
    let gateway = gateway(installation)?;
    let own_origin = installation.settings.public_url.as_ref().map(|url| url.origin().ascii_serialization());
    let transport = TransportSettings {
        own_origin,
        cors_headers: installation.settings.cors_headers.clone(),
        ..TransportSettings::default()
    };
    let graphql = transport::router(gateway.clone(), connections, transport);
    let measures = gateway.measures().clone();
    Ok((graphql.merge(helpbot_rest_compat::router(gateway)).merge(inbound_mail::router(installation)), measures))
}

fn gateway(installation: &Installation) -> Result<Gateway, StartError> {
    let set = &installation.settings;
    let settings = GatewaySettings {
        trusted_proxies: trusted_proxies(&set.trusted_proxies)?,
        rates: if set.has_rate_limits { RateSettings::default() } else { RateSettings::UNLIMITED },
        documents: if set.has_only_trusted_documents { DocumentPolicy::TrustedOnly } else { DocumentPolicy::Any },
        introspection: if set.has_introspection { Introspection::Allowed } else { Introspection::Refused },
        costs: set.costs,
        ..GatewaySettings::default()
    };
    let trusted = trusted_documents(set.trusted_documents.as_deref())?;
    Ok(schema::gateway(installation.services.clone(), trusted, settings))
}

/// The trusted documents: those of the widget and the dashboard, and all `.graphql` files and manifests
/// (`.json`) of a directory.
fn trusted_documents(directory: Option<&Path>) -> Result<TrustedDocuments, StartError> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| {
        StartError::Setting(format!("trusted_documents: {}: {why}", path.display()))
    };
    let mut documents = TrustedDocuments::default();
    for own in [assets::DOCUMENTS, schema::trusted_documents::MANIFEST] {
        documents.add_manifest(own).expect("our own documents are within the limits");
    }
    let Some(directory) = directory else { return Ok(documents) };
    for entry in std::fs::read_dir(directory).map_err(|error| wrong(directory, &error))? {
        let path = entry.map_err(|error| wrong(directory, &error))?.path();
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        if !matches!(extension, "graphql" | "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(&path, &error))?;
        match extension {
            "graphql" => documents.add(&text).map_err(|rejection| wrong(&path, &rejection))?,
            _ => documents.add_manifest(&text).map_err(|error| wrong(&path, &error))?,
        }
    }
    Ok(documents)
}

/// The maximum numbers of open connections. Trusted proxies may open any number.
pub(crate) fn connection_limits(settings: &Settings) -> Result<ConnectionLimits, StartError> {
    Ok(ConnectionLimits {
        total: settings.max_connections,
        per_address: settings.max_connections_per_address,
        unlimited: trusted_proxies(&settings.trusted_proxies)?,
        open: Arc::default(),
    })
}

/// The networks of the setting. Defaults to the loopback networks, since a proxy often runs on the same machine.
fn trusted_proxies(entries: &[String]) -> Result<Vec<IpNet>, StartError> {
    let read =
        |entry: &String| peer::network(entry).map_err(|error| StartError::Setting(format!("trusted_proxies: {error}")));
    match entries {
        [] => Ok(peer::loopback().into()),
        [none] if none == NO_PROXY => Ok(Vec::new()),
        networks => networks.iter().map(read).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(entries: &[&str]) -> Vec<IpNet> {
        trusted_proxies(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>()).expect("networks")
    }

    #[test]
    fn trusted_documents_are_the_graphql_files_and_manifests_of_a_directory() {
        let directory = tempfile::tempdir().expect("a directory");
        let put = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("written");
        put("viewer.graphql", "{ viewer { kind } }");
        put("persisted-documents.json", r#"{"0123456789abcdef": "{ site { id } }"}"#);
        put("readme.txt", "no document");
        assert!(trusted_documents(Some(directory.path())).is_ok());

        for (name, text) in [("broken.graphql", "{"), ("package.json", r#"{"private": true}"#)] {
            put(name, text);
            let wrong = trusted_documents(Some(directory.path())).expect_err("it is refused");
            assert!(wrong.to_string().contains(name), "{wrong}");
            std::fs::remove_file(directory.path().join(name)).expect("removed");
        }
        assert!(trusted_documents(Some(&directory.path().join("absent"))).is_err());
    }

    #[test]
    fn a_proxy_on_this_machine_is_trusted_by_default() {
        assert_eq!(trusted(&[]), peer::loopback());
        assert_eq!(trusted(&["none"]), []);
        assert_eq!(trusted(&["10.0.0.0/8"]), [peer::network("10.0.0.0/8").expect("a network")]);
        assert!(trusted_proxies(&["none".into(), "10.0.0.0/8".into()]).is_err());
    }
}
