// Webhooks: endpoints, their signing secrets (shown once), and the log of deliveries with each attempt and replay.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import {
  CreateWebhook, DeleteWebhook, Deliveries, type Delivered, type Hook, ReplayDelivery, ReplayFailed, RotateSecret, TestWebhook, UpdateWebhook,
  type WebhookDeliveryStatus, WebhookDeliveryStatusValues, type WebhookEventType, WebhookEventTypeValues, Webhooks,
} from "../../generated/dashboard";
import { change, site } from "../client";
import { labelOf } from "../labels";
import { isRemoved, remove } from "../toasts";
import { Act, Badge, Drawer, Empty, Fault, Field, Loading, Page, Secret, When, counted, useAction, useQuery } from "../ui";

const POLL_MS = 5000;
const LOG_SIZE = 20;
/** The period of failed deliveries that are replayed: a weekend and a week of holidays. */
const REPLAY_DAYS = 9;
/** The name of an event in the payload that the receiver gets. */
const eventName = (event: string) => event.toLowerCase().replace("_", ".");
const DISABLED = { FAILING: "turned off after repeated failures", GONE: "turned off because the receiver answered 410 Gone", OWNER: "turned off" };

export function WebhooksPage() {
  const loaded = useQuery(Webhooks, { site: site.value!.id });
  const secret = useSignal<string | null>(null);
  const isAdding = useSignal(false);
  return (
    <Page title="Webhooks" about="Your servers learn at once what happens in conversations." tools={<button type="button" class="solid" aria-haspopup="dialog" onClick={() => void (isAdding.value = true)}><Act icon="plus">New webhook</Act></button>}>
      {secret.value && <Secret title="Signing secret" value={secret.value} onDone={() => void (secret.value = null)} />}
      {isAdding.value && <Drawer title="New webhook" onClose={() => void (isAdding.value = false)}><Form onMade={(made) => { secret.value = made; isAdding.value = false; loaded.reload(); }} /></Drawer>}
      <Loading of={loaded}>{({ site: found }) => {
        if (!found?.webhooks) return <Fault text="Your key does not have permission to manage webhooks, or your plan does not include them." />;
        if (!found.webhooks.length) return <Empty title="No webhooks yet"><p>A webhook notifies your server when a question is asked, is not answered, gets feedback or is handed over to a human.</p></Empty>;
        return <ul class="cards">{found.webhooks.filter(({ id }) => !isRemoved(id)).map((hook) => <Item key={hook.id} hook={hook} onChange={loaded.reload} onSecret={(made) => void (secret.value = made)} />)}</ul>;
      }}</Loading>
    </Page>
  );
}

function Form({ onMade }: { onMade(secret: string): void }) {
  const url = useSignal("");
  const description = useSignal("");
  const events = useSignal<WebhookEventType[]>([...WebhookEventTypeValues]);
  const { isBusy, error, act } = useAction();
  const toggle = (event: WebhookEventType, isOn: boolean) => void (events.value = WebhookEventTypeValues.filter((one) => (one === event ? isOn : events.value.includes(one))));
  const save = (submit: Event) => {
    submit.preventDefault();
    void act(async () => {
      const { secret } = await change(CreateWebhook, { input: { url: url.value.trim(), description: description.value.trim() || null, events: events.value, siteId: site.value!.id } });
      if (secret) onMade(secret);
    });
  };
  return (
    <form class="card" onSubmit={save}>
      <Field label="URL" hint="An https URL. It receives POST requests with a signed JSON body.">{(f) => <input {...f} type="url" required placeholder="https://" value={url.value} onInput={(e) => void (url.value = e.currentTarget.value)} />}</Field>
      <Field label="Description">{(f) => <input {...f} maxLength={200} value={description.value} onInput={(e) => void (description.value = e.currentTarget.value)} />}</Field>
      <fieldset><legend>Events</legend><div class="checks">{WebhookEventTypeValues.map((event) => (
        <label key={event} class="check"><input type="checkbox" checked={events.value.includes(event)} onChange={(e) => toggle(event, e.currentTarget.checked)} />{eventName(event)}</label>))}</div></fieldset>
      <Fault text={error} />
      <button type="submit" class="solid" disabled={isBusy || events.value.length === 0}>Create webhook</button>
    </form>
  );
}

