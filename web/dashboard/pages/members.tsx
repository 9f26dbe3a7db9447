// The members of the team. Each member answers visitors under their own name and has their own key, which is shown once.

import { useSignal } from "@preact/signals";
import { AddMember, type MemberRole, type MemberRow, MemberRoleValues, Members, RemoveMember } from "../../generated/dashboard";
import { change, site } from "../client";
import { labelOf } from "../labels";
import { Act, Badge, Confirm, Drawer, Empty, Fault, Field, Loading, Page, Pager, Secret, type Trail, When, useAction, useQuery } from "../ui";

export function MembersPage() {
  const trail = useSignal<Trail>([null]);
  const loaded = useQuery(Members, { site: site.value!.id, after: trail.value.at(-1) ?? null });
  const secret = useSignal<{ name: string; key: string } | null>(null);
  const isAdding = useSignal(false);
  return (
    <Page title="Members" about="Each member answers visitors under their own name and has their own key." tools={<button type="button" class="solid" aria-haspopup="dialog" onClick={() => void (isAdding.value = true)}><Act icon="plus">Add a member</Act></button>}>
      {secret.value && <Secret title={`Key of ${secret.value.name}`} value={secret.value.key} onDone={() => void (secret.value = null)} />}
      {isAdding.value && <Drawer title="Add a member" onClose={() => void (isAdding.value = false)}><Form onMade={(name, key) => { secret.value = { name, key }; isAdding.value = false; loaded.reload(); }} /></Drawer>}
      <Loading of={loaded}>{({ site: found }) => {
        if (!found?.members) return <Fault text="Your key does not have permission to see the members." />;
        const { nodes, pageInfo } = found.members;
        if (!nodes.length) return <Empty title="No members yet"><p>Add yourself as a member. Visitors then see your name when you answer, and conversations can be assigned to you.</p></Empty>;
        return <><ul class="cards">{nodes.map((member) => <Item key={member.id} member={member} onChange={loaded.reload} />)}</ul><Pager trail={trail} info={pageInfo} /></>;
      }}</Loading>
    </Page>
  );
}

function Item({ member, onChange }: { member: MemberRow; onChange(): void }) {
  const { error, act } = useAction();
  return (
    <li class="card row between">
      <span class="avatar" aria-hidden="true">{member.name.slice(0, 1).toUpperCase()}</span>
      <div class="grow"><h2 dir="auto">{member.name}</h2><p class="hint row"><Badge value={member.role} /><span class="break">{member.email}</span><span>added <When at={member.createdAt} /></span></p><Fault text={error} /></div>
      <Confirm label="Remove" about={member.name} question="Remove this member? Their key stops working at once." onYes={() => void act(async () => { await change(RemoveMember, { input: { id: member.id, siteId: site.value!.id } }); onChange(); })} />
    </li>
  );
}

function Form({ onMade }: { onMade(name: string, key: string): void }) {
  const name = useSignal("");
  const email = useSignal("");
  const role = useSignal<MemberRole>("AGENT");
  const { isBusy, error, act } = useAction();
  const save = (event: Event) => {
    event.preventDefault();
    void act(async () => {
      const { secret } = await change(AddMember, { input: { name: name.value.trim(), email: email.value.trim(), role: role.value, siteId: site.value!.id } });
      if (secret) onMade(name.value.trim(), secret);
    });
  };
  return (
    <form class="card" onSubmit={save}>
      <Field label="Name" hint="Visitors see this name.">{(f) => <input {...f} required maxLength={80} value={name.value} onInput={(e) => void (name.value = e.currentTarget.value)} />}</Field>
      <Field label="E-mail">{(f) => <input {...f} type="email" required value={email.value} onInput={(e) => void (email.value = e.currentTarget.value)} />}</Field>
      <Field label="Role" hint="Agents answer visitors. Admins can also change settings and keys.">{(f) => <select {...f} value={role.value} onChange={(e) => void (role.value = e.currentTarget.value as MemberRole)}>
        {MemberRoleValues.map((value) => <option key={value} value={value}>{labelOf(value)}</option>)}</select>}</Field>
      <Fault text={error} />
      <button type="submit" class="solid" disabled={isBusy}>Add</button>
    </form>
  );
}
