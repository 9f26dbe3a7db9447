//! Members: the people who reply to the visitors of a site, and the mutations that manage them.

use async_graphql::{ComplexObject, Context, ID, Object, Result};
use helpbot_api_macros::OutputObject;
use helpbot_domain as domain;
use helpbot_services::accounts::members::{self, MemberPatch};
use helpbot_services::accounts::sign_ins;

use crate::schema::access::Access;
use crate::schema::enums::MemberRole;
use crate::schema::ids;
use crate::schema::mutation::{finish, input, payload};
use crate::schema::page::{self, KeyOrder, PageArgs, connection};
use crate::schema::scalars::DateTime;

/// A person who replies to the visitors of a site, with an API key of their own or by signing in with a mailed link.
#[derive(Clone, OutputObject)]
#[graphql(complex)]
pub struct Member {
    /// Name of the member, which visitors see beside the member's messages.
    name: String,
    /// E-mail address of the member. It is unique within the site.
    email: String,
    /// Role of the member, which decides what the member's keys may do.
    role: MemberRole,
    /// Time at which the member was added or first invited.
    created_at: DateTime,
    /// Time at which the invitation of the member expires. It is null when the member has accepted the invitation, or
    /// was added with an API key.
    invitation_expires_at: Option<DateTime>,
    #[graphql(skip)]
    id: ID,
}

connection! {
    /// A list of members, which is sorted by the time at which they were added, oldest first.
    MemberConnection,
    /// An edge that connects the list to a member.
    MemberEdge, Member
}

#[ComplexObject]
impl Member {
    /// Global ID of the member, which `node` accepts.
    pub async fn id(&self) -> ID {
        self.id.clone()
    }
}

impl From<domain::member::Member> for Member {
    fn from(row: domain::member::Member) -> Self {
        Self {
            name: row.name,
            email: row.email,
            role: row.role.into(),
            created_at: row.created_at.into(),
            invitation_expires_at: row.invitation_expires_at.map(DateTime),
            id: ids::id(row.id),
        }
    }
}

/// A page of the members of a site.
pub(crate) async fn list(access: &Access, site: &domain::site::Site, args: &PageArgs) -> Result<MemberConnection> {
    let found = members::list(&access.services, &access.viewer, Some(site.id)).await?;
    let (page, total) = page::of_all(args, found, KeyOrder::Ascending, |member| member.id)?;
    let position = |_, member: &Member| member.id.to_string();
    Ok(MemberConnection::with_positions(page.map(Member::from), total, Box::new(position)))
}

/// The mutations that manage members.
#[derive(Default)]
pub struct MemberMutation;

input! {
    /// Arguments that `addMember` accepts.
    AddMemberInput {
        /// Name that visitors see, which must have 1 to 80 characters.
        name: String,
        /// E-mail address of the member. It must be unique within the site.
        email: String,
        /// Role of the member, which decides what the member's keys may do.
        role: MemberRole,
    }
}

payload! {
    /// Result that `addMember` returns.
    AddMemberPayload {
        /// The member that was added. It is null when the mutation failed.
        member: Option<Member>,
        /// API key of the member (`pat_…`). It is returned only once, because the server stores only
        /// its hash. It is null when the mutation failed.
        secret: Option<String>,
    }
}

input! {
    /// Arguments that `inviteMember` accepts.
    InviteMemberInput {
        /// Name that visitors see, which must have 1 to 80 characters.
        name: String,
        /// E-mail address that receives the invitation. It must be unique within the site.
        email: String,
        /// Role of the member, which decides what the member's keys may do.
        role: MemberRole,
    }
}

payload! {
    /// Result that `inviteMember` returns.
    InviteMemberPayload {
        /// The member that was invited. It is null when the mutation failed.
        member: Option<Member>,
    }
}

input! {
    /// Arguments that `resendInvitation` accepts.
    ResendInvitationInput {
        /// ID of the member who has not accepted the invitation.
        id: ID,
    }
}

payload! {
    /// Result that `resendInvitation` returns.
    ResendInvitationPayload {
        /// The member, with the new time at which the invitation expires. It is null when the mutation failed.
        member: Option<Member>,
    }
}

input! {
    /// Arguments that `signOut` accepts.
    SignOutInput {}
}

payload! {
    /// Result that `signOut` returns.
    SignOutPayload {
        /// Whether the sign-in was ended. It is false when the mutation failed.
        is_signed_out: bool,
    }
}

input! {
    /// Arguments that `updateMember` accepts. Fields that are absent stay unchanged.
    UpdateMemberInput {
        /// ID of the member who is changed.
        id: ID,
        /// New name that visitors see, which must have 1 to 80 characters. It stays unchanged when it is absent
        /// or null.
        name: Option<String>,
        /// New e-mail address, which must be unique within the site. It stays unchanged when it is absent or null.
        email: Option<String>,
        /// New role, which decides what the member's keys may do. It stays unchanged when it is absent or null.
        role: Option<MemberRole>,
    }
}

