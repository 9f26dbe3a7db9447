//! Tests of identity secrets.

use helpbot_db::{Db, identity_secrets};
use helpbot_domain::contact::IdentitySecret;
use helpbot_domain::ids::{IdentitySecretId, SiteId};
use helpbot_domain::webhook::SealedSecret;

use crate::make;

on_both_backends!(secrets_are_listed_for_one_site_and_for_all,);

fn secret(site_id: SiteId) -> IdentitySecret {
    IdentitySecret {
        site_id,
        id: IdentitySecretId::from_uuid(make::uuid()),
        secret: SealedSecret { bytes: vec![1, 0, 255], last4: "abcd".into() },
        created_at: make::NOW,
    }
}

async fn secrets_are_listed_for_one_site_and_for_all(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let (first, second, third) = (secret(site), secret(site), secret(other));
    for new in [second.clone(), first.clone(), third.clone()] {
        commit!(db, |c| identity_secrets::insert(c, &new));
    }

    assert_eq!(read!(db, |c| identity_secrets::list(c, site)), [first.clone(), second.clone()]);
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let next = read!(db, |c| identity_secrets::after(c, after, 2));
        let Some(last) = next.last() else { break };
        after = Some((last.site_id, last.id));
        all.extend(next);
    }
    assert_eq!(all, [first.clone(), second.clone(), third.clone()]);

    let (id, sealed) = (first.id, SealedSecret { bytes: vec![7], last4: "abcd".into() });
    for of in [site, other] {
        let new = sealed.clone();
        commit!(db, |c| identity_secrets::reseal(c, of, id, &new));
    }
    assert_eq!(read!(db, |c| identity_secrets::list(c, site))[0].secret, sealed);
    assert!(!commit!(db, |c| identity_secrets::delete(c, other, id)));
    assert!(commit!(db, |c| identity_secrets::delete(c, site, id)));
    assert_eq!(read!(db, |c| identity_secrets::list(c, site)), [second]);
    assert_eq!(read!(db, |c| identity_secrets::list(c, other)), [third]);
}
