// The tag that adds the widget to the pages of a site, with a real widget key and a button to copy it.
//
// The server stores only a hash of a key, so this browser remembers the widget key that was created here. Widget keys are
// public: everybody can read them in the pages of the site.

import { useSignal } from "@preact/signals";
import { CreateKey } from "../../generated/dashboard";
import { change, may, site } from "../client";
import { widgetKeys } from "../settings";
import { Act, Fault, WidgetTag, useAction } from "../ui";

/** The tag, or a button that creates a widget key for it. */
export function Tag({ options }: { options?: Record<string, string> }) {
  const siteId = site.value!.id;
  const key = useSignal(widgetKeys.get(siteId));
  const { isBusy, error, act } = useAction();
  const make = () => act(async () => {
    const { secret } = await change(CreateKey, { input: { kind: "WIDGET", name: "Web site", siteId } });
    if (!secret) return;
    widgetKeys.set(siteId, secret);
    key.value = secret;
  });
  const more = options ? { options } : {};
  if (key.value) return <WidgetTag apiKey={key.value} {...more} />;
  if (!may("ADMIN")) return <WidgetTag apiKey="wk_live_…" {...more} />;
  return <><button type="button" class="solid" disabled={isBusy} onClick={() => void make()}><Act icon="keys">Create the tag for this site</Act></button><Fault text={error} /></>;
}
