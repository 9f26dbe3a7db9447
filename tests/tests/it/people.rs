//! Tests of people: members are invited and sign in by mail, roles decide what they may do, and the last owner stays.

use std::time::Duration;

use helpbot_tests::{Client, Reply, TestApp, TestSite, wait_for};
use reqwest::Method;
use serde_json::{Value, json};

use crate::mail_server::{Arrived, MailServer, on_both_with_mail};

on_both_with_mail!(
    a_member_signs_in_with_a_mailed_link_once,
    a_link_signs_in_only_the_browser_that_asked,
    the_answer_is_the_same_for_every_address,
    requests_for_links_are_limited_for_each_mailbox_and_address,
    an_invitation_is_accepted_sent_again_and_taken_back,
    an_expired_link_signs_in_nobody,
    a_sign_in_is_listed_revoked_and_ends,
    a_role_decides_what_a_member_may_do,
    only_owners_manage_owners_and_the_last_one_stays,
    invitations_are_limited_for_each_mailbox,
);

/// The secret of a browser.
const BROWSER: &str = "a-secret-of-one-browser-that-nobody-can-guess";
const INVITE: &str = "mutation ($name: String!, $email: String!, $role: MemberRole!) {
    m: inviteMember(input: { name: $name, email: $email, role: $role }) {
        member { id role invitationExpiresAt } userErrors { code field } } }";
const RESEND: &str = "mutation ($id: ID!) {
    m: resendInvitation(input: { id: $id }) { member { invitationExpiresAt } userErrors { code } } }";
const ADD: &str = "mutation ($name: String!, $email: String!, $role: MemberRole!) {
    m: addMember(input: { name: $name, email: $email, role: $role }) { member { id } secret userErrors { code } } }";
const UPDATE: &str = "mutation ($id: ID!, $role: MemberRole, $email: String) {
    m: updateMember(input: { id: $id, role: $role, email: $email }) { member { role email } userErrors { code } } }";
const REMOVE: &str = "mutation ($id: ID!) { m: removeMember(input: { id: $id }) { removedId userErrors { code } } }";
const SIGN_OUT: &str =
    "mutation ($site: ID) { m: signOut(input: { siteId: $site }) { isSignedOut userErrors { code } } }";
const VIEWER: &str = "{ viewer { kind role scopes member { name } site { id } } }";

async fn ask_for_link(app: &TestApp, email: &str, browser: &str) -> Reply {
    app.anonymous().post("/sign-in/link", &json!({ "email": email, "browser": browser })).await
}

async fn complete(app: &TestApp, token: &str, browser: Option<&str>) -> Reply {
    app.anonymous().post("/sign-in/complete", &json!({ "token": token, "browser": browser })).await
}

/// The token of the link in a mail.
fn token(mail: &Arrived) -> String {
    // Quoted-printable writes the equals sign as =3D.
    let text = mail.text.replace("=3D", "=");
    let after = text.split_once("#sign-in=").expect("a link").1;
    after.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
}

/// The code of an error of a route.
fn code(reply: &Reply) -> String {
    reply.json()["errors"][0]["extensions"]["code"].as_str().expect("a code").to_owned()
}

async fn member(site: &TestSite<'_>, name: &str, role: &str) -> (Value, String) {
    let email = format!("{}@example.com", name.to_lowercase());
    let input = json!({ "name": name, "email": email, "role": role });
    let mut added = site.owner().graphql(ADD, input).await.ok()["m"].take();
    assert_eq!(added["userErrors"], json!([]));
    (added["member"]["id"].take(), added["secret"].as_str().expect("a key").to_owned())
}

/// Signs a member in by mail, as the `count`th mail of the test.
async fn signed_in(app: &TestApp, mail: &MailServer, email: &str, count: usize) -> Client {
    assert_eq!(ask_for_link(app, email, BROWSER).await.status, 202);
    let arrived = mail.first(count).await;
    let key = complete(app, &token(&arrived[count - 1]), Some(BROWSER)).await.ok()["data"]["key"].clone();
    app.client(key.as_str().expect("a key"))
}

