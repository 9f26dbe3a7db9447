//! The application inside the measuring process, with a new SQLite file, one site and a secret key. Benchmarks that
//! need no sockets include this file.

use std::collections::BTreeMap;

use axum::Router;
use helpbot_domain::ids::SiteId;
use helpbot_domain::key::KeyKind;
use helpbot_server::settings::{Settings, SettingsLayers};
use helpbot_server::{BoundServer, Parts};
use helpbot_services::accounts::keys::{self, NewKey};
use helpbot_services::accounts::sites::{self, NewSite};
use helpbot_services::{Services, Viewer};
use tempfile::TempDir;

type AnyError = Box<dyn std::error::Error>;

/// An installation without a network listener.
pub struct Application {
    /// The router with its middleware.
    pub router: Router,
    /// The use cases.
    pub services: Services,
    /// The operator's identity.
    pub operator: Viewer,
    /// ID of the site.
    pub site: SiteId,
    /// A secret key of the site.
    pub key: String,
    // Dropped last, because it deletes the database file.
    _bound: BoundServer,
    _data: TempDir,
}

impl Application {
    /// Creates an installation without rate limits.
    ///
    /// # Errors
    /// When the directory or the database cannot be created.
    pub async fn open() -> Result<Self, AnyError> {
        let data = TempDir::new()?;
        let flags = BTreeMap::from([
            ("data", data.path().to_string_lossy().into_owned()),
            ("listen", "127.0.0.1:0".to_owned()),
            ("rate_limits", "off".to_owned()),
        ]);
        let layers = SettingsLayers::new(None, std::iter::empty(), flags)?;
        let settings = Settings::resolve(&layers).map_err(|problems| format!("{problems:?}"))?;
        let bound = helpbot_server::bind(settings, Parts::default()).await?;
        let (router, services) = (bound.app()?, bound.installation().services.clone());
        let operator = bound.installation().operator();
        let new = NewSite { name: "Shop".into(), owner_email: "o@example.com".into(), plan: None, credit_limit: None };
        let site = sites::create(&services, &operator, new).await?.id;
        let new = NewKey {
            kind: KeyKind::Secret,
            name: "benches".into(),
            scopes: None,
            origins: Vec::new(),
            expires_at: None,
        };
        let (_, key) = keys::create(&services, &operator, Some(site), new).await?;
        Ok(Self { router, services, operator, site, key, _bound: bound, _data: data })
    }
}
