//! Making and changing sites and their settings.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use helpbot_services::accounts::sites::{self, NewSite, SitePatch};

use super::widget::{UpdateWidgetConfigInput, WidgetConfig};
use super::{AnswerSettings, Site};
use crate::error::{UserError, expected};
use crate::schema::access::Access;
use crate::schema::enums::Plan;
use crate::schema::ids;

/// Making and changing sites.
#[derive(Default)]
pub struct SiteMutation;

/// A new site.
#[derive(InputObject)]
pub struct CreateSiteInput {
    /// As its owner calls it, 1 to 120 characters.
    name: String,
    /// Who is told about handoffs.
    owner_email: String,
    /// What it books; the default of the installation if not said.
    plan: Option<Plan>,
    /// Questions a month; the default of the installation if not said.
    credit_limit: Option<i32>,
}

/// The new site, or why there is none.
#[derive(Default, SimpleObject)]
pub struct CreateSitePayload {
    /// The new site.
    site: Option<Site>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// A change of a site; what is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateSiteInput {
    /// Which one.
    id: ID,
    /// As its owner calls it, 1 to 120 characters.
    name: Option<String>,
    /// Who is told about handoffs.
    owner_email: Option<String>,
    /// What it books.
    plan: Option<Plan>,
    /// Questions a month.
    credit_limit: Option<i32>,
}

/// The changed site, or why it was not changed.
#[derive(Default, SimpleObject)]
pub struct UpdateSitePayload {
    /// The site as it is now.
    site: Option<Site>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The site to delete.
#[derive(InputObject)]
pub struct DeleteSiteInput {
    /// Which one.
    id: ID,
}

/// The id of the deleted site, or why it was not deleted.
#[derive(Default, SimpleObject)]
pub struct DeleteSitePayload {
    /// The id that is gone.
    deleted_id: Option<ID>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The widget as it is now, or why it was not changed.
#[derive(Default, SimpleObject)]
pub struct UpdateWidgetConfigPayload {
    /// All settings, changed or not.
    widget: Option<WidgetConfig>,
    /// The names of the fields that the input held, in the documented order.
    updated: Vec<String>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// A change of the way a site answers.
#[derive(InputObject)]
pub struct UpdateAnswerSettingsInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// The share of answers that should be right, 0 to 1.
    target_precision: f64,
}

/// How the site answers now, or why it was not changed.
#[derive(Default, SimpleObject)]
pub struct UpdateAnswerSettingsPayload {
    /// The settings as they are now.
    answer_settings: Option<AnswerSettings>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

#[Object]
impl SiteMutation {
    /// Makes a site; for the operator of the installation.
    async fn create_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to make.")] input: CreateSiteInput,
    ) -> Result<CreateSitePayload> {
        let access = Access::of(ctx);
        let new = NewSite {
            name: input.name,
            owner_email: input.owner_email,
            plan: input.plan.map(Into::into),
            credit_limit: input.credit_limit.map(i64::from),
        };
        Ok(match sites::create(&access.services, &access.viewer, new).await {
            Ok(row) => CreateSitePayload { site: Some(Site { row, access: access.clone() }), ..Default::default() },
            Err(error) => CreateSitePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Changes the name, owner, plan or credits of a site; for the operator of the installation.
    async fn update_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateSiteInput,
    ) -> Result<UpdateSitePayload> {
        let access = Access::of(ctx);
        let patch = SitePatch {
            name: input.name,
            owner_email: input.owner_email,
            plan: input.plan.map(Into::into),
            credit_limit: input.credit_limit.map(i64::from),
        };
        Ok(match sites::update(&access.services, &access.viewer, ids::read(&input.id), patch).await {
            Ok(row) => UpdateSitePayload { site: Some(Site { row, access: access.clone() }), ..Default::default() },
            Err(error) => UpdateSitePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Deletes a site with everything that belongs to it; for the operator of the installation.
    async fn delete_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteSiteInput,
    ) -> Result<DeleteSitePayload> {
        let access = Access::of(ctx);
        Ok(match sites::delete(&access.services, &access.viewer, ids::read(&input.id)).await {
            Ok(()) => DeleteSitePayload { deleted_id: Some(input.id), ..Default::default() },
            Err(error) => DeleteSitePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Changes the looks and words of the widget, all or nothing.
    async fn update_widget_config(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateWidgetConfigInput,
    ) -> Result<UpdateWidgetConfigPayload> {
        let access = Access::of(ctx);
        let site = ids::site(input.site_id.as_ref());
        Ok(match sites::update_widget(&access.services, &access.viewer, site, input.patch()).await {
            Ok((site, updated)) => UpdateWidgetConfigPayload {
                widget: Some(site.widget.shown_on(site.plan).into()),
                updated: updated.into_iter().map(str::to_owned).collect(),
                ..Default::default()
            },
            Err(error) => UpdateWidgetConfigPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Changes the way the site answers.
    async fn update_answer_settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateAnswerSettingsInput,
    ) -> Result<UpdateAnswerSettingsPayload> {
        let access = Access::of(ctx);
        let (site, precision) = (ids::site(input.site_id.as_ref()), input.target_precision);
        let changed = sites::update_answer_settings(&access.services, &access.viewer, site, precision).await;
        let settings = changed.and_then(|site| sites::answer_settings(&access.viewer, &site));
        Ok(match settings {
            Ok(settings) => UpdateAnswerSettingsPayload {
                answer_settings: Some(AnswerSettings { target_precision: settings.target_precision }),
                ..Default::default()
            },
            Err(error) => UpdateAnswerSettingsPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }
}
