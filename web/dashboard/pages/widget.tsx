// The widget editor: all 23 settings, a live preview that is the real panel, and warnings where text would be
// hard to read.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { UpdateWidget, type Widget, WidgetConfig } from "../../generated/dashboard";
import { TEXT_MINIMUM, contrast, parseColour } from "../../text/contrast";
import { change, may, site } from "../client";
import { Fault, Field, Loading, Page, useAction, useQuery } from "../ui";

type TextField = { [K in keyof Widget]: Widget[K] extends string ? K : never }[keyof Widget];

const PAIRS: Array<[TextField, string, TextField, string]> = [
  ["primaryColor", "Buttons and head", "primaryForeground", "Text on them"],
  ["backgroundColor", "Panel", "foregroundColor", "Text on it"],
  ["secondaryColor", "Answers", "secondaryForeground", "Text in them"],
];
const TEXTS: Array<[string, Array<[TextField, string]>]> = [
  ["Head and start", [["botName", "Name"], ["onlineText", "Under the name"], ["greeting", "First message"], ["inputPlaceholder", "In the empty field"], ["typingText", "While it answers"]]],
  ["Votes", [["feedbackYesText", "After a good vote"], ["feedbackNoText", "After a bad vote"]]],
  ["Talking to a human", [["handoffText", "Button"], ["handoffSentText", "After asking"], ["emailPlaceholder", "In the e-mail field"], ["emailSendText", "Send the e-mail"], ["emailSkipText", "Leave it out"]]],
  ["When something fails", [["errorText", "Server error"], ["networkErrorText", "No connection"]]],
];

export function WidgetPage() {
  const loaded = useQuery(WidgetConfig, { site: site.value!.id });
  return <Page title="Widget"><Loading of={loaded}>{({ site: found }) => found?.widget
    ? <Editor stored={found.widget} plan={found.plan} /> : <Fault text="This key may not read the widget's settings." />}</Loading></Page>;
}

function Editor({ stored, plan }: { stored: Widget; plan: string }) {
  const base = useSignal(stored);
  const draft = useSignal(stored);
  const note = useSignal("");
  const { isBusy, error, act } = useAction();
  const set = <K extends keyof Widget>(name: K, value: Widget[K]) => void (draft.value = { ...draft.value, [name]: value });
  const changed = (Object.keys(draft.value) as Array<keyof Widget>).filter((name) => draft.value[name] !== base.value[name]);
  const save = (event: Event) => {
    event.preventDefault();
    void act(async () => {
      const fields = Object.fromEntries(changed.map((name) => [name, draft.value[name]]));
      const { widget } = await change(UpdateWidget, { input: { ...fields, siteId: site.value!.id } });
      if (widget) base.value = draft.value = widget;
      note.value = "Saved. Open pages show it at their next load.";
    });
  };
  const text = (name: TextField, label: string) => (
    <Field key={name} label={label}>{(f) => <input {...f} maxLength={name === "botName" ? 80 : 500} value={draft.value[name]} dir="auto" onInput={(e) => set(name, e.currentTarget.value)} />}</Field>
  );
  const canWrite = may("WRITE_CONFIG");
  return (
    <div class="editor">
      <form onSubmit={save}>
        <fieldset disabled={!canWrite}>
          <legend>Colours</legend>
          {PAIRS.map(([ground, groundLabel, ink, inkLabel]) => <Pair key={ground} draft={draft.value} set={set} ground={ground} groundLabel={groundLabel} ink={ink} inkLabel={inkLabel} />)}
        </fieldset>
        <fieldset disabled={!canWrite}>
          <legend>Place and language</legend>
          <Field label="Corner">{(f) => <select {...f} value={draft.value.position} onChange={(e) => set("position", e.currentTarget.value as Widget["position"])}>
            <option value="BOTTOM_RIGHT">Bottom right</option><option value="BOTTOM_LEFT">Bottom left</option></select>}</Field>
          <Field label="Language of answers" hint="A tag such as en, de or pt-BR; auto follows the visitor.">{(f) => <input {...f} value={draft.value.aiLanguage} onInput={(e) => set("aiLanguage", e.currentTarget.value)} />}</Field>
          <label class="check"><input type="checkbox" checked={draft.value.showBranding} disabled={plan !== "SCALE"} onChange={(e) => set("showBranding", e.currentTarget.checked)} />
            Say “Powered by HelpBot”{plan !== "SCALE" && " (can be turned off on the Scale plan)"}</label>
        </fieldset>
        {TEXTS.map(([title, fields]) => <fieldset key={title} disabled={!canWrite}><legend>{title}</legend>{fields.map(([name, label]) => text(name, label))}</fieldset>)}
        <div class="savebar">
          <Fault text={error} />
          <span class="hint" role="status">{changed.length ? `${changed.length} changed` : note.value}</span>
          <button type="button" disabled={!changed.length} onClick={() => void (draft.value = base.value)}>Undo</button>
          <button type="submit" class="solid" disabled={!canWrite || !changed.length || isBusy}>Save</button>
        </div>
      </form>
      <div class="side">
        <Preview widget={draft.value} />
        <Snippet />
      </div>
    </div>
  );
}

interface PairProps {
  draft: Widget;
  set(name: TextField, value: string): void;
  ground: TextField;
  groundLabel: string;
  ink: TextField;
  inkLabel: string;
}

function Pair({ draft, set, ground, groundLabel, ink, inkLabel }: PairProps) {
  const ratio = contrast(draft[ink], draft[ground]);
  const verdict = ratio === null ? "One of the two is no colour: use #2563eb, rgb(…), hsl(…) or oklch(…)."
    : ratio < TEXT_MINIMUM ? `Contrast ${ratio.toFixed(1)} : 1. Below ${TEXT_MINIMUM} : 1 many people cannot read it.` : `Contrast ${ratio.toFixed(1)} : 1`;
  return (
    <div class="pair">
      <Colour label={groundLabel} value={draft[ground]} onChange={(value) => set(ground, value)} />
      <Colour label={inkLabel} value={draft[ink]} onChange={(value) => set(ink, value)} />
      <p class={ratio === null || ratio < TEXT_MINIMUM ? "warn" : "hint"} role="status">{verdict}</p>
    </div>
  );
}

/** A text for any notation, and a picker beside it for those who want one. */
function Colour({ label, value, onChange }: { label: string; value: string; onChange(value: string): void }) {
  const colour = parseColour(value);
  const hex = colour ? `#${[colour.r, colour.g, colour.b].map((v) => Math.round(v * 255).toString(16).padStart(2, "0")).join("")}` : "#000000";
  return (
    <Field label={label}>{(f) => (
      <span class="colour">
        <input type="color" aria-label={`${label}, picker`} value={hex} onInput={(e) => onChange(e.currentTarget.value)} />
        <input {...f} maxLength={64} spellcheck={false} value={value} aria-invalid={!colour} onInput={(e) => onChange(e.currentTarget.value)} />
      </span>)}
    </Field>
  );
}

function Preview({ widget }: { widget: Widget }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => void import("../preview").then(({ drawPreview }) => place.current && drawPreview(place.current, widget)), 120);
    return () => clearTimeout(timer);
  }, [widget]);
  return <section aria-label="Preview"><h2>Preview</h2><div class="preview" ref={place} /></section>;
}

function Snippet() {
  return (
    <section class="card">
      <h2>On your page</h2>
      <p>Put this line before <code>&lt;/body&gt;</code>, with a widget key from API keys:</p>
      <pre tabIndex={0}>{`<script src="${location.origin}/widget.js" data-api-key="wk_live_…" async></script>`}</pre>
    </section>
  );
}
