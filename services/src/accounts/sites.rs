//! Sites: made by the operator; their looks and their way of answering set by their owners.

use std::sync::Arc;

use helpbot_db as db;
use helpbot_domain::ids::SiteId;
use helpbot_domain::key::Scope;
use helpbot_domain::plan::{Feature, Plan};
use helpbot_domain::widget::{WidgetConfig, WidgetPatch};
use helpbot_domain::{Invalid, text};
use helpbot_engine::AnswerPolicy;

use crate::runtime::randomness;
use crate::{Error, Part, Result, Services, Site, Viewer, boxed};

const NAME_MAX_CHARS: usize = 120;

/// What a new site is made of.
#[derive(Debug, Clone)]
pub struct NewSite {
    /// As its owner calls it.
    pub name: String,
    /// Who is told about handoffs.
    pub owner_email: String,
    /// The installation's default when none.
    pub plan: Option<Plan>,
    /// Questions a month; the installation's default when none.
    pub credit_limit: Option<i64>,
}

/// What an operator may change; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct SitePatch {
    /// As its owner calls it.
    pub name: Option<String>,
    /// Who is told about handoffs.
    pub owner_email: Option<String>,
    /// What it has booked.
    pub plan: Option<Plan>,
    /// Questions a month.
    pub credit_limit: Option<i64>,
}

/// Makes a site. For operators.
///
/// # Errors
/// `Forbidden`; `Invalid` names the field.
#[boxed]
pub async fn create(services: &Services, viewer: &Viewer, new: NewSite) -> Result<Site> {
    require_operator(viewer)?;
    let now = services.now();
    let site = Site {
        id: SiteId::from_uuid(randomness::uuid(now)),
        name: text::required("name", &new.name, NAME_MAX_CHARS)?,
        owner_email: text::email("ownerEmail", &new.owner_email)?,
        plan: new.plan.unwrap_or(services.settings.default_plan),
        credit_limit: credit_limit(new.credit_limit.unwrap_or(services.settings.default_credits))?,
        widget: WidgetConfig::default(),
        answer_settings: settings_json(&AnswerPolicy::default()),
        created_at: now,
        updated_at: now,
    };
    let stored = site.clone();
    services.db.write(move |c| Box::pin(async move { Ok::<_, Error>(db::sites::insert(c, &stored).await?) })).await?;
    Ok(site)
}

/// The viewer's site; an operator names one.
///
/// # Errors
/// `NotFound` when it does not exist or is not the viewer's.
#[boxed]
pub async fn get(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Site> {
    Ok(remembered(services, viewer.site(named)?).await?.as_ref().clone())
}

/// The site as it was read a moment ago; the same `Arc` for as long as that is believed.
///
/// # Errors
/// `NotFound`.
#[boxed]
pub async fn remembered(services: &Services, id: SiteId) -> Result<Arc<Site>> {
    let now = services.now();
    if let Some(site) = services.sites.get(&id, now) {
        return Ok(site);
    }
    let before = services.sites.before();
    let site = db::sites::by_id(&mut services.db.reader().await?, id).await?;
    let site = Arc::new(site.ok_or(Error::NotFound("Site"))?);
    services.sites.put(before, now, id, site.clone());
    Ok(site)
}

/// A part of the sites, which go by id: oldest first. For operators.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(services: &Services, viewer: &Viewer, part: Part<SiteId>) -> Result<Vec<Site>> {
    require_operator(viewer)?;
    Ok(db::sites::list(&mut services.db.reader().await?, part).await?)
}

/// How many sites there are. For operators.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn count(services: &Services, viewer: &Viewer) -> Result<i64> {
    require_operator(viewer)?;
    Ok(db::sites::count(&mut services.db.reader().await?).await?)
}

/// Changes a site's name, owner, plan or credits. For operators.
///
/// # Errors
/// `Forbidden`, `NotFound`; `Invalid` names the field.
#[boxed]
pub async fn update(services: &Services, viewer: &Viewer, id: SiteId, patch: SitePatch) -> Result<Site> {
    require_operator(viewer)?;
    let name = patch.name.map(|name| text::required("name", &name, NAME_MAX_CHARS)).transpose()?;
    let owner_email = patch.owner_email.map(|email| text::email("ownerEmail", &email)).transpose()?;
    let limit = patch.credit_limit.map(credit_limit).transpose()?;
    change(services, id, move |site| {
        site.name = name.unwrap_or_else(|| site.name.clone());
        site.owner_email = owner_email.unwrap_or_else(|| site.owner_email.clone());
        site.plan = patch.plan.unwrap_or(site.plan);
        site.credit_limit = limit.unwrap_or(site.credit_limit);
        Ok(())
    })
    .await
    .map(|(site, ())| site)
}

