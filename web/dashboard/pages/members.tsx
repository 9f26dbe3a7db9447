// The members of the team. Members are invited by mail, or get a key that is shown once. Each answers visitors under their own name.

import { useSignal } from "@preact/signals";
import { AddMember, InviteMember, type MemberRole, type MemberRow, MemberRoleValues, Members, RemoveMember, ResendInvitation, UpdateMember } from "../../generated/dashboard";
import { change, may, site, viewer } from "../client";
import { labelOf } from "../labels";
import { Act, Badge, Confirm, Drawer, Empty, Fault, Field, Loading, Page, Pager, Secret, type Trail, When, useAction, useQuery } from "../ui";

const ABOUT_ROLES = "Readers only look. Agents answer visitors. Admins also change settings, keys and members. Owners also manage owners.";

/** Whether the user may name owners. A site without an owner has nobody to ask. */
const namesOwners = (members: MemberRow[]): boolean =>
  viewer.value?.kind === "OPERATOR" || viewer.value?.role === "OWNER" || !members.some((one) => one.role === "OWNER" && !one.invitationExpiresAt);

export function MembersPage() {
  const trail = useSignal<Trail>([null]);
  const loaded = useQuery(Members, { site: site.value!.id, after: trail.value.at(-1) ?? null });
  const secret = useSignal<{ name: string; key: string } | null>(null);
  const isAdding = useSignal(false);
  const roles = MemberRoleValues.filter((role) => role !== "OWNER" || namesOwners(loaded.data?.site?.members?.nodes ?? []));
  const made = (name: string, key: string | null) => {
    secret.value = key ? { name, key } : null;
    isAdding.value = false;
    loaded.reload();
  };
  return (
    <Page title="Members" about="Each member answers visitors under their own name." tools={may("ADMIN") && <button type="button" class="solid" aria-haspopup="dialog" onClick={() => void (isAdding.value = true)}><Act icon="plus">Add a member</Act></button>}>
      {secret.value && <Secret title={`Key of ${secret.value.name}`} value={secret.value.key} onDone={() => void (secret.value = null)} />}
      {isAdding.value && <Drawer title="Add a member" onClose={() => void (isAdding.value = false)}><Form roles={roles} onMade={made} /></Drawer>}
      <Loading of={loaded}>{({ site: found }) => {
        if (!found?.members) return <Fault text="Your key does not have permission to see the members." />;
        const { nodes, pageInfo } = found.members;
        if (!nodes.length) return <Empty title="No members yet"><p>Add yourself as a member. Visitors then see your name when you answer, and conversations can be assigned to you.</p></Empty>;
        return <><ul class="cards">{nodes.map((member) => <Item key={member.id} member={member} roles={roles} onChange={loaded.reload} />)}</ul><Pager trail={trail} info={pageInfo} /></>;
      }}</Loading>
    </Page>
  );
}

function Item({ member, roles, onChange }: { member: MemberRow; roles: MemberRole[]; onChange(): void }) {
  const { isBusy, error, act } = useAction();
  const until = member.invitationExpiresAt;
  const input = { id: member.id, siteId: site.value!.id };
  const does = (work: () => Promise<unknown>) => void act(async () => { await work(); onChange(); });
  const canChange = may("ADMIN") && roles.includes(member.role);
  return (
    <li class="card row between">
      <span class="avatar" aria-hidden="true">{member.name.slice(0, 1).toUpperCase()}</span>
      <div class="grow"><h2 dir="auto">{member.name}</h2>
        <p class="hint row">{!canChange && <Badge value={member.role} />}<span class="break">{member.email}</span>
          {until ? <span>{Date.parse(until) > Date.now() ? "invited, not joined yet" : "the invitation has expired"}</span> : <span>added <When at={member.createdAt} /></span>}</p>
        <Fault text={error} /></div>
      {canChange && <select aria-label={`Role of ${member.name}`} value={member.role} disabled={isBusy} onChange={(e) => does(() => change(UpdateMember, { input: { ...input, role: e.currentTarget.value as MemberRole } }))}>
        {roles.map((role) => <option key={role} value={role}>{labelOf(role)}</option>)}</select>}
      {canChange && until && <button type="button" disabled={isBusy} aria-label={`Send again: the invitation of ${member.name}`} onClick={() => does(() => change(ResendInvitation, { input }))}><Act icon="mail">Send again</Act></button>}
      {canChange && <Confirm label={until ? "Take back" : "Remove"} about={member.name} question={until ? "Take this invitation back? Its link stops working at once." : "Remove this member? Their keys and sign-ins stop working at once."} onYes={() => does(() => change(RemoveMember, { input }))} />}
    </li>
  );
}

function Form({ roles, onMade }: { roles: MemberRole[]; onMade(name: string, key: string | null): void }) {
  const name = useSignal("");
  const email = useSignal("");
  const role = useSignal<MemberRole>("AGENT");
  const isInvited = useSignal(true);
  const { isBusy, error, act } = useAction();
  const save = (event: Event) => {
    event.preventDefault();
    const input = { name: name.value.trim(), email: email.value.trim(), role: role.value, siteId: site.value!.id };
    void act(async () => {
      if (isInvited.value) await change(InviteMember, { input });
      onMade(input.name, isInvited.value ? null : (await change(AddMember, { input })).secret);
    });
  };
  return (
    <form class="card" onSubmit={save}>
      <Field label="Name" hint="Visitors see this name.">{(f) => <input {...f} required maxLength={80} value={name.value} onInput={(e) => void (name.value = e.currentTarget.value)} />}</Field>
      <Field label="E-mail">{(f) => <input {...f} type="email" required value={email.value} onInput={(e) => void (email.value = e.currentTarget.value)} />}</Field>
      <Field label="Role" hint={ABOUT_ROLES}>{(f) => <select {...f} value={role.value} onChange={(e) => void (role.value = e.currentTarget.value as MemberRole)}>
        {roles.map((value) => <option key={value} value={value}>{labelOf(value)}</option>)}</select>}</Field>
      <Field label="Sign-in">{(f) => <select {...f} value={isInvited.value ? "mail" : "key"} onChange={(e) => void (isInvited.value = e.currentTarget.value === "mail")}>
        <option value="mail">By mail: send an invitation</option><option value="key">With a key, which is shown once</option></select>}</Field>
      <Fault text={error} />
      <button type="submit" class="solid" disabled={isBusy}>{isInvited.value ? "Send the invitation" : "Add"}</button>
    </form>
  );
}
