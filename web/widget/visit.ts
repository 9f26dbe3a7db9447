// Tells the server on which page the visitor is, and who the visitor is when the page has an identity token. The panel loads
// this file once a session has begun.

import { Identify, Report } from "../generated/forms";
import type { Backend } from "./backend";
import type { Identity } from "./shell";
import type { Session } from "./state";
import type { Store } from "./store";

/** What is stored about the visitor of the chat. */
type Named = Pick<Store, "state" | "update">;

/** Where the visitor came from: the page of another site. */
const referrerOf = (address: string) => (/^https?:/.test(address) && !address.startsWith(location.origin) ? address : null);

/**
 * Reports the visit and passes the token on. Calls `restart` when the session belongs to another person, or to one who has
 * signed out: the next person at this browser must not read the chat. Without a server nothing happens.
 */
export async function tell(run: Backend["run"], session: Session, who: Identity | null | undefined, store: Named, restart: () => void): Promise<void> {
  if (!run) return;
  if (who === null && store.state.isNamed) return restart();
  const { language, userAgent } = navigator;
  await run(session, Report, { input: { pageUrl: location.origin + location.pathname, referrer: referrerOf(document.referrer), language, userAgent } }).catch(() => {});
  if (!who?.token) return;
  const [error] = (await run(session, Identify, { input: { token: who.token } })).identifyVisitor.userErrors;
  if (error?.code === "CONFLICT") return restart();
  if (error) return console.warn(`HelpBot: ${error.message}`);
  store.update((state) => {
    if (state.session?.id === session.id) state.isNamed = true;
  });
}
