// The first steps of a new site, on the overview until all are done or the owner closes the list.

import { useSignal } from "@preact/signals";
import { Checklist as ChecklistQuery } from "../../generated/dashboard";
import { may, site } from "../client";
import { pathOf } from "../route";
import { hiddenChecklists } from "../settings";
import { useQuery } from "../ui";

interface Step {
  text: string;
  hint: string;
  page: string;
  isDone: boolean;
}

/** Shown to people who can manage the site. */
export function Checklist() {
  const id = site.value!.id;
  const isHidden = useSignal(hiddenChecklists.has(id));
  return !may("ADMIN") || isHidden.value ? null : <Steps id={id} onClose={() => { hiddenChecklists.add(id); isHidden.value = true; }} />;
}

function Steps({ id, onClose }: { id: string; onClose(): void }) {
  const { data } = useQuery(ChecklistQuery, { site: id });
  const found = data?.site;
  if (!found) return null;
  const steps: Step[] = [
    { text: "Add a source of your own", hint: "HelpBot answers from your FAQ pages, help pages and files.", page: "sources", isDone: (found.sources?.nodes ?? []).some(({ kind }) => kind === "URL") || (found.sources?.totalCount ?? 0) > 1 },
    { text: "Ask a question", hint: "Try it in the answer lab and see the evidence of the answer.", page: "lab", isDone: (found.conversations?.totalCount ?? 0) > 0 },
    { text: "Add the widget to your site", hint: "Create a widget key and paste the tag into your pages.", page: "keys", isDone: (found.apiKeys?.nodes ?? []).some(({ kind, lastUsedAt, revokedAt }) => kind === "WIDGET" && lastUsedAt && !revokedAt) },
    { text: "Add a member", hint: "Visitors see the name of the member who answers them.", page: "members", isDone: (found.members?.totalCount ?? 0) > 0 },
  ];
  const done = steps.filter(({ isDone }) => isDone).length;
  if (done === steps.length) return null;
  return (
    <section class="card checklist" aria-labelledby="checklist">
      <div class="row between"><h2 id="checklist">Getting started</h2><span class="row"><span class="hint">{done} of {steps.length} done</span><button type="button" class="quiet" onClick={onClose}>Close the list</button></span></div>
      <ol>{steps.map(({ text, hint, page, isDone }) => (
        <li key={page} class={isDone ? "done" : ""}><span aria-hidden="true">{isDone ? "✓" : ""}</span>
          <div>{isDone ? <span>{text}<span class="sr"> (done)</span></span> : <a href={pathOf(page)}>{text}</a>}<p class="hint">{hint}</p></div></li>))}
      </ol>
    </section>
  );
}
