//! The mutations that create, change and delete sites and change their settings.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use helpbot_domain as domain;
use helpbot_domain::plan::UNLIMITED_CREDITS;
use helpbot_services::accounts::sites::{self, AnswerChange, NewSite, SitePatch};
use helpbot_services::accounts::{site_deletion, widget_texts};

use super::widget::{UpdateWidgetConfigInput, WidgetConfig};
use super::widget_texts::{
    DeleteWidgetTextsInput, DeleteWidgetTextsPayload, SetWidgetTextsInput, SetWidgetTextsPayload,
};
use super::{AnswerSettings, Site};
use crate::schema::access::Access;
use crate::schema::batch_jobs::BatchJob;
use crate::schema::enums::Plan;
use crate::schema::ids;
use crate::schema::mutation::{changed_number, finish, input, payload};

/// The mutations that manage sites.
#[derive(Default)]
pub struct SiteMutation;

/// Arguments that `createSite` accepts.
#[derive(InputObject)]
pub struct CreateSiteInput {
    /// Name of the site, which must have 1 to 120 characters.
    name: String,
    /// E-mail address that receives the notifications of the site, for example about handoffs.
    owner_email: String,
    /// Plan of the site. Defaults to the default plan of the installation.
    plan: Option<Plan>,
    /// Number of questions that the site may ask in a month, 0 to 2,147,483,646. Null means that there is no
    /// limit. When it is absent, the setting of the installation applies.
    credit_limit: MaybeUndefined<i32>,
}

payload! {
    /// Result that `createSite` returns.
    CreateSitePayload {
        /// The site that was created. It is null when the mutation failed.
        site: Option<Site>,
    }
}

/// Arguments that `updateSite` accepts. Fields that are absent stay unchanged.
#[derive(InputObject)]
pub struct UpdateSiteInput {
    /// ID of the site that is changed.
    id: ID,
    /// New name of the site, which must have 1 to 120 characters. It stays unchanged when it is absent or null.
    name: Option<String>,
    /// New e-mail address that receives the notifications of the site. It stays unchanged when it is absent or
    /// null.
    owner_email: Option<String>,
    /// New plan of the site, which takes effect at once. It stays unchanged when it is absent or null.
    plan: Option<Plan>,
    /// Number of questions that the site may ask in a month, 0 to 2,147,483,646. Null removes the limit. It
    /// stays unchanged when it is absent.
    credit_limit: MaybeUndefined<i32>,
}

payload! {
    /// Result that `updateSite` returns.
    UpdateSitePayload {
        /// The site after the change. It is null when the mutation failed.
        site: Option<Site>,
    }
}

/// Arguments that `deleteSite` accepts.
#[derive(InputObject)]
pub struct DeleteSiteInput {
    /// ID of the site that is deleted.
    id: ID,
}

payload! {
    /// Result that `deleteSite` returns.
    DeleteSitePayload {
        /// ID of the site that was deleted. It is null when the mutation failed.
        deleted_id: Option<ID>,
        /// The job that deletes the data of the site. `batchJobs` shows its progress. It is null when the
        /// mutation failed.
        job: Option<BatchJob>,
    }
}

payload! {
    /// Result that `updateWidgetConfig` returns.
    UpdateWidgetConfigPayload {
        /// The whole configuration after the change. It is null when the mutation failed.
        widget: Option<WidgetConfig>,
        /// Names of the fields that the input contained, in the order of `WidgetConfig` in the REST
        /// contract. It is null when the mutation failed.
        updated: Option<Vec<String>>,
    }
}

input! {
    /// Arguments that `updateAnswerSettings` accepts.
    UpdateAnswerSettingsInput {
        /// Share of answers that must be correct, 0 to 1. With a higher value, HelpBot replies more often
        /// that it does not know the answer. It stays unchanged when it is absent, and is ignored when
        /// `maxWrongAnswers` is present, because it is 1 minus that value.
        target_precision: Option<f64>,
        /// Maximum share of the answers that may be wrong, 0 to 1. When this field and `targetPrecision` are
        /// absent, nothing is changed.
        max_wrong_answers: Option<f64>,
    }
}

payload! {
    /// Result that `updateAnswerSettings` returns.
    UpdateAnswerSettingsPayload {
        /// The settings after the change. It is null when the mutation failed.
        answer_settings: Option<AnswerSettings>,
    }
}

impl UpdateAnswerSettingsInput {
    fn change(&self) -> AnswerChange {
        AnswerChange { target_precision: self.target_precision, max_wrong_answers: self.max_wrong_answers }
    }
}

