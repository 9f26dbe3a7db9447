//! Limits that were reached: recorded once for each site, limit and day.

use helpbot_db::{Db, limit_notices};
use helpbot_domain::limit::LimitKind;

use crate::make::{self, NOW, later};

on_both_backends!(a_limit_is_recorded_once_a_day,);

const DAY_S: u64 = 24 * 60 * 60;

async fn a_limit_is_recorded_once_a_day(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let kind = LimitKind::DailyCredits;

    assert!(commit!(db, |c| limit_notices::insert(c, site, kind, NOW)));
    assert!(!commit!(db, |c| limit_notices::insert(c, site, kind, NOW)));
    assert!(commit!(db, |c| limit_notices::insert(c, site, LimitKind::MonthlyCredits, NOW)));
    assert!(commit!(db, |c| limit_notices::insert(c, other, kind, NOW)));
    assert!(commit!(db, |c| limit_notices::insert(c, site, kind, later(DAY_S))));
    assert_eq!(commit!(db, |c| limit_notices::delete_before(c, later(1), 100)), 3);
    assert!(!commit!(db, |c| limit_notices::insert(c, site, kind, later(DAY_S))));
}