function Item({ hook, onChange, onSecret }: { hook: Hook; onChange(): void; onSecret(secret: string): void }) {
  const { isBusy, error, act } = useAction();
  const isShown = useSignal(false);
  const note = useSignal("");
  const input = { id: hook.id, siteId: site.value!.id };
  const rotate = () => act(async () => {
    const { secret } = await change(RotateSecret, { input: { ...input, step: hook.rotation?.isStaged ? "PROMOTE" : "STAGE" } });
    if (secret) onSecret(secret);
    note.value = secret ? "Deliveries are now signed with both secrets. Store the new secret at the receiver, then switch to it." : "Deliveries are now signed only with the new secret.";
    onChange();
  });
  const test = () => act(async () => {
    await change(TestWebhook, { input: { webhookId: hook.id, siteId: input.siteId } });
    note.value = "A test event was sent. See Deliveries for the result.";
    isShown.value = true;
  });
  const replay = () => act(async () => {
    const since = new Date(Date.now() - REPLAY_DAYS * 86_400_000).toISOString();
    await change(ReplayFailed, { input: { webhookId: hook.id, since, siteId: input.siteId } });
    note.value = `Failed deliveries of the last ${REPLAY_DAYS} days are sent again in the background.`;
    onChange();
  });
  return (
    <li class="card">
      <h2 class="break">{hook.url}</h2>
      <p class="hint row"><Badge value={hook.isEnabled ? "INDEXED" : "FAILED"}>{hook.isEnabled ? "on" : "off"}</Badge>
        {hook.disabledReason && <span>{DISABLED[hook.disabledReason]}</span>}{hook.failingSince && <span class="warn">failing since <When at={hook.failingSince} /></span>}{hook.pausedUntil && Date.parse(hook.pausedUntil) > Date.now() && <span>next attempt <When at={hook.pausedUntil} /></span>}
        {hook.description && <span dir="auto">{hook.description}</span>}<span>secret <code>{hook.redactedSecret}</code></span></p>
      <p class="hint">{hook.events.map(eventName).join(", ")}</p>
      <div class="row">
        <button type="button" disabled={isBusy} aria-label={`Send a test event to ${hook.url}`} onClick={() => void test()}>Send a test event</button>
        <button type="button" disabled={isBusy} aria-label={`Turn ${hook.isEnabled ? "off" : "on"} ${hook.url}`}
          onClick={() => void act(async () => { await change(UpdateWebhook, { input: { ...input, isEnabled: !hook.isEnabled } }); onChange(); })}>{hook.isEnabled ? "Turn off" : "Turn on"}</button>
        <button type="button" disabled={isBusy} aria-label={`${hook.rotation?.isStaged ? "Use the new secret" : "Rotate the secret"} of ${hook.url}`} onClick={() => void rotate()}>{hook.rotation?.isStaged ? "Use the new secret" : "Rotate the secret"}</button>
        <button type="button" disabled={isBusy || !hook.isEnabled} aria-label={`Resend failed deliveries to ${hook.url}`} onClick={() => void replay()}>Resend failed deliveries</button>
        <button type="button" class="quiet danger" aria-label={`Delete ${hook.url}`}
          onClick={() => remove(hook.id, "The webhook and its deliveries were deleted.", async () => { await change(DeleteWebhook, { input }); onChange(); })}><Act icon="trash">Delete</Act></button>
      </div>
      <Fault text={error} />
      <p class="hint" role="status">{note.value}</p>
      {hook.lastReplay && <p class="hint">Last replay, started <When at={hook.lastReplay.createdAt} />: {hook.lastReplay.checked} of {hook.lastReplay.total} events checked, {hook.lastReplay.replayed} sent again{hook.lastReplay.finishedAt ? "." : "…"}</p>}
      <details open={isShown.value} onToggle={(e) => void (isShown.value = e.currentTarget.open)}>
        <summary>Deliveries</summary>
        {isShown.value && <Log id={hook.id} />}
      </details>
    </li>
  );
}

