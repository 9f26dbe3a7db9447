//! A site: one web site with its account, plan and settings.

use std::sync::Arc;

use crate::Timestamp;
use crate::ids::SiteId;
use crate::plan::Plan;
use crate::retention::DataRetention;
use crate::widget::WidgetConfig;
use crate::widget_texts::WidgetTranslations;

/// ID of a site: a web site and its account.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// ID of the site.
    pub id: SiteId,
    /// Name that the owner chose.
    pub name: String,
    /// Address that receives handoffs and alerts.
    pub owner_email: String,
    /// Plan of the site.
    pub plan: Plan,
    /// Number of questions per month.
    pub credit_limit: i64,
    /// Number of questions per day (UTC) that the owner allows. `None` means no limit.
    pub daily_credit_limit: Option<i64>,
    /// Number of questions per day (UTC) and client address that the owner allows. `None` means no
    /// limit.
    pub address_credit_limit: Option<i64>,
    /// After how many days the data of the site is deleted.
    pub retention: DataRetention,
    /// Widget settings as the owner set them, even where the plan overrides them.
    pub widget: WidgetConfig,
    /// Texts of the widget in further languages. Shared, because a site is cloned for each question.
    pub widget_texts: Arc<WidgetTranslations>,
    /// Answer settings, as JSON that the engine parses.
    pub answer_settings: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}
