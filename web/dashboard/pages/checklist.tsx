// The first steps of a new site, on the overview until all are done or the owner closes the list. The tag of the widget can
// be created and copied here.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Checklist as ChecklistQuery } from "../../generated/dashboard";
import { may, site } from "../client";
import { Icon } from "../icons";
import { pathOf } from "../route";
import { hiddenChecklists } from "../settings";
import { useQuery } from "../ui";
import { Tag } from "./tag";

interface Step {
  text: string;
  hint: string;
  page: string;
  /** The text of the link to the page. */
  link: string;
  isDone: boolean;
  more?: ComponentChildren;
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
    { text: "Add a source of your own", hint: "HelpBot answers from your FAQ pages, help pages and files. The address of your site is enough.", page: "sources", link: "Add a source", isDone: (found.sources?.nodes ?? []).some(({ kind }) => kind === "URL") || (found.sources?.totalCount ?? 0) > 1 },
    { text: "Ask a question", hint: "Ask what your visitors ask, and see the passage that the answer comes from.", page: "lab", link: "Open the answer lab", isDone: (found.conversations?.totalCount ?? 0) > 0 },
    { text: "Add the widget to your site", hint: "Paste the tag before </body> in your pages. This step is done when a page with it was opened.", page: "widget", link: "Choose colors and texts", isDone: (found.apiKeys?.nodes ?? []).some(({ kind, lastUsedAt, revokedAt }) => kind === "WIDGET" && lastUsedAt && !revokedAt), more: <Tag /> },
    { text: "Add a member", hint: "Visitors see the name of the member who answers them.", page: "members", link: "Add a member", isDone: (found.members?.totalCount ?? 0) > 0 },
  ];
  const done = steps.filter(({ isDone }) => isDone).length;
  if (done === steps.length) return null;
  return (
    <section class="card checklist" aria-labelledby="checklist">
      <div class="row between"><h2 id="checklist">Getting started</h2>
        <span class="row"><progress aria-label="Steps done" value={done} max={steps.length} /><span class="hint">{done} of {steps.length} done</span><button type="button" class="quiet" onClick={onClose}>Close the list</button></span></div>
      <ol>{steps.map(({ text, hint, page, link, isDone, more }) => (
        <li key={page} class={isDone ? "done" : ""}><span class="mark">{isDone && <Icon name="check" />}</span>
          <div><strong>{text}{isDone && <span class="sr"> (done)</span>}</strong>{!isDone && <><p class="hint">{hint}</p>{more}</>}</div>
          {!isDone && <a class="button" href={pathOf(page)}>{link}</a>}</li>))}
      </ol>
    </section>
  );
}
