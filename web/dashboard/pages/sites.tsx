// The list of sites, from which an operator selects one.

import { useSignal } from "@preact/signals";
import { Sites } from "../../generated/dashboard";
import { site, viewer } from "../client";
import { go, pathOf } from "../route";
import { Badge, Empty, Loading, Page, useQuery } from "../ui";

export function SitesPage() {
  const after = useSignal<string | null>(null);
  const sites = useQuery(Sites, { after: after.value });
  if (viewer.value?.kind !== "OPERATOR") return <Page title="No site"><Empty title="Your key does not belong to a site"><p>Sign in with the key of a site.</p></Empty></Page>;
  return (
    <Page title="Sites">
      <Loading of={sites}>{({ sites: found }) => !found?.nodes.length
        ? <Empty title="No sites yet"><p>Create a site on the server: <code>helpbot site create --name … --owner-email …</code></p></Empty>
        : <>
          <ul class="cards">{found.nodes.map((one) => (
            <li key={one.id} class="card row between">
              <span dir="auto"><strong>{one.name}</strong> <Badge value={one.plan} /></span>
              <button type="button" aria-label={`Open ${one.name}`} onClick={() => { site.value = one; go(pathOf("overview")); }}>Open</button>
            </li>))}
          </ul>
          {found.pageInfo.hasNextPage && <button type="button" onClick={() => void (after.value = found.pageInfo.endCursor)}>Show more</button>}
        </>}
      </Loading>
    </Page>
  );
}
