//! The application in process over a fresh SQLite file, with one site and a key that opens all of
//! it: for what is measured without sockets.

use std::collections::BTreeMap;

use axum::Router;
use helpbot_domain::ids::SiteId;
use helpbot_domain::key::KeyKind;
use helpbot_server::settings::{Layers, Settings};
use helpbot_server::{Bound, Parts};
use helpbot_services::accounts::keys::{self, NewKey};
use helpbot_services::accounts::sites::{self, NewSite};
use helpbot_services::{Services, Viewer};
use tempfile::TempDir;

type AnyError = Box<dyn std::error::Error>;

/// An installation that nobody can reach from outside.
pub struct House {
    /// All routes, with everything around them.
    pub router: Router,
    /// The use cases behind them.
    pub services: Services,
    /// Whoever may do everything.
    pub operator: Viewer,
    /// The site.
    pub site: SiteId,
    /// A secret key of the site.
    pub key: String,
    // Dropped last: the file goes with it.
    _bound: Bound,
    _data: TempDir,
}

impl House {
    /// A fresh one, without rate limits.
    ///
    /// # Errors
    /// When the directory or database cannot be made.
    pub async fn open() -> Result<Self, AnyError> {
        let data = TempDir::new()?;
        let flags = BTreeMap::from([
            ("data", data.path().to_string_lossy().into_owned()),
            ("listen", "127.0.0.1:0".to_owned()),
            ("rate_limits", "off".to_owned()),
        ]);
        let layers = Layers::new(None, std::iter::empty(), flags)?;
        let settings = Settings::resolve(&layers).map_err(|problems| format!("{problems:?}"))?;
        let bound = helpbot_server::bind(settings, Parts::default()).await?;
        let (router, services) = (bound.app()?, bound.installation().services.clone());
        let operator = bound.installation().operator();
        let new = NewSite { name: "Shop".into(), owner_email: "o@example.com".into(), plan: None, credit_limit: None };
        let site = sites::create(&services, &operator, new).await?.id;
        let new = NewKey {
            kind: KeyKind::Secret,
            name: "benches".into(),
            scopes: Vec::new(),
            origins: Vec::new(),
            expires_at: None,
        };
        let (_, key) = keys::create(&services, &operator, Some(site), new).await?;
        Ok(Self { router, services, operator, site, key, _bound: bound, _data: data })
    }
}
