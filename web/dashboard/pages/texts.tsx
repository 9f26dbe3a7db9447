// The texts of the widget in further languages: the tabs of the languages, and the editor of one of them. An empty field
// shows as its placeholder what a visitor of the language sees then.

import { type Signal, useSignal } from "@preact/signals";
import { DeleteTexts, SetTexts, type Texts, TextsOf, type Widget } from "../../generated/dashboard";
import { change, may, run, site } from "../client";
import { param, pathOf, setParams } from "../route";
import { done } from "../toasts";
import { Confirm, Fault, Field, counted, useAction } from "../ui";

/** The name of a text that can be translated. */
export type TextName = "botName" | "onlineText" | "greeting" | "inputPlaceholder" | "typingText" | "feedbackYesText" | "feedbackNoText" | "handoffText"
  | "handoffSentText" | "emailPlaceholder" | "emailSendText" | "emailSkipText" | "errorText" | "networkErrorText";

/** The texts in the order in which visitors see them, by what they belong to. */
export const TEXTS: Array<[string, Array<[TextName, string]>]> = [
  ["Header and start", [["botName", "Name of the bot"], ["onlineText", "Status below the name"], ["greeting", "Greeting"], ["inputPlaceholder", "Placeholder of the question field"], ["typingText", "Shown while the bot answers"]]],
  ["Feedback", [["feedbackYesText", "After helpful feedback"], ["feedbackNoText", "After unhelpful feedback"]]],
  ["Talking to a human", [["handoffText", "Button"], ["handoffSentText", "After the request"], ["emailPlaceholder", "Placeholder of the e-mail field"], ["emailSendText", "Button to send the e-mail address"], ["emailSkipText", "Button to skip the e-mail address"]]],
  ["Error messages", [["errorText", "Server error"], ["networkErrorText", "No connection"]]],
];
const NAMES = TEXTS.flatMap(([, fields]) => fields.map(([name]) => name));

/** Languages that are offered first. Any other tag can be typed. */
const OFFERED = ["ar", "da", "de", "en", "es", "fi", "fr", "it", "ja", "ko", "nb", "nl", "pl", "pt", "pt-BR", "sv", "tr", "uk", "zh-Hans"];

