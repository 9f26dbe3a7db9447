// The identity secrets of a site, with which its own server says who a visitor is: the list, creating and deleting.

import { useSignal } from "@preact/signals";
import { CreateIdentitySecret, DeleteIdentitySecret, IdentitySecrets as SecretsQuery } from "../../generated/dashboard";
import { change, site } from "../client";
import { Act, Confirm, Fault, Loading, Secret, When, useAction, useQuery } from "../ui";

/** The maximum number of secrets of a site: the current one, and the next or the previous one. */
const SECRETS_MAX = 2;

export function IdentitySecrets() {
  const loaded = useQuery(SecretsQuery, { site: site.value!.id });
  const secret = useSignal<string | null>(null);
  const { isBusy, error, act } = useAction();
  const create = () => act(async () => {
    secret.value = (await change(CreateIdentitySecret, { input: { siteId: site.value!.id } })).secret;
    loaded.reload();
  });
  const remove = (id: string) => act(async () => {
    await change(DeleteIdentitySecret, { input: { id, siteId: site.value!.id } });
    loaded.reload();
  });
  return (
    <section aria-labelledby="identity">
      <h2 id="identity">Identity secrets</h2>
      <p class="hint">Your own server signs a token with one of them, so that you see who a visitor is. The tokens are for the site <code>{site.value!.id}</code>.</p>
      {secret.value && <Secret title="The new identity secret" value={secret.value} onDone={() => void (secret.value = null)} />}
      <Fault text={error} />
      <Loading of={loaded}>{({ site: found }) => {
        const secrets = found?.identitySecrets ?? [];
        return (
          <>
            {secrets.length > 0 && <ul class="cards">{secrets.map(({ id, last4, createdAt }) => (
              <li key={id} class="card row between"><p class="row"><code>…{last4}</code><span class="hint">created <When at={createdAt} /></span><code class="hint break">{id}</code></p>
                <Confirm label="Delete" about={`…${last4}`} question="Delete this secret? Tokens that it signed are refused at once." onYes={() => void remove(id)} /></li>))}</ul>}
            <button type="button" disabled={isBusy || secrets.length >= SECRETS_MAX} onClick={() => void create()}><Act icon="plus">New identity secret</Act></button>
          </>
        );
      }}</Loading>
    </section>
  );
}