payload! {
    /// Result that `updateMember` returns.
    UpdateMemberPayload {
        /// The member after the change. It is null when the mutation failed.
        member: Option<Member>,
    }
}

input! {
    /// Arguments that `removeMember` accepts.
    RemoveMemberInput {
        /// ID of the member who is removed.
        id: ID,
    }
}

payload! {
    /// Result that `removeMember` returns.
    RemoveMemberPayload {
        /// ID of the member who was removed. It is null when the mutation failed.
        removed_id: Option<ID>,
    }
}

#[Object]
impl MemberMutation {
    /// Adds a member to a site and returns the member's API key, which cannot be read again later.
    /// Requires the `ADMIN` scope.
    ///
    /// While the site has an owner, only an owner or an operator key may add another owner.
    ///
    /// Fails with `BAD_USER_INPUT` when the name or the address is invalid or the address is already
    /// in use, and with `LIMIT_REACHED` when the site has 200 members.
    async fn add_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: AddMemberInput,
    ) -> Result<AddMemberPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let added = members::add(services, viewer, input.site(), &input.name, &input.email, input.role.into()).await;
        finish(added, |(member, secret)| AddMemberPayload {
            member: Some(member.into()),
            secret: Some(secret),
            ..Default::default()
        })
    }

    /// Invites a person to the team of a site by mail. The link in the mail works once, within 7 days, and signs the
    /// person in. `removeMember` takes the invitation back. Requires the `ADMIN` scope.
    ///
    /// Fails with `BAD_USER_INPUT` when the name or the address is invalid or the address is already in use, with
    /// `CONFLICT` when the installation sends no mail, and with `LIMIT_REACHED` when the site has 200 members or has
    /// mailed too many links within 24 hours.
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: InviteMemberInput,
    ) -> Result<InviteMemberPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let (site, role) = (input.site(), input.role.into());
        let invited = members::invite(services, viewer, site, &input.name, &input.email, role).await;
        finish(invited, |row| InviteMemberPayload { member: Some(row.into()), ..Default::default() })
    }

    /// Mails a new invitation to a member who has not joined yet. It is valid for 7 days, and the link of the earlier
    /// mail ends. Requires the `ADMIN` scope.
    ///
    /// Fails with `NOT_FOUND` when the member does not exist, with `CONFLICT` when the member has joined or the
    /// installation sends no mail, and with `LIMIT_REACHED` when five invitations were mailed to the address within 24
    /// hours.
    async fn resend_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: ResendInvitationInput,
    ) -> Result<ResendInvitationPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let invited = members::invite_again(services, viewer, input.site(), ids::read(&input.id)).await;
        finish(invited, |row| ResendInvitationPayload { member: Some(row.into()), ..Default::default() })
    }

    /// Ends the sign-in whose key the request uses. The key fails from now on.
    ///
    /// Fails with `CONFLICT` when the key is not that of a sign-in by mail.
    async fn sign_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: SignOutInput,
    ) -> Result<SignOutPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        finish(sign_ins::end(services, viewer, input.site()).await, |()| SignOutPayload {
            is_signed_out: true,
            ..Default::default()
        })
    }

    /// Changes a member. A new role applies to the member's keys at once, and their open connections end. A new address
    /// ends the links that were mailed to the earlier one. Requires the `ADMIN` scope. While the site has an owner, only
    /// an owner or an operator key may change an owner.
    ///
    /// Fails with `NOT_FOUND` when the member does not exist, with `CONFLICT` when the last owner would get another role,
    /// and with `BAD_USER_INPUT` when the name or the address is invalid or the address is already in use.
    async fn update_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateMemberInput,
    ) -> Result<UpdateMemberPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.id));
        let patch = MemberPatch { name: input.name, email: input.email, role: input.role.map(Into::into) };
        let changed = members::update(services, viewer, site, id, patch).await;
        finish(changed, |row| UpdateMemberPayload { member: Some(row.into()), ..Default::default() })
    }

    /// Removes a member from a site, revokes the member's keys and takes back an invitation. Messages that the member
    /// wrote are kept. Requires the `ADMIN` scope. While the site has an owner, only an owner or an operator key may remove
    /// an owner.
    ///
    /// Fails with `NOT_FOUND` when the member does not exist, and with `CONFLICT` for the last owner.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: RemoveMemberInput,
    ) -> Result<RemoveMemberPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let removed = members::remove(services, viewer, input.site(), ids::read(&input.id)).await;
        finish(removed, |()| RemoveMemberPayload { removed_id: Some(input.id), ..Default::default() })
    }
}
