//! Tests of business hours.

use helpbot_db::{Db, business_hours};
use helpbot_domain::business_hours::BusinessHours;

use crate::make;

on_both_backends!(a_site_has_at_most_one_set_of_business_hours,);

async fn a_site_has_at_most_one_set_of_business_hours(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let hours = |zone: &str| BusinessHours { time_zone: zone.into(), periods: Vec::new(), holidays: Vec::new() };

    for zone in ["UTC", "Europe/Berlin"] {
        let new = hours(zone);
        commit!(db, |c| business_hours::put(c, site, &new, make::NOW));
    }

    assert_eq!(read!(db, |c| business_hours::of(c, site)), Some(hours("Europe/Berlin")));
    assert_eq!(read!(db, |c| business_hours::of(c, other)), None);
    assert!(commit!(db, |c| business_hours::delete(c, site)));
    assert!(!commit!(db, |c| business_hours::delete(c, site)));
    assert_eq!(read!(db, |c| business_hours::of(c, site)), None);
}
