// The widget editor: all settings, the texts in further languages, a live preview with the real panel, and warnings
// about colors with too little contrast.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Texts, UpdateWidget, type Widget, WidgetConfig } from "../../generated/dashboard";
import { TEXT_MINIMUM, contrast, parseColor } from "../../text/contrast";
import { change, may, site } from "../client";
import { param, pathOf, setParams } from "../route";
import { loadPart } from "../toasts";
import { Tag } from "./tag";
import { LanguageTabs, TEXTS, TextsEditor, translated } from "./texts";
import { Fault, Field, Loading, Page, counted, useAction, useQuery } from "../ui";

type TextField = { [K in keyof Widget]: Widget[K] extends string ? K : never }[keyof Widget];

const PAIRS: Array<[TextField, string, TextField, string]> = [
  ["primaryColor", "Header and buttons", "primaryForeground", "Text on header and buttons"],
  ["backgroundColor", "Panel", "foregroundColor", "Text on the panel"],
  ["secondaryColor", "Answers", "secondaryForeground", "Text of answers"],
];
export function WidgetPage() {
  const loaded = useQuery(WidgetConfig, { site: site.value!.id });
  return <Page title="Widget" about="How the chat looks and what it says on your pages."><Loading of={loaded}>{({ site: found }) => found?.widget
    ? <Editor stored={found.widget} translations={found.widgetTexts ?? []} plan={found.plan} /> : <Fault text="Your key does not have permission to read the widget settings." />}</Loading></Page>;
}