#[Object]
impl SiteMutation {
    /// Creates a site. Requires an operator key. Fails with `BAD_USER_INPUT` for an invalid field.
    async fn create_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: CreateSiteInput,
    ) -> Result<CreateSitePayload> {
        let access = Access::of(ctx);
        let new = NewSite {
            name: input.name,
            owner_email: input.owner_email,
            plan: input.plan.map(Into::into),
            credit_limit: credit_limit(&input.credit_limit),
        };
        let created = sites::create(&access.services, &access.viewer, new).await;
        finish(created, |row| CreateSitePayload { site: node(access, row), ..Default::default() })
    }

    /// Changes the name, the owner's address, the plan or the credits of a site. Requires an operator
    /// key. Fails with `NOT_FOUND` when the site does not exist and with `BAD_USER_INPUT` for an invalid
    /// field.
    async fn update_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateSiteInput,
    ) -> Result<UpdateSitePayload> {
        let access = Access::of(ctx);
        let patch = SitePatch {
            name: input.name,
            owner_email: input.owner_email,
            plan: input.plan.map(Into::into),
            credit_limit: credit_limit(&input.credit_limit),
        };
        let changed = sites::update(&access.services, &access.viewer, ids::read(&input.id), patch).await;
        finish(changed, |row| UpdateSitePayload { site: node(access, row), ..Default::default() })
    }

    /// Deletes a site with all its data, which cannot be undone. The site and its keys stop working at
    /// once, and a job deletes the data in the background. Requires an operator key. Fails with
    /// `NOT_FOUND` when the site does not exist.
    async fn delete_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: DeleteSiteInput,
    ) -> Result<DeleteSitePayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let deleted = site_deletion::delete(services, viewer, ids::read(&input.id)).await;
        finish(deleted, |job| DeleteSitePayload {
            deleted_id: Some(input.id),
            job: Some(job.into()),
            ..Default::default()
        })
    }

    /// Changes the configuration of the widget. When one field is invalid, nothing is changed. Requires
    /// the `WRITE_CONFIG` scope.
    ///
    /// Fails with `BAD_USER_INPUT` when a field is invalid or the input contains none. The request fails
    /// with `PLAN_REQUIRED` when `showBranding` is set to false below the Scale plan.
    async fn update_widget_config(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateWidgetConfigInput,
    ) -> Result<UpdateWidgetConfigPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let site = ids::site(input.site_id.as_ref());
        finish(sites::update_widget(services, viewer, site, input.patch()).await, |(site, updated)| {
            UpdateWidgetConfigPayload {
                widget: Some(site.widget.shown_on(site.plan).into()),
                updated: Some(updated.into_iter().map(str::to_owned).collect()),
                ..Default::default()
            }
        })
    }

    /// Changes what the widget says to visitors of one language, which may be one without texts so far. When one text is
    /// invalid, nothing is changed. The texts of the default language are those of `updateWidgetConfig`. Requires the
    /// `WRITE_CONFIG` scope.
    ///
    /// Fails with `BAD_USER_INPUT` for an invalid language or text, and with `LIMIT_REACHED` when the site has texts in 30
    /// other languages.
    async fn set_widget_texts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: SetWidgetTextsInput,
    ) -> Result<SetWidgetTextsPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let (site, language) = (input.site(), input.language.clone());
        let changed = widget_texts::set(services, viewer, site, language, input.patch()).await;
        finish(changed, |of| SetWidgetTextsPayload { texts: Some(of.into()), ..Default::default() })
    }

    /// Deletes all texts of the widget in one language. Requires the `WRITE_CONFIG` scope. Fails with `NOT_FOUND` when the
    /// site has no texts in the language, and with `BAD_USER_INPUT` when it is not a language tag.
    async fn delete_widget_texts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: DeleteWidgetTextsInput,
    ) -> Result<DeleteWidgetTextsPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let deleted = widget_texts::delete(services, viewer, input.site(), input.language).await;
        finish(deleted, |tag| DeleteWidgetTextsPayload { deleted_language: Some(tag), ..Default::default() })
    }

    /// Changes how cautiously HelpBot answers the questions of a site. Requires the `WRITE_CONFIG` scope.
    /// Fails with `BAD_USER_INPUT` when a value is not between 0 and 1.
    async fn update_answer_settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateAnswerSettingsInput,
    ) -> Result<UpdateAnswerSettingsPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let changed = sites::update_answer_settings(services, viewer, input.site(), input.change()).await;
        let settings = changed.and_then(|site| sites::answer_settings(viewer, &site));
        finish(settings, |settings| UpdateAnswerSettingsPayload {
            answer_settings: Some(AnswerSettings::of(settings.target_precision, settings.promised())),
            ..Default::default()
        })
    }
}

fn node(access: &Access, row: domain::site::Site) -> Option<Site> {
    Some(Site { row, access: access.clone() })
}

/// The credits of a month that an input asks for, in which null means no limit. `None` when the field is absent.
fn credit_limit(given: &MaybeUndefined<i32>) -> Option<i64> {
    changed_number(given).map(|limit| limit.unwrap_or(UNLIMITED_CREDITS))
}
