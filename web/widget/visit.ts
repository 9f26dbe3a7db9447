// Tells the server on which page the visitor is, and who the visitor is when the page has an identity token. The panel loads
// this file once a session has begun.

import { Identify, Report } from "../generated/forms";
import type { Backend } from "./backend";
import type { Session } from "./state";

/** Where the visitor came from: the page of another site. */
const referrerOf = (address: string) => (/^https?:/.test(address) && !address.startsWith(location.origin) ? address : null);

/**
 * Reports the visit and passes the token on. Calls `onOther` when the session belongs to another person, so that a new chat
 * must begin. Without a server nothing happens.
 */
export async function tell(run: Backend["run"], session: Session, token: string | undefined, onOther: () => void): Promise<void> {
  if (!run) return;
  const { language, userAgent } = navigator;
  await run(session, Report, { input: { pageUrl: location.origin + location.pathname, referrer: referrerOf(document.referrer), language, userAgent } }).catch(() => {});
  if (!token) return;
  const [error] = (await run(session, Identify, { input: { token } })).identifyVisitor.userErrors;
  if (error?.code === "CONFLICT") onOther();
  else if (error) console.warn(`HelpBot: ${error.message}`);
}
