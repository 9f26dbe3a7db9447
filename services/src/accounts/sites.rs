//! Sites: operators create and change them; their owners change the widget and the way of
//! answering. [`site_deletion`](super::site_deletion) deletes them.

use std::sync::Arc;

use helpbot_db as db;
use helpbot_domain::ids::SiteId;
use helpbot_domain::key::Scope;
use helpbot_domain::plan::{Feature, Plan};
use helpbot_domain::widget::{WidgetConfig, WidgetPatch};
use helpbot_domain::{Invalid, Together as _, text};
use helpbot_engine::AnswerPolicy;

use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::page::PageRequest;
use helpbot_domain::retention::DataRetention;
use helpbot_domain::site::Site;

const NAME_MAX_CHARS: usize = 120;

/// Input for a new site.
#[derive(Debug, Clone)]
pub struct NewSite {
    /// Name of the site.
    pub name: String,
    /// E-mail address that receives handoffs.
    pub owner_email: String,
    /// Plan of the site. `None` means the installation's default.
    pub plan: Option<Plan>,
    /// Questions per month. `None` means the installation's default.
    pub credit_limit: Option<i64>,
}

/// Changes that an operator makes to a site. `None` leaves a value unchanged.
#[derive(Debug, Clone, Default)]
pub struct SitePatch {
    /// Name of the site.
    pub name: Option<String>,
    /// E-mail address that receives handoffs.
    pub owner_email: Option<String>,
    /// Plan of the site.
    pub plan: Option<Plan>,
    /// Questions per month.
    pub credit_limit: Option<i64>,
}

/// Creates a site. Only for operators.
///
/// # Errors
/// `Forbidden`; `Invalid` names the field.
#[boxed]
pub async fn create(services: &Services, viewer: &Viewer, new: NewSite) -> Result<Site> {
    require_operator(viewer)?;
    let now = services.now();
    let checked = (
        text::required("name", &new.name, NAME_MAX_CHARS),
        text::email("ownerEmail", &new.owner_email),
        credit_limit(new.credit_limit.unwrap_or(services.settings.default_credits)),
    );
    let (name, owner_email, credit_limit) = checked.together()?;
    let site = Site {
        id: SiteId::from_uuid(randomness::uuid(now)),
        name,
        owner_email,
        plan: new.plan.unwrap_or(services.settings.default_plan),
        credit_limit,
        daily_credit_limit: None,
        address_credit_limit: None,
        retention: DataRetention::default(),
        widget: WidgetConfig::default(),
        widget_texts: Arc::default(),
        answer_settings: settings_json(&AnswerPolicy::default()),
        created_at: now,
        updated_at: now,
    };
    let stored = site.clone();
    services.db.write(move |c| Box::pin(async move { Ok::<_, Error>(db::sites::insert(c, &stored).await?) })).await?;
    Ok(site)
}

/// Returns the viewer's site. An operator names one.
///
/// # Errors
/// `NotFound` when the site does not exist or is not the viewer's.
#[boxed]
pub async fn get(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Site> {
    Ok(remembered(services, viewer.site(named)?).await?.as_ref().clone())
}

/// Returns a site from the cache, or from the database when the cache has none. Calls return the
/// same `Arc` while the entry is cached.
///
/// # Errors
/// `NotFound`; errors of the database.
#[boxed]
pub async fn remembered(services: &Services, id: SiteId) -> Result<Arc<Site>> {
    let now = services.now();
    if let Some(site) = services.sites.get(&id, now) {
        return Ok(site);
    }
    let before = services.sites.before_lookup();
    let site = db::sites::by_id(&mut services.db.reader().await?, id).await?;
    let site = Arc::new(site.ok_or(Error::NotFound("Site"))?);
    services.sites.put(before, now, id, site.clone());
    Ok(site)
}

/// Returns one page of all sites, ordered by ID and therefore oldest first. Only for operators.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(services: &Services, viewer: &Viewer, page: PageRequest<SiteId>) -> Result<Vec<Site>> {
    require_operator(viewer)?;
    Ok(db::sites::list(&mut services.db.reader().await?, page).await?)
}

/// Returns the number of sites. Only for operators.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn count(services: &Services, viewer: &Viewer) -> Result<i64> {
    require_operator(viewer)?;
    Ok(db::sites::count(&mut services.db.reader().await?).await?)
}

