// A draft of a reply from the site's own index, with its sources, and the choice to keep the sent reply as an FAQ entry. The
// member always edits and sends the text; nothing is sent by itself.

import { useSignal } from "@preact/signals";
import { type Draft, DraftReply, Promote } from "../../generated/dashboard";
import { safeHref } from "../../text/markdown";
import { change, may } from "../client";
import { done } from "../toasts";
import { Act, Fault, sayError, useAction } from "../ui";

interface DraftButtonProps {
  id: string;
  siteId: string;
  onDraft(draft: Draft): void;
}

/** A button that asks for a draft. It says when HelpBot does not know an answer. */
export function DraftButton({ id, siteId, onDraft }: DraftButtonProps) {
  const { isBusy, error, act } = useAction();
  const isUnknown = useSignal(false);
  const ask = () => void act(async () => {
    isUnknown.value = false;
    const { draft } = await change(DraftReply, { input: { conversationId: id, siteId } });
    if (draft) onDraft(draft);
    else isUnknown.value = true;
  });
  return (
    <>
      <button type="button" class="quiet" data-shortcut="draft" disabled={isBusy} onClick={ask}><Act icon="answers">{isBusy ? "Drafting…" : "Draft"}</Act></button>
      <span class="hint" role="status">{isUnknown.value && "HelpBot does not know an answer to the last messages."}</span>
      <Fault text={error} />
    </>
  );
}

/** The sources of a draft, so that a member can check it before sending. */
export function Drafted({ draft }: { draft: Draft }) {
  const sources = new Map(draft.citations.map(({ title, url, textFragment }) => [url ?? title, { title, href: safeHref(textFragment ?? url ?? "") }]));
  return (
    <div class="drafted hint" role="group" aria-label="Sources of the draft">
      <p>Drafted from your content. Check it before you send it.</p>
      <ul>{[...sources.values()].map(({ title, href }) => <li key={title} dir="auto">{href ? <a href={href} target="_blank" rel="noopener noreferrer">{title}</a> : title}</li>)}</ul>
    </div>
  );
}

interface KeepProps {
  /** The question of the entry. Null while the reply is not kept. */
  question: string | null;
  /** What is asked, as far as it is known. */
  suggested: string;
  onChange(question: string | null): void;
}

/** The longest question of an FAQ entry. */
const QUESTION_MAX_CHARS = 500;

/** The choice to keep the reply as an FAQ entry, with its question. Nothing for members who may not write answers. */
export function KeepAsEntry({ question, suggested, onChange }: KeepProps) {
  if (!may("WRITE_SOURCES")) return null;
  return (
    <div class="keep">
      <label class="check hint"><input type="checkbox" checked={question !== null} onChange={(e) => onChange(e.currentTarget.checked ? suggested.slice(0, QUESTION_MAX_CHARS) : null)} />Keep the reply as an FAQ entry</label>
      {question !== null && <input aria-label="Question of the FAQ entry" required maxLength={QUESTION_MAX_CHARS} value={question} dir="auto" onInput={(e) => onChange(e.currentTarget.value)} />}
    </div>
  );
}

/** Adds an FAQ entry with a reply. The message about it says whether it was added. */
export function keepAsEntry(conversationId: string, siteId: string, question: string, answer: string): void {
  change(Promote, { input: { conversationId, siteId, question, answer } }).then(
    () => done("The reply is kept as an FAQ entry. Visitors get it as an answer from now on."),
    (error) => done(`The reply was not kept as an FAQ entry. ${sayError(error)}`));
}