async fn a_member_signs_in_with_a_mailed_link_once(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    member(&site, "Ann", "AGENT").await;

    assert_eq!(ask_for_link(app, "ANN@Example.com", BROWSER).await.status, 202);
    let arrived = mail.first(1).await;
    let token = token(&arrived[0]);
    let done = complete(app, &token, Some(BROWSER)).await;

    assert_eq!(arrived[0].to, "ann@example.com");
    assert!(!arrived[0].text.contains(BROWSER));
    assert_eq!(done.header("cache-control"), Some("no-store"));
    assert_eq!(done.header("set-cookie"), None);
    let key = done.ok()["data"]["key"].as_str().expect("a key").to_owned();
    assert!(key.starts_with("sgn_"), "{key}");
    let viewer = app.client(&key).graphql(VIEWER, json!({})).await.ok();
    let viewer = &viewer["viewer"];
    assert_eq!((&viewer["kind"], &viewer["role"]), (&json!("SIGN_IN"), &json!("AGENT")));
    assert_eq!((&viewer["member"]["name"], &viewer["site"]["id"]), (&json!("Ann"), &json!(site.id)));
    let again = complete(app, &token, Some(BROWSER)).await;
    assert_eq!((again.status.as_u16(), code(&again).as_str()), (401, "UNAUTHENTICATED"));
}

async fn a_link_signs_in_only_the_browser_that_asked(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    member(&site, "Ann", "AGENT").await;
    ask_for_link(app, "ann@example.com", BROWSER).await;
    let token = token(&mail.first(1).await[0]);
    let other = "a-secret-of-another-browser-of-somebody-else";

    for stranger in [None, Some(other)] {
        let refused = complete(app, &token, stranger).await;
        assert_eq!((refused.status.as_u16(), code(&refused).as_str()), (403, "FORBIDDEN"));
    }
    let mut forged = token.clone();
    forged.replace_range(..1, if token.starts_with('A') { "B" } else { "A" });
    assert_eq!(complete(app, &forged, Some(BROWSER)).await.status, 401);
    assert_eq!(complete(app, "", Some(BROWSER)).await.status, 401);
    assert_eq!(complete(app, &token, Some("short")).await.status, 400);
    // None of these attempts has used the link up.
    assert_eq!(complete(app, &token, Some(BROWSER)).await.status, 200);
}

