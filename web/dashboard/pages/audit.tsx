// The audit log: who changed what on the site, when and from where, with filters by member, action and time.

import { useSignal } from "@preact/signals";
import { AuditLog, type AuditLogFilter, Members } from "../../generated/dashboard";
import { site } from "../client";
import { KEY_KINDS } from "../labels";
import { param, setParams } from "../route";
import { Empty, Fault, Field, Loading, Page, Pager, type Trail, When, useQuery } from "../ui";

/** An action in words: `removeMember` becomes "remove member". */
const words = (action: string): string => action.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** The start of a day in the time zone of this browser. */
const dayOf = (text: string, daysLater = 0): string => {
  const day = new Date(`${text}T00:00:00`);
  day.setDate(day.getDate() + daysLater);
  return day.toISOString();
};

export function AuditPage() {
  const id = site.value!.id;
  const [member, action, from, until] = [param("member"), param("action"), param("from"), param("until")];
  const filter: AuditLogFilter = {
    ...member && { memberId: member }, ...action && { action }, ...from && { from: dayOf(from) }, ...until && { before: dayOf(until, 1) },
  };
  const trail = useSignal<Trail>([null]);
  const loaded = useQuery(AuditLog, { site: id, filter, after: trail.value.at(-1) ?? null });
  const people = useQuery(Members, { site: id, after: null }).data?.site?.members?.nodes ?? [];
  const nodes = loaded.data?.site?.auditLog?.nodes ?? [];
  const choose = (changes: Record<string, string>) => {
    trail.value = [null];
    setParams(changes);
  };
  return (
    <Page title="Audit log" about="Changes of this site: who changed what, when and from where. Entries are kept for a year.">
      <div class="row filters">
        <Field label="Member">{(f) => <select {...f} value={member} onChange={(e) => choose({ member: e.currentTarget.value })}>
          <option value="">Everybody</option>{people.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}</select>}</Field>
        <Field label="Action">{(f) => <select {...f} value={action} onChange={(e) => choose({ action: e.currentTarget.value })}>
          <option value="">Every action</option>{[...new Set([action, ...nodes.map((one) => one.action)])].filter(Boolean).sort().map((one) => <option key={one} value={one}>{words(one)}</option>)}</select>}</Field>
        <Field label="From">{(f) => <input {...f} type="date" value={from} onChange={(e) => choose({ from: e.currentTarget.value })} />}</Field>
        <Field label="Until">{(f) => <input {...f} type="date" value={until} onChange={(e) => choose({ until: e.currentTarget.value })} />}</Field>
      </div>
      <Loading of={loaded}>{({ site: found }) => {
        if (!found?.auditLog) return <Fault text="Your key does not have permission to read the audit log." />;
        const { nodes: rows, pageInfo } = found.auditLog;
        if (!rows.length) return <Empty title="No changes"><p>Nothing was changed that matches the filters.</p></Empty>;
        return (
          <>
            <div class="scroll tall" tabIndex={0} role="region" aria-label="Changes">
              <table>
                <thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">Action</th><th scope="col">Object</th><th scope="col">From where</th></tr></thead>
                <tbody>{rows.map((row, at) => (
                  <tr key={`${row.createdAt} ${at}`}>
                    <td><When at={row.createdAt} /></td>
                    <td dir="auto">{row.memberName ?? (row.apiKey?.name || KEY_KINDS[row.keyKind] || "API key")}</td>
                    <td>{words(row.action)}</td>
                    <td>{row.objectId && <code>{row.objectId}</code>}</td>
                    <td title={row.userAgent ?? ""}>{row.address ?? "not known"}</td>
                  </tr>))}</tbody>
              </table>
            </div>
            <Pager trail={trail} info={pageInfo} />
          </>
        );
      }}</Loading>
    </Page>
  );
}