function Log({ id }: { id: string }) {
  const status = useSignal<WebhookDeliveryStatus | "">("");
  /** The cursors of the pages up to the one that is shown. The first page follows the newest deliveries. */
  const trail = useSignal<Array<string | null>>([null]);
  const loaded = useQuery(Deliveries, { id, after: trail.value.at(-1) ?? null, filter: status.value ? { status: status.value } : null });
  useEffect(() => {
    const timer = setInterval(() => document.hidden || loaded.reload(), POLL_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <Field label="Status">{(f) => <select {...f} value={status.value} onChange={(e) => { status.value = e.currentTarget.value as WebhookDeliveryStatus | ""; trail.value = [null]; }}>
        <option value="">All</option>{WebhookDeliveryStatusValues.map((value) => <option key={value} value={value}>{labelOf(value)}</option>)}</select>}</Field>
      <Loading of={loaded}>{({ node: found }) => {
        const nodes = found?.deliveries?.nodes ?? [];
        if (!nodes.length) return <p>There are no deliveries yet. Send a test event or wait for the next event.</p>;
        const { totalCount, pageInfo } = found!.deliveries!;
        const from = (trail.value.length - 1) * LOG_SIZE;
        return (
          <>
            <ul class="plain">{nodes.map((delivery) => <Delivery key={delivery.id} delivery={delivery} onChange={loaded.reload} />)}</ul>
            <nav class="pager row" aria-label="Pages of the deliveries">
              <button type="button" disabled={from === 0 || !loaded.isCurrent} onClick={() => void (trail.value = trail.value.slice(0, -1))}>Newer</button>
              <span role="status">{loaded.isCurrent ? `${from + 1}–${from + nodes.length} of ${totalCount}` : "Loading…"}</span>
              <button type="button" disabled={!pageInfo.hasNextPage || !loaded.isCurrent} onClick={() => void (trail.value = [...trail.value, pageInfo.endCursor])}>Older</button>
            </nav>
          </>
        );
      }}</Loading>
    </>
  );
}

function Delivery({ delivery, onChange }: { delivery: Delivered; onChange(): void }) {
  const { isBusy, error, act } = useAction();
  const replay = () => act(async () => {
    await change(ReplayDelivery, { input: { id: delivery.id, siteId: site.value!.id } });
    onChange();
  });
  return (
    <li class="delivery">
      <div class="row between">
        <span class="row"><Badge value={delivery.status} />{delivery.isTest ? "test" : delivery.event ? eventName(delivery.event) : "event"} <span class="hint"><When at={delivery.createdAt} />, {counted(delivery.attemptCount, "attempt")}
          {delivery.nextAttemptAt && (Date.parse(delivery.nextAttemptAt) > Date.now() ? <>, next attempt <When at={delivery.nextAttemptAt} /></> : ", next attempt as soon as possible")}</span></span>
        <button type="button" disabled={isBusy} aria-label={`Resend ${delivery.id}`} onClick={() => void replay()}>Resend</button>
      </div>
      <Fault text={error} />
      {delivery.attempts && delivery.attempts.nodes.length > 0 && (
        <details><summary>Attempts</summary>
          <div class="scroll" tabIndex={0} role="region" aria-label="Attempts"><table>
            <thead><tr><th scope="col">No.</th><th scope="col">Time</th><th scope="col">Response</th><th scope="col">Duration (ms)</th></tr></thead>
            <tbody>{delivery.attempts.nodes.map((attempt) => (
              <tr key={attempt.number}><td>{attempt.number}</td><td><When at={attempt.startedAt} /></td>
                <td class="break">{attempt.statusCode ?? ""} {attempt.error ?? ""}{attempt.responseBody && <pre>{attempt.responseBody}</pre>}</td><td>{attempt.totalMs ?? ""}</td></tr>))}</tbody>
          </table></div>
        </details>)}
    </li>
  );
}