function Editor({ stored, translations, plan }: { stored: Widget; translations: Texts[]; plan: string }) {
  const base = useSignal(stored);
  const draft = useSignal(stored);
  const languages = useSignal(translations);
  const drafts = useSignal<Record<string, Texts>>({});
  const texts = languages.value.find(({ language }) => language === param("language"));
  const putTexts = (saved: Texts) => void (languages.value = [...languages.value.filter(({ language }) => language !== saved.language), saved].sort((a, b) => a.language.localeCompare(b.language)));
  const dropTexts = (dropped: string) => {
    languages.value = languages.value.filter(({ language }) => language !== dropped);
    setParams({ language: "" });
  };
  const note = useSignal("");
  const { isBusy, error, act } = useAction();
  const set = <K extends keyof Widget>(name: K, value: Widget[K]) => void (draft.value = { ...draft.value, [name]: value });
  const changed = (Object.keys(draft.value) as Array<keyof Widget>).filter((name) => JSON.stringify(draft.value[name]) !== JSON.stringify(base.value[name]));
  const starters = draft.value.starterQuestions.join("\n");
  const save = (event: Event) => {
    event.preventDefault();
    void act(async () => {
      const written = { ...draft.value, starterQuestions: draft.value.starterQuestions.filter((line) => line.trim()) };
      const fields = Object.fromEntries(changed.map((name) => [name, written[name]]));
      const { widget } = await change(UpdateWidget, { input: { ...fields, siteId: site.value!.id } });
      if (widget) base.value = draft.value = widget;
      note.value = "Saved. Open pages show the change when they are reloaded.";
    });
  };
  const text = (name: TextField, label: string) => (
    <Field key={name} label={label}>{(f) => <input {...f} maxLength={name === "botName" ? 80 : 500} value={draft.value[name]} dir="auto" onInput={(e) => set(name, e.currentTarget.value)} />}</Field>
  );
  const canWrite = may("WRITE_CONFIG");
  return (
    <>
    <LanguageTabs languages={languages.value.map(({ language }) => language)} onAdd={(added) => languages.value.every(({ language }) => language !== added.language) && putTexts(added)} />
    <div class="editor">
      {texts && <TextsEditor key={texts.language} stored={texts} drafts={drafts} aiLanguage={base.value.aiLanguage} onSaved={putTexts} onDeleted={dropTexts} />}
      <form onSubmit={save} hidden={Boolean(texts)}>
        <fieldset disabled={!canWrite}>
          <legend>Colors</legend>
          {PAIRS.map(([ground, groundLabel, ink, inkLabel]) => <Pair key={ground} draft={draft.value} set={set} ground={ground} groundLabel={groundLabel} ink={ink} inkLabel={inkLabel} />)}
        </fieldset>
        <fieldset disabled={!canWrite}>
          <legend>Position and language</legend>
          <Field label="Position">{(f) => <select {...f} value={draft.value.position} onChange={(e) => set("position", e.currentTarget.value as Widget["position"])}>
            <option value="BOTTOM_RIGHT">Bottom right</option><option value="BOTTOM_LEFT">Bottom left</option></select>}</Field>
          <Field label="Language of answers" hint="A language tag such as en, de or pt-BR. Use auto to answer in the language of the question.">{(f) => <input {...f} value={draft.value.aiLanguage} onInput={(e) => set("aiLanguage", e.currentTarget.value)} />}</Field>
          <label class="check"><input type="checkbox" checked={draft.value.showBranding} disabled={plan !== "SCALE"} onChange={(e) => set("showBranding", e.currentTarget.checked)} />
            Show “Powered by HelpBot”{plan !== "SCALE" && " (can be turned off on the Scale plan)"}</label>
        </fieldset>
        <fieldset disabled={!canWrite}>
          <legend>Starter questions</legend>
          <Field label="Questions" hint="One per line, at most 6. The panel offers them before the first question, and visitors ask them with a click.">
            {(f) => <textarea {...f} rows={3} value={starters} dir="auto" onInput={(e) => set("starterQuestions", e.currentTarget.value.split("\n"))} />}</Field>
        </fieldset>
        {TEXTS.map(([title, fields]) => <fieldset key={title} disabled={!canWrite}><legend>{title}</legend>{fields.map(([name, label]) => text(name, label))}</fieldset>)}
        <div class="savebar">
          <Fault text={error} />
          <span class="hint" role="status">{changed.length ? `${counted(changed.length, "unsaved change")}` : note.value}</span>
          <button type="button" disabled={!changed.length} onClick={() => void (draft.value = base.value)}>Discard changes</button>
          <button type="submit" class="solid" disabled={!canWrite || !changed.length || isBusy}>Save</button>
        </div>
      </form>
      <div class="side">
        <Preview widget={texts ? translated(draft.value, drafts.value[texts.language] ?? texts) : draft.value} language={texts?.language ?? ""} />
        <Snippet />
      </div>
    </div>
    </>
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
  const verdict = ratio === null ? "One of the two values is not a color. Use #2563eb, rgb(…), hsl(…) or oklch(…)."
    : ratio < TEXT_MINIMUM ? `Contrast ${ratio.toFixed(1)} : 1. Text with a contrast below ${TEXT_MINIMUM} : 1 is hard to read for many people.` : `Contrast ${ratio.toFixed(1)} : 1`;
  return (
    <div class="pair">
      <Color label={groundLabel} value={draft[ground]} onChange={(value) => set(ground, value)} />
      <Color label={inkLabel} value={draft[ink]} onChange={(value) => set(ink, value)} />
      <p class={ratio === null || ratio < TEXT_MINIMUM ? "warn" : "hint"} role="status">{verdict}</p>
    </div>
  );
}

/** A text field that accepts any color notation, with a color picker beside it. */
function Color({ label, value, onChange }: { label: string; value: string; onChange(value: string): void }) {
  const color = parseColor(value);
  const hex = color ? `#${[color.r, color.g, color.b].map((v) => Math.round(v * 255).toString(16).padStart(2, "0")).join("")}` : "#000000";
  return (
    <Field label={label}>{(f) => (
      <span class="color">
        <input type="color" aria-label={`${label}, picker`} value={hex} onInput={(e) => onChange(e.currentTarget.value)} />
        <input {...f} maxLength={64} spellcheck={false} value={value} aria-invalid={!color} onInput={(e) => onChange(e.currentTarget.value)} />
      </span>)}
    </Field>
  );
}

function Preview({ widget, language }: { widget: Widget; language: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => void loadPart(import("../preview")).then((part) => part && place.current && part.drawPreview(place.current, widget, language)), 120);
    return () => clearTimeout(timer);
  }, [JSON.stringify(widget), language]);
  return <section aria-label="Preview"><h2>Preview</h2><div class="preview" ref={place} /></section>;
}

/** The tag with the settings that belong to a page and not to the site. */
function Snippet() {
  const theme = useSignal("");
  const questions = useSignal("");
  const options = { theme: theme.value, questions: questions.value.split("\n").map((line) => line.trim()).filter(Boolean).join(" | ") };
  return (
    <section class="card">
      <h2>Add the widget to your site</h2>
      <p>Paste this line before <code>&lt;/body&gt;</code> in the HTML of your pages.</p>
      <Field label="Color scheme">{(f) => <select {...f} value={theme.value} onChange={(e) => void (theme.value = e.currentTarget.value)}>
        <option value="">Light</option><option value="dark">Dark</option><option value="auto">That of the visitor's system</option></select>}</Field>
      <Field label="Starter questions" hint="One per line, for the pages with this tag. They replace those of the settings.">
        {(f) => <textarea {...f} rows={2} value={questions.value} dir="auto" onInput={(e) => void (questions.value = e.currentTarget.value)} />}</Field>
      <Tag options={options} />
      <p class="hint">Other keys and the origins that may use them are under <a href={pathOf("keys")}>API keys</a>.</p>
    </section>
  );
}
