// How long the data of the site is kept, and the erasure of everything that the site has about one visitor.

import { useSignal } from "@preact/signals";
import { EraseVisitor, type Retention, UpdateRetention } from "../../generated/dashboard";
import { change, site } from "../client";
import { done, remove } from "../toasts";
import { Fault, Field, counted, numberOf, useAction } from "../ui";

/** The most days that the server accepts: ten years. */
const DAYS_MAX = 3650;

export function RetentionForm({ retention, onSaved }: { retention: Retention; onSaved(): void }) {
  const conversations = useSignal(String(retention.conversationDays ?? ""));
  const events = useSignal(String(retention.eventDays ?? ""));
  const deliveries = useSignal(String(retention.deliveryDays ?? ""));
  const isSaved = useSignal(false);
  const { isBusy, error, act } = useAction();
  const save = (event: Event) => {
    event.preventDefault();
    isSaved.value = false;
    void act(async () => {
      const input = { conversationDays: numberOf(conversations.value), eventDays: numberOf(events.value), deliveryDays: numberOf(deliveries.value), siteId: site.value!.id };
      await change(UpdateRetention, { input });
      isSaved.value = true;
      onSaved();
    });
  };
  const field = (label: string, hint: string, value: typeof events) => (
    <Field label={label} hint={hint}>{(f) =>
      <input {...f} type="number" min={1} max={DAYS_MAX} step={1} value={value.value} onInput={(e) => void (value.value = e.currentTarget.value)} />}</Field>
  );
  return (
    <form class="card" onSubmit={save}>
      <h2>How long data is kept</h2>
      <p class="hint">In days. A change takes effect after one hour. What was deleted cannot be restored. Statistics are kept.</p>
      {field("Conversations", "Counted from the last change. An empty field keeps conversations.", conversations)}
      {field("Events", `Now deleted after ${counted(retention.eventDaysInEffect, "day")}. An empty field means the setting of the server.`, events)}
      {field("Webhook deliveries", `Now deleted after ${counted(retention.deliveryDaysInEffect, "day")}. An empty field means the setting of the server.`, deliveries)}
      <Fault text={error} />
      <div class="row"><button type="submit" class="solid" disabled={isBusy}>Save</button>{isSaved.value && <span role="status">Saved.</span>}</div>
    </form>
  );
}

export function ErasureForm() {
  const email = useSignal("");
  const erase = (event: Event) => {
    event.preventDefault();
    const address = email.value.trim();
    email.value = "";
    remove(`visitor ${address}`, `Everything about ${address} will be erased.`, async () => {
      const { conversationCount } = await change(EraseVisitor, { input: { email: address, siteId: site.value!.id } });
      done(`${counted(conversationCount ?? 0, "conversation")} of ${address} erased.`);
    });
  };
  return (
    <form class="card" onSubmit={erase}>
      <h2>Erase a visitor</h2>
      <p class="hint">Deletes all conversations of the sessions in which the address was given, with their messages, mails, events and webhook deliveries. It cannot be undone.</p>
      <Field label="E-mail address of the visitor">{(f) => <input {...f} type="email" required autocomplete="off" value={email.value} onInput={(e) => void (email.value = e.currentTarget.value)} />}</Field>
      <div class="row"><button type="submit" class="danger">Erase</button></div>
    </form>
  );
}
