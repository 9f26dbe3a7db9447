// API keys: the list, a form for a new key (whose secret is shown once), and revoking a key.

import { useSignal } from "@preact/signals";
import { CreateKey, type CreateApiKeyInput, type KeyRow, Keys, RevokeKey, type Scope, ScopeValues } from "../../generated/dashboard";
import { change, may, site } from "../client";
import { labelOf } from "../labels";
import { IdentitySecrets } from "./identity";
import { Act, Badge, Confirm, Drawer, Empty, Fault, Field, Loading, Page, Pager, Secret, type Trail, When, WidgetTag, useAction, useQuery } from "../ui";

const SCOPES = ScopeValues.filter((scope) => scope !== "CHAT");

export function KeysPage() {
  const trail = useSignal<Trail>([null]);
  const loaded = useQuery(Keys, { site: site.value!.id, after: trail.value.at(-1) ?? null });
  const secret = useSignal<string | null>(null);
  const isAdding = useSignal(false);
  return (
    <Page title="API keys" about="Widget keys are for web pages and may be public. Secret keys are for your own servers." tools={<button type="button" class="solid" aria-haspopup="dialog" onClick={() => void (isAdding.value = true)}><Act icon="plus">New key</Act></button>}>
      {secret.value && <Secret title="The new key" value={secret.value} onDone={() => void (secret.value = null)}>
        {secret.value.startsWith("wk_") && <><h2>Add the widget to your site</h2><p>Paste this line before <code>&lt;/body&gt;</code> in the HTML of your pages.</p><WidgetTag apiKey={secret.value} /></>}
      </Secret>}
      {isAdding.value && <Drawer title="New key" onClose={() => void (isAdding.value = false)}><Form onMade={(made) => { secret.value = made; isAdding.value = false; loaded.reload(); }} /></Drawer>}
      <Loading of={loaded}>{({ site: found }) => {
        if (!found?.apiKeys) return <Fault text="Your key does not have permission to manage keys. Sign in with a key that can manage the site." />;
        const { nodes, pageInfo } = found.apiKeys;
        if (!nodes.length) return <Empty title="No keys yet"><p>Use a widget key on your web pages and a secret key on your own servers.</p></Empty>;
        return <><ul class="cards">{[...nodes].sort((a, b) => Number(a.revokedAt !== null) - Number(b.revokedAt !== null)).map((key) => <Item key={key.id} apiKey={key} onChange={loaded.reload} />)}</ul><Pager trail={trail} info={pageInfo} /></>;
      }}</Loading>
      {may("ADMIN") && <IdentitySecrets />}
    </Page>
  );
}

function Item({ apiKey, onChange }: { apiKey: KeyRow; onChange(): void }) {
  const { error, act } = useAction();
  const name = apiKey.name || "Unnamed key";
  return (
    <li class="card row between">
      <div class="grow">
        <h2 dir="auto">{name}</h2>
        <p class="hint row"><Badge value={apiKey.kind} /><code>…{apiKey.last4}</code><span>created <When at={apiKey.createdAt} /></span>
          {apiKey.lastUsedAt && <span>last used <When at={apiKey.lastUsedAt} /></span>}{apiKey.expiresAt && <span>expires <When at={apiKey.expiresAt} /></span>}</p>
        {apiKey.scopes && <p class="hint">Permissions: {apiKey.scopes.map(labelOf).join(", ")}</p>}
        {apiKey.origins.length > 0 && <p class="hint break">Allowed origins: {apiKey.origins.join(", ")}</p>}
        <Fault text={error} />
      </div>
      {apiKey.revokedAt ? <Badge value="FAILED">revoked</Badge>
        : <Confirm label="Revoke" about={apiKey.name || `…${apiKey.last4}`} question="Revoke this key? Everything that uses it stops working at once." onYes={() => void act(async () => { await change(RevokeKey, { input: { id: apiKey.id, siteId: site.value!.id } }); onChange(); })} />}
    </li>
  );
}

function Form({ onMade }: { onMade(secret: string): void }) {
  const kind = useSignal<"WIDGET" | "SECRET">("WIDGET");
  const name = useSignal("");
  const origins = useSignal("");
  const ends = useSignal("");
  const scopes = useSignal<Scope[]>([]);
  const { isBusy, error, act } = useAction();
  const save = (event: Event) => {
    event.preventDefault();
    const input: CreateApiKeyInput = { kind: kind.value, name: name.value.trim(), siteId: site.value!.id };
    if (kind.value === "WIDGET") input.origins = origins.value.split(/[\s,]+/).filter(Boolean);
    else if (scopes.value.length) input.scopes = scopes.value;
    if (ends.value) input.expiresAt = new Date(`${ends.value}T23:59:59Z`).toISOString();
    void act(async () => {
      const { secret } = await change(CreateKey, { input });
      if (secret) onMade(secret);
    });
  };
  const toggle = (scope: Scope, isOn: boolean) => void (scopes.value = isOn ? [...scopes.value, scope] : scopes.value.filter((one) => one !== scope));
  return (
    <form class="card" onSubmit={save}>
      <Field label="Kind">{(f) => <select {...f} value={kind.value} onChange={(e) => void (kind.value = e.currentTarget.value as "WIDGET" | "SECRET")}>
        <option value="WIDGET">Widget key, for web pages</option><option value="SECRET">Secret key, for servers</option></select>}</Field>
      <Field label="Name" hint="A name that helps you recognize the key.">{(f) => <input {...f} maxLength={80} value={name.value} onInput={(e) => void (name.value = e.currentTarget.value)} />}</Field>
      {kind.value === "WIDGET" && (
        <Field label="Allowed origins" hint="For example https://shop.example. Leave empty to allow all origins.">
          {(f) => <input {...f} value={origins.value} onInput={(e) => void (origins.value = e.currentTarget.value)} />}
        </Field>)}
      <Field label="Expires after" hint="Leave empty for a key that does not expire.">{(f) => <input {...f} type="date" value={ends.value} onInput={(e) => void (ends.value = e.currentTarget.value)} />}</Field>
      {kind.value === "SECRET" && (
        <fieldset><legend>Permissions (select none to allow everything)</legend>
          <div class="checks">{SCOPES.map((scope) => <label key={scope} class="check"><input type="checkbox" checked={scopes.value.includes(scope)} onChange={(e) => toggle(scope, e.currentTarget.checked)} />{labelOf(scope)}</label>)}</div>
        </fieldset>)}
      <Fault text={error} />
      <button type="submit" class="solid" disabled={isBusy}>Create key</button>
    </form>
  );
}
