//! Members: the people who answer the visitors of a site.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, Result, SimpleObject};
use helpbot_services as services;
use helpbot_services::accounts::members;

use crate::error::{UserError, expected};
use crate::schema::access::Access;
use crate::schema::enums::MemberRole;
use crate::schema::ids;
use crate::schema::scalars::DateTime;

/// A person who answers the visitors of a site.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Member {
    /// The name that visitors see.
    name: String,
    /// Where it is written to.
    email: String,
    /// What it may do.
    role: MemberRole,
    /// When it joined.
    created_at: DateTime,
    #[graphql(skip)]
    id: ID,
}

#[ComplexObject]
impl Member {
    /// Its id.
    pub async fn id(&self) -> ID {
        self.id.clone()
    }
}

impl From<services::Member> for Member {
    fn from(row: services::Member) -> Self {
        Self {
            name: row.name,
            email: row.email,
            role: row.role.into(),
            created_at: row.created_at.into(),
            id: ids::id(row.id),
        }
    }
}

/// Managing the team.
#[derive(Default)]
pub struct MemberMutation;

/// A new member.
#[derive(InputObject)]
pub struct AddMemberInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// The name that visitors see, 1 to 80 characters.
    name: String,
    /// Where it is written to; no two members of a site share one.
    email: String,
    /// What it may do.
    role: MemberRole,
}

/// The new member, or why there is none.
#[derive(Default, SimpleObject)]
pub struct AddMemberPayload {
    /// The member.
    member: Option<Member>,
    /// The key of the member. It is shown this once and stored nowhere.
    secret: Option<String>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The member to take out of the team.
#[derive(InputObject)]
pub struct RemoveMemberInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
}

/// The id of the removed member, or why it was not removed.
#[derive(Default, SimpleObject)]
pub struct RemoveMemberPayload {
    /// The id that is gone.
    removed_id: Option<ID>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

#[Object]
impl MemberMutation {
    /// Adds a member to the team; the key of the member is shown this once.
    async fn add_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to add.")] input: AddMemberInput,
    ) -> Result<AddMemberPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let (site, role) = (ids::site(input.site_id.as_ref()), input.role.into());
        Ok(match members::add(services, viewer, site, &input.name, &input.email, role).await {
            Ok((member, secret)) => {
                AddMemberPayload { member: Some(member.into()), secret: Some(secret), ..Default::default() }
            }
            Err(error) => AddMemberPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Takes a member out of the team and revokes its keys; what it wrote stays.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RemoveMemberInput,
    ) -> Result<RemoveMemberPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        Ok(match members::remove(services, viewer, site, id).await {
            Ok(()) => RemoveMemberPayload { removed_id: Some(input.id), ..Default::default() },
            Err(error) => RemoveMemberPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }
}