/// Changes the name, the owner, the plan or the credits of a site. Only for operators.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` names the field.
#[boxed]
pub async fn update(services: &Services, viewer: &Viewer, id: SiteId, patch: SitePatch) -> Result<Site> {
    require_operator(viewer)?;
    let checked = (
        patch.name.map(|name| text::required("name", &name, NAME_MAX_CHARS)).transpose(),
        patch.owner_email.map(|email| text::email("ownerEmail", &email)).transpose(),
        patch.credit_limit.map(credit_limit).transpose(),
    );
    let (name, owner_email, limit) = checked.together()?;
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

/// Returns the settings of the widget as the site's plan shows them: for a visitor of a language, or with the texts of the
/// default language.
///
/// # Errors
/// `Forbidden` without the scope to read settings.
pub fn widget(viewer: &Viewer, site: &Site, language: Option<&str>) -> Result<WidgetConfig> {
    viewer.require(Scope::ReadConfig)?;
    let config = match language {
        Some(tag) => site.widget_texts.shown_in(&site.widget, tag),
        None => site.widget.clone(),
    };
    Ok(config.shown_on(site.plan))
}

/// Changes settings of the widget, all or none. Returns the site and the names of the fields in the
/// patch, in the documented order.
///
/// # Errors
/// `Forbidden`; `PlanRequired` when the patch hides the branding and the plan does not allow it;
/// `Invalid` names the first invalid field.
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

/// Returns how the site answers.
///
/// # Errors
/// `Forbidden` without the scope to read settings.
pub fn answer_settings(viewer: &Viewer, site: &Site) -> Result<AnswerPolicy> {
    viewer.require(Scope::ReadConfig)?;
    Ok(parsed_settings(site))
}

/// A change of how cautiously a site answers. `None` keeps a value.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerChange {
    /// Share of answers that must be correct, from 0 to 1.
    pub target_precision: Option<f64>,
    /// Maximum share of wrong answers, from 0 to 1: the rest. It counts when both are given.
    pub max_wrong_answers: Option<f64>,
}

/// Changes how cautiously a site answers.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` for a value outside the range.
#[boxed]
pub async fn update_answer_settings(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    change_to: AnswerChange,
) -> Result<Site> {
    viewer.require(Scope::WriteConfig)?;
    let id = viewer.site(named)?;
    let AnswerChange { target_precision, max_wrong_answers } = change_to;
    for (name, value) in [("targetPrecision", target_precision), ("maxWrongAnswers", max_wrong_answers)] {
        if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            return Err(Invalid::new(name, format!("{name} must be between 0 and 1.")).into());
        }
    }
    let target = max_wrong_answers.map(|share| ((1.0 - share) * 1e9).round() / 1e9).or(target_precision);
    let changed = change(services, id, move |site| {
        let settings = parsed_settings(site);
        let target_precision = target.unwrap_or(settings.target_precision);
        let settings = AnswerPolicy { target_precision, ..settings };
        site.answer_settings = settings_json(&settings);
        Ok(())
    });
    changed.await.map(|(site, ())| site)
}

/// Checks that the site's plan includes `feature`.
///
/// # Errors
/// `PlanRequired` names the lowest plan that does.
pub fn require_feature(site: &Site, feature: Feature) -> Result<()> {
    if site.plan.allows(feature) { Ok(()) } else { Err(Error::PlanRequired { plan: Plan::needed_for(feature) }) }
}

/// Returns the stored settings. Settings that this version of the program cannot read count as the
/// defaults.
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
                let mut site = db::sites::by_id_locked(c, id).await?.ok_or(Error::NotFound("Site"))?;
                let language = site.widget.ai_language.clone();
                let plan = site.plan;
                let value = apply(&mut site)?;
                site.updated_at = now;
                db::sites::update(c, &site).await?;
                if site.plan != plan {
                    db::sites::bump_access_version(c, id).await?;
                }
                if site.widget.ai_language != language {
                    // The index depends on the language of the site.
                    db::sites::bump_index_version(c, id).await?;
                }
                Ok((site, value))
            })
        })
        .await;
    services.access_changed(id);
    changed
}

pub(crate) fn require_operator(viewer: &Viewer) -> Result<()> {
    if viewer.is_operator() {
        Ok(())
    } else {
        Err(Error::Forbidden("Only the operator of the installation can do this.".into()))
    }
}

fn credit_limit(limit: i64) -> Result<i64, Invalid> {
    use helpbot_domain::plan::UNLIMITED_CREDITS;
    if (0..=UNLIMITED_CREDITS).contains(&limit) {
        Ok(limit)
    } else {
        Err(Invalid::new("creditLimit", format!("creditLimit must be between 0 and {UNLIMITED_CREDITS}.")))
    }
}

fn settings_json(settings: &AnswerPolicy) -> String {
    db::columns::to_json(settings)
}