async fn the_answer_is_the_same_for_every_address(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    member(&site, "Ann", "AGENT").await;

    let nobody = ask_for_link(app, "nobody@example.com", BROWSER).await;
    let ann = ask_for_link(app, "ann@example.com", BROWSER).await;

    assert_eq!((nobody.status, nobody.text()), (ann.status, ann.text()));
    for wrong in
        [json!({}), json!({ "email": "ann@example.com" }), json!([]), json!({ "email": 1, "browser": BROWSER })]
    {
        assert_eq!(app.anonymous().post("/sign-in/link", &wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(ask_for_link(app, "nobody", BROWSER).await.status, 400);
    // The mail for the address that a member has arrives, and no other.
    assert_eq!(mail.first(1).await.len(), 1);
    for path in ["/sign-in/link", "/sign-in/complete"] {
        let form = app.anonymous().request(Method::POST, path).header("content-type", "text/plain").body("{}");
        assert_eq!(app.anonymous().send(form).await.status, 415, "{path}");
        let large = json!({ "email": "a".repeat(5_000), "browser": BROWSER, "token": "" });
        assert_eq!(app.anonymous().post(path, &large).await.status, 413, "{path}");
    }
}

async fn requests_for_links_are_limited_for_each_mailbox_and_address(app: &TestApp, _: &MailServer) {
    for spelling in ["bob@example.com", "BOB@example.com", "b.ob@example.com", "bob+1@example.com", "bob+2@example.com"]
    {
        assert_eq!(ask_for_link(app, spelling, BROWSER).await.status, 202, "{spelling}");
    }
    let refused = ask_for_link(app, "bob+3@example.com", BROWSER).await;
    assert_eq!((refused.status.as_u16(), code(&refused).as_str()), (429, "LIMIT_REACHED"));

    for number in 0..25 {
        assert_eq!(ask_for_link(app, &format!("person{number}@example.com"), BROWSER).await.status, 202);
    }
    assert_eq!(ask_for_link(app, "eve@example.com", BROWSER).await.status, 429, "30 of one client address");
    app.pass(Duration::from_secs(3_601));
    assert_eq!(ask_for_link(app, "bob@example.com", BROWSER).await.status, 202);
}

async fn an_invitation_is_accepted_sent_again_and_taken_back(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let owner = site.owner();
    let invite = async |name: &str, email: &str| {
        let input = json!({ "name": name, "email": email, "role": "AGENT" });
        owner.graphql(INVITE, input).await.ok()["m"].take()
    };

    let mut invited = invite("Ann", "ann@example.com").await;
    assert_ne!(invited["member"]["invitationExpiresAt"], Value::Null);
    let id = invited["member"]["id"].take();
    let first = token(&mail.first(1).await[0]);
    app.pass(Duration::from_secs(60));
    let again = owner.graphql(RESEND, json!({ "id": id })).await.ok();
    assert_ne!(again["m"]["member"]["invitationExpiresAt"], invited["member"]["invitationExpiresAt"]);
    let second = token(&mail.first(2).await[1]);

    assert_eq!(complete(app, &first, None).await.status, 401, "the link of the earlier mail has ended");
    let key = complete(app, &second, None).await.ok()["data"]["key"].clone();
    let viewer = app.client(key.as_str().expect("a key")).graphql(VIEWER, json!({})).await.ok();
    assert_eq!(viewer["viewer"]["member"]["name"], "Ann");
    assert_eq!(complete(app, &second, None).await.status, 401, "an invitation works once");
    let members = owner.graphql("{ site { members { nodes { invitationExpiresAt } } } }", json!({})).await.ok();
    assert_eq!(members["site"]["members"]["nodes"], json!([{ "invitationExpiresAt": null }]));
    let joined = owner.graphql(RESEND, json!({ "id": id })).await.ok();
    assert_eq!(joined["m"]["userErrors"], json!([{ "code": "CONFLICT" }]));
    let taken = invite("Again", "ann@example.com").await;
    assert_eq!(taken["userErrors"], json!([{ "code": "BAD_USER_INPUT", "field": ["input", "email"] }]));

    let mut other = invite("Bob", "bob@example.com").await;
    let link = token(&mail.first(3).await[2]);
    owner.graphql(REMOVE, json!({ "id": other["member"]["id"].take() })).await.ok();
    assert_eq!(complete(app, &link, None).await.status, 401, "the invitation was taken back");
}

async fn an_expired_link_signs_in_nobody(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    member(&site, "Ann", "AGENT").await;
    let bob = json!({ "name": "Bob", "email": "bob@example.com", "role": "AGENT" });
    let mut bob = site.owner().graphql(INVITE, bob).await.ok()["m"]["member"].take();
    let invitation = token(&mail.first(1).await[0]);
    ask_for_link(app, "ann@example.com", BROWSER).await;
    let link = token(&mail.first(2).await[1]);

    app.pass(Duration::from_secs(15 * 60));
    assert_eq!(complete(app, &link, Some(BROWSER)).await.status, 401);
    app.pass(Duration::from_secs(7 * 86_400));
    assert_eq!(complete(app, &invitation, None).await.status, 401);

    // An expired invitation is also no reason to mail a link, until it is sent again.
    ask_for_link(app, "bob@example.com", BROWSER).await;
    site.owner().graphql(RESEND, json!({ "id": bob["id"].take() })).await.ok();
    let again = mail.first(3).await;
    assert!(again[2].header("Subject").starts_with("Invitation"), "{}", again[2].text);
    assert_eq!(complete(app, &token(&again[2]), None).await.status, 200);
}

async fn a_sign_in_is_listed_revoked_and_ends(app: &TestApp, mail: &MailServer) {
    const KEYS: &str = "{ site { apiKeys { nodes { id kind last4 expiresAt revokedAt scopes member { name } } } } }";
    let site = app.site().create().await;
    member(&site, "Ann", "ADMIN").await;
    let first = signed_in(app, mail, "ann@example.com", 1).await;

    let keys = first.graphql(KEYS, json!({})).await.ok();
    let mut nodes = keys["site"]["apiKeys"]["nodes"].as_array().expect("keys").clone();
    nodes.retain(|key| key["kind"] == "SIGN_IN");
    assert_eq!(nodes.len(), 1, "{keys}");
    assert_eq!((&nodes[0]["member"]["name"], &nodes[0]["revokedAt"]), (&json!("Ann"), &Value::Null));
    assert_ne!(nodes[0]["expiresAt"], Value::Null);
    let change = "mutation ($id: ID!) { m: updateApiKey(input: { id: $id, expiresAt: null }) { userErrors { code } } }";
    let kept = site.owner().graphql(change, json!({ "id": nodes[0]["id"] })).await.ok();
    assert_eq!(kept["m"]["userErrors"], json!([{ "code": "CONFLICT" }]), "a sign-in cannot be prolonged");
    let revoke = "mutation ($id: ID!) { m: revokeApiKey(input: { id: $id }) { userErrors { code } } }";
    site.owner().graphql(revoke, json!({ "id": nodes[0]["id"] })).await.ok();
    assert_eq!(first.graphql(VIEWER, json!({})).await.codes(), ["UNAUTHENTICATED"]);

    let second = signed_in(app, mail, "ann@example.com", 2).await;
    let other = app.site().create().await;
    let elsewhere = second.graphql(SIGN_OUT, json!({ "site": other.id })).await.ok();
    assert_eq!(elsewhere["m"]["userErrors"], json!([{ "code": "NOT_FOUND" }]));
    assert_eq!(second.graphql(SIGN_OUT, json!({})).await.ok()["m"]["isSignedOut"], true);
    assert_eq!(second.graphql(VIEWER, json!({})).await.codes(), ["UNAUTHENTICATED"]);

    let third = signed_in(app, mail, "ann@example.com", 3).await;
    app.pass(Duration::from_secs(7 * 86_400));
    assert_eq!(third.graphql(VIEWER, json!({})).await.codes(), ["UNAUTHENTICATED"]);
}

async fn a_role_decides_what_a_member_may_do(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let (id, key) = member(&site, "Ann", "READER").await;
    let signed_in = signed_in(app, mail, "ann@example.com", 1).await;

    for reader in [app.client(&key), signed_in.clone()] {
        let viewer = reader.graphql(VIEWER, json!({})).await.ok();
        assert_eq!(viewer["viewer"]["role"], "READER");
        let scopes = json!(["READ_CONFIG", "READ_CONVERSATIONS", "READ_ANALYTICS", "READ_SOURCES"]);
        assert_eq!(viewer["viewer"]["scopes"], scopes);
        for refused in [
            "mutation { askQuestion(input: { question: \"Hi?\" }) { userErrors { code } } }",
            "mutation { addFaqEntry(input: { question: \"Q\", answer: \"A\" }) { userErrors { code } } }",
            "mutation { updateWidgetConfig(input: { botName: \"Bo\" }) { userErrors { code } } }",
            "{ site { auditLog { nodes { action } } } }",
        ] {
            assert_eq!(reader.graphql(refused, json!({})).await.codes(), ["FORBIDDEN"], "{refused}");
        }
    }

    site.owner().graphql(UPDATE, json!({ "id": id, "role": "AGENT" })).await.ok();
    for agent in [app.client(&key), signed_in] {
        let viewer = agent.graphql(VIEWER, json!({})).await.ok();
        assert_eq!(viewer["viewer"]["role"], "AGENT", "a new role applies at once");
        assert!(viewer["viewer"]["scopes"].as_array().expect("scopes").contains(&json!("WRITE_CONVERSATIONS")));
    }
}

async fn only_owners_manage_owners_and_the_last_one_stays(app: &TestApp, _: &MailServer) {
    let site = app.site().create().await;
    // While the site has no owner, anyone who administers it names the first one.
    let (ann, key) = member(&site, "Ann", "OWNER").await;
    let owner = app.client(&key);
    let (ben, key) = member(&site, "Ben", "ADMIN").await;
    let admin = app.client(&key);

    for caller in [&admin, &site.owner()] {
        let eve = json!({ "name": "Eve", "email": "eve@example.com", "role": "OWNER" });
        assert_eq!(caller.graphql(ADD, eve.clone()).await.codes(), ["FORBIDDEN"]);
        assert_eq!(caller.graphql(INVITE, eve).await.codes(), ["FORBIDDEN"]);
        assert_eq!(caller.graphql(REMOVE, json!({ "id": ann })).await.codes(), ["FORBIDDEN"]);
        for change in [
            json!({ "id": ben, "role": "OWNER" }),
            json!({ "id": ann, "role": "AGENT" }),
            // With another address, somebody else could sign in as the owner.
            json!({ "id": ann, "email": "ben@example.org" }),
        ] {
            assert_eq!(caller.graphql(UPDATE, change.clone()).await.codes(), ["FORBIDDEN"], "{change}");
        }
    }
    let conflict = json!([{ "code": "CONFLICT" }]);
    assert_eq!(owner.graphql(REMOVE, json!({ "id": ann })).await.ok()["m"]["userErrors"], conflict);
    let demoted = owner.graphql(UPDATE, json!({ "id": ann, "role": "ADMIN" })).await.ok();
    assert_eq!(demoted["m"]["userErrors"], conflict);

    // An owner who has not joined does not count.
    let eve = json!({ "name": "Eve", "email": "eve@example.com", "role": "OWNER" });
    assert_eq!(owner.graphql(INVITE, eve).await.ok()["m"]["userErrors"], json!([]));
    assert_eq!(owner.graphql(REMOVE, json!({ "id": ann })).await.ok()["m"]["userErrors"], conflict);
    owner.graphql(UPDATE, json!({ "id": ben, "role": "OWNER" })).await.ok();
    assert_eq!(owner.graphql(REMOVE, json!({ "id": ann })).await.ok()["m"]["removedId"], ann);
}

async fn invitations_are_limited_for_each_mailbox(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let limited = json!([{ "code": "LIMIT_REACHED", "field": null }]);
    for number in 0..5 {
        let input = json!({ "name": "Bob", "email": format!("bob+{number}@example.com"), "role": "AGENT" });
        let mut invited = site.owner().graphql(INVITE, input).await.ok();
        let id = invited["m"]["member"]["id"].take();
        assert_ne!(id, Value::Null, "{invited}");
        if number == 4 {
            let again = site.owner().graphql(RESEND, json!({ "id": id })).await.ok();
            assert_eq!(again["m"]["userErrors"][0]["code"], "LIMIT_REACHED");
        }
    }
    let input = json!({ "name": "Bob", "email": "b.o.b@example.com", "role": "AGENT" });
    assert_eq!(site.owner().graphql(INVITE, input).await.ok()["m"]["userErrors"], limited);
    mail.first(5).await;
    wait_for("no further mail", async || (mail.arrived().len() == 5).then_some(())).await;
}