/** The name of a language in the language of the browser. The tag itself when the browser does not know it. */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames(undefined, { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** What is written and not saved yet, by language. */
export type TextDrafts = Signal<Record<string, Texts>>;

/** What a visitor sees with these texts and the colors of `widget`. */
export function translated(widget: Widget, texts: Texts): Widget {
  const own = Object.fromEntries(NAMES.map((name) => [name, texts[name] ?? texts.fallback[name]]));
  return { ...widget, ...own, starterQuestions: texts.starterQuestions ?? texts.fallback.starterQuestions };
}

const changedNames = (texts: Texts, stored: Texts) => [...NAMES, "starterQuestions" as const].filter((name) => JSON.stringify(texts[name]) !== JSON.stringify(stored[name]));

/** The languages as tabs, and a field that adds one. */
export function LanguageTabs({ languages, onAdd }: { languages: string[]; onAdd(texts: Texts): void }) {
  const current = param("language");
  const typed = useSignal("");
  const { isBusy, error, act } = useAction();
  const add = (event: Event) => {
    event.preventDefault();
    void act(async () => {
      const { site: found } = await run(TextsOf, { site: site.value!.id, language: typed.value.trim() });
      const texts = found?.widgetTexts?.[0];
      if (!texts) throw new Error("This is not a language tag. Examples are de, pt-BR and zh-Hans.");
      onAdd(texts);
      typed.value = "";
      setParams({ language: texts.language });
    });
  };
  return (
    <div class="languages">
      <nav class="tabs" aria-label="Language of the texts">
        {["", ...languages].map((tag) => <a key={tag} class="button" href={pathOf("widget", tag ? { language: tag } : {})} aria-current={tag === current ? "true" : undefined}>{tag ? languageName(tag) : "Default language"}</a>)}
      </nav>
      {may("WRITE_CONFIG") && (
        <form class="row" onSubmit={add}>
          <input aria-label="Language to add" placeholder="Language tag, for example de" list="languages" required maxLength={35} spellcheck={false} value={typed.value} onInput={(e) => void (typed.value = e.currentTarget.value)} />
          <datalist id="languages">{OFFERED.filter((tag) => !languages.includes(tag)).map((tag) => <option key={tag} value={tag}>{languageName(tag)}</option>)}</datalist>
          <button type="submit" disabled={isBusy}>Add language</button>
        </form>)}
      <Fault text={error} />
    </div>
  );
}

interface TextsEditorProps {
  stored: Texts;
  drafts: TextDrafts;
  /** The language that the owner has chosen for all visitors, or `auto`. */
  aiLanguage: string;
  onSaved(texts: Texts): void;
  onDeleted(language: string): void;
}

/** The form with the texts of one language. */
export function TextsEditor({ stored, drafts, aiLanguage, onSaved, onDeleted }: TextsEditorProps) {
  const { language, fallback } = stored;
  const texts = drafts.value[language] ?? stored;
  const note = useSignal("");
  const { isBusy, error, act } = useAction();
  const canWrite = may("WRITE_CONFIG");
  const changed = changedNames(texts, stored);
  const put = (draft: Texts | null) => {
    const { [language]: _, ...others } = drafts.value;
    drafts.value = draft ? { ...others, [language]: draft } : others;
  };
  const set = (what: Partial<Texts>) => put({ ...texts, ...what });
  const input = { siteId: site.value!.id, language };
  const save = (event: Event) => {
    event.preventDefault();
    void act(async () => {
      const questions = texts.starterQuestions?.filter((line) => line.trim());
      const written = { ...texts, starterQuestions: questions?.length ? questions : null };
      const { texts: saved } = await change(SetTexts, { input: { ...input, ...Object.fromEntries(changed.map((name) => [name, written[name]])) } });
      put(null);
      if (saved) onSaved(saved);
      note.value = "Saved. Open pages show the change when they are reloaded.";
    });
  };
  const remove = () => void act(async () => {
    // A language that was never saved has no texts on the server.
    if (changedNames(stored, { ...stored, ...EMPTY }).length > 0) await change(DeleteTexts, { input });
    put(null);
    done(`The texts in ${languageName(language)} are deleted.`);
    onDeleted(language);
  });
  const isFixed = aiLanguage !== "auto";
  return (
    <form onSubmit={save}>
      <p class="hint">Visitors whose page or browser is in {languageName(language)} see these texts. An empty field shows its placeholder.</p>
      {isFixed && <p class="warn" role="status">The language of answers is set to {languageName(aiLanguage)}, so all visitors see the texts in {languageName(aiLanguage)}. Set it to auto to use other languages.</p>}
      <fieldset disabled={!canWrite}>
        <legend>Starter questions</legend>
        <Field label="Questions" hint="One per line, at most 6. Without any, visitors see those of the default language.">
          {(f) => <textarea {...f} rows={3} lang={language} dir="auto" placeholder={fallback.starterQuestions.join("\n")} value={texts.starterQuestions?.join("\n") ?? ""}
            onInput={(e) => set({ starterQuestions: e.currentTarget.value ? e.currentTarget.value.split("\n") : null })} />}</Field>
      </fieldset>
      {TEXTS.map(([title, fields]) => (
        <fieldset key={title} disabled={!canWrite}><legend>{title}</legend>{fields.map(([name, label]) => (
          <Field key={name} label={label}>{(f) => <input {...f} lang={language} dir="auto" maxLength={name === "botName" ? 80 : 500} placeholder={fallback[name]} value={texts[name] ?? ""}
            onInput={(e) => set({ [name]: e.currentTarget.value || null })} />}</Field>))}
        </fieldset>))}
      <div class="savebar">
        <Fault text={error} />
        <span class="hint" role="status">{changed.length ? counted(changed.length, "unsaved change") : note.value}</span>
        {canWrite && <Confirm label="Delete" about={`the texts in ${languageName(language)}`} question={`Delete all texts in ${languageName(language)}?`} onYes={remove} />}
        <button type="button" disabled={!changed.length} onClick={() => put(null)}>Discard changes</button>
        <button type="submit" class="solid" disabled={!canWrite || !changed.length || isBusy}>Save</button>
      </div>
    </form>
  );
}

/** A language in which nothing is written. */
const EMPTY: Partial<Texts> = { ...Object.fromEntries(NAMES.map((name) => [name, null])), starterQuestions: null };
