// The list of sites, from which an operator selects one.

import { useSignal } from "@preact/signals";
import { CreateSite, Sites } from "../../generated/dashboard";
import { change, site, viewer } from "../client";
import { go, pathOf } from "../route";
import { Act, Badge, Drawer, Empty, Fault, Field, Loading, Page, Pager, type Trail, useAction, useQuery } from "../ui";

export function SitesPage() {
  const trail = useSignal<Trail>([null]);
  const isAdding = useSignal(false);
  const sites = useQuery(Sites, { after: trail.value.at(-1) ?? null });
  if (viewer.value?.kind !== "OPERATOR") return <Page title="No site"><Empty title="Your key does not belong to a site"><p>Sign in with the key of a site.</p></Empty></Page>;
  return (
    <Page title="Sites" tools={<button type="button" class="solid" aria-haspopup="dialog" onClick={() => void (isAdding.value = true)}><Act icon="plus">New site</Act></button>}>
      {isAdding.value && <Drawer title="New site" onClose={() => void (isAdding.value = false)}><Form onMade={(made) => { site.value = made; go(pathOf("overview")); }} /></Drawer>}
      <Loading of={sites}>{({ sites: found }) => !found?.nodes.length
        ? <Empty title="No sites yet"><p>Create the first site above.</p></Empty>
        : <>
          <ul class="cards">{found.nodes.map((one) => (
            <li key={one.id} class="card row between">
              <span dir="auto"><strong>{one.name}</strong> <Badge value={one.plan} /></span>
              <button type="button" aria-label={`Open ${one.name}`} onClick={() => { site.value = one; go(pathOf("overview")); }}>Open</button>
            </li>))}
          </ul>
          <Pager trail={trail} info={found.pageInfo} />
        </>}
      </Loading>
    </Page>
  );
}

interface Made {
  id: string;
  name: string;
  plan: string;
}

function Form({ onMade }: { onMade(site: Made): void }) {
  const name = useSignal("");
  const email = useSignal("");
  const { isBusy, error, act } = useAction();
  const save = (event: Event) => {
    event.preventDefault();
    void act(async () => {
      const { site: made } = await change(CreateSite, { input: { name: name.value.trim(), ownerEmail: email.value.trim() } });
      if (made) onMade(made);
    });
  };
  return (
    <form class="card" onSubmit={save}>
      <Field label="Name of the site">{(f) => <input {...f} required maxLength={120} value={name.value} onInput={(e) => void (name.value = e.currentTarget.value)} />}</Field>
      <Field label="E-mail address of the owner" hint="Receives a message when a visitor asks for a human.">{(f) => <input {...f} type="email" required value={email.value} onInput={(e) => void (email.value = e.currentTarget.value)} />}</Field>
      <Fault text={error} />
      <button type="submit" class="solid" disabled={isBusy}>Create site</button>
    </form>
  );
}