/// Deletes a site with everything that belongs to it. For operators.
///
/// # Errors
/// `Forbidden`, `NotFound`.
#[boxed]
pub async fn delete(services: &Services, viewer: &Viewer, id: SiteId) -> Result<()> {
    require_operator(viewer)?;
    let keys = db::keys::list(&mut services.db.reader().await?, id).await?;
    let is_deleted: bool =
        services.db.write(move |c| Box::pin(async move { Ok::<_, Error>(db::sites::delete(c, id).await?) })).await?;
    keys.iter().for_each(|key| services.keys.forget(key));
    services.indexes.forget(id);
    services.sites.forget(&id);
    if is_deleted { Ok(()) } else { Err(Error::NotFound("Site")) }
}

/// The widget's settings as the site shows them on its plan.
///
/// # Errors
/// `Forbidden` without the right to read them.
pub fn widget(viewer: &Viewer, site: &Site) -> Result<WidgetConfig> {
    viewer.require(Scope::ReadConfig)?;
    Ok(site.widget.clone().shown_on(site.plan))
}

/// Changes the widget's settings, all or nothing; gives them and the names of the fields that
/// the patch held, in the documented order.
///
/// # Errors
/// `Forbidden`; `PlanRequired` when the branding is to go and the plan keeps it; `Invalid`
/// names the first bad field.
#[boxed]
pub async fn update_widget(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    patch: WidgetPatch,
) -> Result<(Site, Vec<&'static str>)> {
    viewer.require(Scope::WriteConfig)?;
    change(services, viewer.site(named)?, move |site| {
        if patch.show_branding == Some(false) {
            require_feature(site, Feature::RemoveBranding)?;
        }
        let (widget, updated) = site.widget.patched(patch)?;
        site.widget = widget;
        Ok(updated)
    })
    .await
}

/// How the site answers.
///
/// # Errors
/// `Forbidden` without the right to read settings.
pub fn answer_settings(viewer: &Viewer, site: &Site) -> Result<AnswerPolicy> {
    viewer.require(Scope::ReadConfig)?;
    Ok(parsed_settings(site))
}

/// Sets how the site answers.
///
/// # Errors
/// `Forbidden`; `Invalid` when the target precision is none.
#[boxed]
pub async fn update_answer_settings(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    target_precision: f64,
) -> Result<Site> {
    viewer.require(Scope::WriteConfig)?;
    let id = viewer.site(named)?;
    if !(0.0..=1.0).contains(&target_precision) {
        return Err(Invalid::new("targetPrecision", "targetPrecision must be between 0 and 1").into());
    }
    let changed = change(services, id, move |site| {
        let settings = AnswerPolicy { target_precision, ..parsed_settings(site) };
        site.answer_settings = settings_json(&settings);
        Ok(())
    });
    changed.await.map(|(site, ())| site)
}

/// Lets pass when the site's plan includes `feature`.
///
/// # Errors
/// `PlanRequired` names the lowest plan that does.
pub fn require_feature(site: &Site, feature: Feature) -> Result<()> {
    if site.plan.allows(feature) { Ok(()) } else { Err(Error::PlanRequired { plan: Plan::needed_for(feature) }) }
}

/// The stored settings; what an older program wrote and this one cannot read counts as default.
pub(crate) fn parsed_settings(site: &Site) -> AnswerPolicy {
    serde_json::from_str(&site.answer_settings).unwrap_or_default()
}

pub(crate) async fn change<T: Send + 'static>(
    services: &Services,
    id: SiteId,
    apply: impl FnOnce(&mut Site) -> Result<T> + Send + 'static,
) -> Result<(Site, T)> {
    let now = services.now();
    let changed = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut site = db::sites::locked(c, id).await?.ok_or(Error::NotFound("Site"))?;
                let language = site.widget.ai_language.clone();
                let value = apply(&mut site)?;
                site.updated_at = now;
                db::sites::update(c, &site).await?;
                if site.widget.ai_language != language {
                    // An index is made for a language.
                    db::sites::bump_index_version(c, id).await?;
                }
                Ok((site, value))
            })
        })
        .await;
    services.sites.forget(&id);
    changed
}

pub(crate) fn require_operator(viewer: &Viewer) -> Result<()> {
    if viewer.is_operator() {
        Ok(())
    } else {
        Err(Error::Forbidden("This is for the operator of the installation".into()))
    }
}

fn credit_limit(limit: i64) -> Result<i64> {
    use helpbot_domain::plan::UNLIMITED_CREDITS;
    if (0..=UNLIMITED_CREDITS).contains(&limit) {
        Ok(limit)
    } else {
        Err(Invalid::new("creditLimit", format!("creditLimit must be between 0 and {UNLIMITED_CREDITS}")).into())
    }
}

fn settings_json(settings: &AnswerPolicy) -> String {
    db::columns::to_json(settings)
}
