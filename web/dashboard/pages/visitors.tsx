// Protection of the site and of its visitors: limits of the credits of a day, blocked visitors, and how long data is kept.
// Visitors are blocked from their conversation in the inbox.

import { useSignal } from "@preact/signals";
import { type Blocked, type Caps, Guards, Unblock, UpdateCaps } from "../../generated/dashboard";
import { change, may, site } from "../client";
import { pathOf } from "../route";
import { isRemoved, remove } from "../toasts";
import { ErasureForm, RetentionForm } from "./retention";
import { Badge, Empty, Fault, Field, Loading, Page, Pager, type Trail, When, numberOf, useAction, useQuery } from "../ui";

export function VisitorsPage() {
  const trail = useSignal<Trail>([null]);
  const loaded = useQuery(Guards, { site: site.value!.id, isAdmin: may("ADMIN"), after: trail.value.at(-1) ?? null });
  return (
    <Page title="Protection" about="Limits for the questions of a day, visitors who may not write, and how long data is kept.">
      <Loading of={loaded}>{({ site: found }) => {
        if (!found?.blockedVisitors) return <Fault text="Your key does not have permission to see blocked visitors." />;
        const { nodes, pageInfo } = found.blockedVisitors;
        return (
          <>
            {found.creditCaps && <CapsForm caps={found.creditCaps} onSaved={loaded.reload} />}
            <h2>Blocked visitors</h2>
            {nodes.length === 0
              ? <Empty title="Nobody is blocked"><p>Open a conversation in the inbox to block its visitor. Blocked visitors can neither ask nor write.</p></Empty>
              : <><ul class="cards">{nodes.filter(({ id }) => !isRemoved(id)).map((blocked) => <Item key={blocked.id} blocked={blocked} onChange={loaded.reload} />)}</ul><Pager trail={trail} info={pageInfo} /></>}
            {found.dataRetention && <><h2>Personal data</h2><RetentionForm retention={found.dataRetention} onSaved={loaded.reload} /><ErasureForm /></>}
          </>
        );
      }}</Loading>
    </Page>
  );
}

function Item({ blocked, onChange }: { blocked: Blocked; onChange(): void }) {
  const { conversation } = blocked;
  const about = conversation?.question ?? "a visitor whose conversation was erased";
  return (
    <li class="card row between">
      <div class="grow">
        <h3 dir="auto">{conversation ? <a href={pathOf("inbox", { open: conversation.id })}>{about}</a> : about}</h3>
        <p class="hint row"><Badge value={blocked.by} /><span>blocked <When at={blocked.createdAt} /></span>{blocked.note && <span dir="auto">{blocked.note}</span>}</p>
      </div>
      {may("WRITE_CONVERSATIONS") && <button type="button" aria-label={`Unblock ${about}`}
        onClick={() => remove(blocked.id, "The visitor can write again.", async () => { await change(Unblock, { input: { id: blocked.id, siteId: site.value!.id } }); onChange(); })}>Unblock</button>}
    </li>
  );
}

function CapsForm({ caps, onSaved }: { caps: Caps; onSaved(): void }) {
  const perDay = useSignal(String(caps.perDay ?? ""));
  const perAddress = useSignal(String(caps.perAddressPerDay ?? ""));
  const isSaved = useSignal(false);
  const { isBusy, error, act } = useAction();
  const save = (event: Event) => {
    event.preventDefault();
    isSaved.value = false;
    void act(async () => {
      await change(UpdateCaps, { input: { perDay: numberOf(perDay.value), perAddressPerDay: numberOf(perAddress.value), siteId: site.value!.id } });
      isSaved.value = true;
      onSaved();
    });
  };
  return (
    <form class="card" onSubmit={save}>
      <h2>Questions per day</h2>
      <p class="hint">An empty field means no limit. Days begin at midnight UTC. You receive one mail a day when a limit is reached.</p>
      <Field label="Of the whole site" hint={caps.usedToday === null ? "Questions are counted while a limit is set." : `${caps.usedToday.toLocaleString()} so far today.`}>{(f) =>
        <input {...f} type="number" min={0} max={2147483647} step={1} value={perDay.value} onInput={(e) => void (perDay.value = e.currentTarget.value)} />}</Field>
      <Field label="Of one network address" hint="Several visitors may share an address, for example in an office.">{(f) =>
        <input {...f} type="number" min={0} max={2147483647} step={1} value={perAddress.value} onInput={(e) => void (perAddress.value = e.currentTarget.value)} />}</Field>
      <Fault text={error} />
      <div class="row"><button type="submit" class="solid" disabled={isBusy}>Save</button>{isSaved.value && <span role="status">Saved.</span>}</div>
    </form>
  );
}
