//! Contacts: the people whom the site's own server names, and the secrets that sign the identity tokens.

pub mod mutation;

use async_graphql::{Description, ID, Object};
use helpbot_api_macros::{OutputObject, paged};
use helpbot_domain as domain;
use helpbot_domain::visit::{SessionOrder, SessionQuery};
use helpbot_services as services;
use helpbot_services::accounts::{identity_secrets, sites};
use helpbot_services::conversations::contacts;

use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::ids::id;
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::DateTime;
use crate::schema::sessions::{self, SessionConnection};

/// A visitor whom the site's own server named in an identity token.
#[derive(Clone, Description)]
pub struct Contact {
    pub(crate) row: domain::contact::Contact,
    pub(crate) access: Access,
}

connection! {
    /// A list of contacts, which is sorted by the time of the first identity token, newest first.
    ContactConnection,
    /// An edge that connects the list to a contact.
    ContactEdge, Contact
}

/// One of the values that identity tokens contain about a person.
#[derive(OutputObject)]
pub struct ContactAttribute {
    /// Name that identifies the value.
    name: String,
    /// Value as text. Numbers are written in JSON, and truth values are `true` and `false`.
    value: String,
}

#[paged]
#[Object(use_type_description)]
impl Contact {
    /// Global ID of the contact, which `node` accepts.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// ID that the site's own server gives the person (the claim `sub`). It is unique within the site.
    async fn external_id(&self) -> &str {
        &self.row.external_id
    }

    /// Name of the person. It is null when no identity token contained it.
    async fn name(&self) -> Option<&str> {
        self.row.name.as_deref()
    }

    /// E-mail address of the person, as the site's own server knows it. It is null when no identity token contained it.
    async fn email(&self) -> Option<&str> {
        self.row.email.as_deref()
    }

    /// Other values that identity tokens contained, sorted by name. A contact has at most 20.
    async fn attributes(&self) -> Vec<ContactAttribute> {
        let attribute =
            |(name, value): (&String, &String)| ContactAttribute { name: name.clone(), value: value.clone() };
        self.row.attributes.iter().map(attribute).collect()
    }

    /// Time at which the person was first identified.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// Time at which an identity token last changed a value.
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }

    /// Sessions of the person in all browsers. The one in which the person was last there is first.
    async fn sessions(&self, args: PageArgs) -> Nullable<SessionConnection> {
        nullable(async {
            let Access { services, viewer, .. } = &self.access;
            let site = sites::get(services, viewer, Some(self.row.site_id)).await?;
            let query = SessionQuery { contact: Some(self.row.id), ..SessionQuery::default() };
            Ok(sessions::page_of(&self.access, &site, query, SessionOrder::default(), &args).await?)
        })
        .await
    }
}

/// A page of the contacts of a site.
pub(crate) async fn list(
    access: &Access,
    site: &domain::site::Site,
    search: Option<String>,
    args: &PageArgs,
) -> services::Result<ContactConnection> {
    let (counted, of, words) = (access.clone(), site.clone(), search.clone());
    let count = async move { contacts::total(&counted.services, &counted.viewer, &of, words.as_deref()).await };
    let rows = |part| contacts::list(&access.services, &access.viewer, site, search.as_deref(), part);
    let (page, total) = page::read(args, rows, count).await?;
    let page = page.map(|row| Contact { row, access: access.clone() });
    Ok(ContactConnection::with_positions(page, total, Box::new(|_, contact: &Contact| contact.row.id.to_string())))
}

/// A secret with which the site's own server signs identity tokens. A site has at most two, so that one can be replaced.
#[derive(OutputObject)]
pub struct IdentitySecret {
    /// ID of the secret. An identity token can name it in the header `kid`.
    id: ID,
    /// Last four characters, by which a person recognizes the secret. The rest is not shown again.
    last4: String,
    /// Time at which the secret was created.
    created_at: DateTime,
}

impl From<domain::contact::IdentitySecret> for IdentitySecret {
    fn from(row: domain::contact::IdentitySecret) -> Self {
        Self { id: id(row.id), last4: row.secret.last4, created_at: row.created_at.into() }
    }
}

/// The secrets of a site, oldest first.
pub(crate) async fn secrets(access: &Access, site: &domain::site::Site) -> async_graphql::Result<Vec<IdentitySecret>> {
    let found = identity_secrets::list(&access.services, &access.viewer, Some(site.id)).await?;
    Ok(found.into_iter().map(Into::into).collect())
}
