// The business hours of the team: a time zone, periods of each weekday and holidays. Visitors who ask for a human learn
// from them when somebody replies.

import { useSignal } from "@preact/signals";
import { Hours, type HoursResult, UpdateHours, type Weekday } from "../../generated/dashboard";
import { change, may, site } from "../client";
import { Icon } from "../icons";
import { Act, Fault, Field, Loading, Page, When, useAction, useQuery } from "../ui";

type Stored = NonNullable<NonNullable<HoursResult["site"]>["businessHours"]>;
type Period = Stored["periods"][number];

const DAYS: Array<[Weekday, string]> = [
  ["MONDAY", "Monday"], ["TUESDAY", "Tuesday"], ["WEDNESDAY", "Wednesday"], ["THURSDAY", "Thursday"], ["FRIDAY", "Friday"], ["SATURDAY", "Saturday"], ["SUNDAY", "Sunday"],
];
const OFFICE = { opensAt: "09:00", closesAt: "17:00" };

export function HoursPage() {
  const loaded = useQuery(Hours, { site: site.value!.id });
  return (
    <Page title="Business hours" about="When your team is there. Visitors who ask for a human see when they can expect a reply.">
      <Loading of={loaded}>{({ site: found }) => <Editor key={JSON.stringify(found?.businessHours)} stored={found?.businessHours ?? null} onSaved={loaded.reload} />}</Loading>
    </Page>
  );
}

/** The time zones that the browser knows, with its own one first. */
function zones(): string[] {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return [own, ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== own)];
}

function Editor({ stored, onSaved }: { stored: Stored | null; onSaved(): void }) {
  const zone = useSignal(stored?.timeZone ?? zones()[0]!);
  const periods = useSignal<Period[]>(stored?.periods ?? DAYS.slice(0, 5).map(([day]) => ({ day, ...OFFICE })));
  const holidays = useSignal(stored?.holidays.join("\n") ?? "");
  const { isBusy, error, act } = useAction();
  const canWrite = may("WRITE_CONFIG");
  const save = (isOn: boolean) => act(async () => {
    const businessHours = { timeZone: zone.value, periods: periods.value, holidays: holidays.value.split(/[\s,]+/).filter(Boolean) };
    await change(UpdateHours, { input: { businessHours: isOn ? businessHours : null, siteId: site.value!.id } });
    onSaved();
  });
  const set = (at: number, what: Partial<Period>) => void (periods.value = periods.value.map((one, i) => (i === at ? { ...one, ...what } : one)));
  return (
    <form class="card hours" onSubmit={(event) => { event.preventDefault(); void save(true); }}>
      <p class="hint" role="status">{stored === null ? "No business hours are set." : stored.isOpen ? "Your team is there now." : stored.nextOpeningAt ? <>Your team is back <When at={stored.nextOpeningAt} />.</> : "Your team is not there."}</p>
      <fieldset class="bare" disabled={!canWrite}>
        <Field label="Time zone">{(f) => <select {...f} value={zone.value} onChange={(e) => void (zone.value = e.currentTarget.value)}>
          {[...new Set([zone.value, ...zones()])].map((name) => <option key={name} value={name}>{name.replaceAll("_", " ")}</option>)}</select>}</Field>
        <table>
          <thead><tr><th scope="col">Day</th><th scope="col">From – to</th></tr></thead>
          <tbody>{DAYS.map(([day, name]) => (
            <tr key={day}><th scope="row">{name}</th><td>
              {periods.value.map((period, at) => period.day === day && (
                <div key={at} class="row">
                  <input type="time" required aria-label={`${name}, from`} value={period.opensAt} onInput={(e) => set(at, { opensAt: e.currentTarget.value })} />
                  <span aria-hidden="true">–</span>
                  <input type="time" required aria-label={`${name}, to`} value={period.closesAt === "24:00" ? "23:59" : period.closesAt} onInput={(e) => set(at, { closesAt: e.currentTarget.value === "23:59" ? "24:00" : e.currentTarget.value })} />
                  <button type="button" class="quiet square" aria-label={`Remove ${name}, ${period.opensAt} to ${period.closesAt}`} onClick={() => void (periods.value = periods.value.filter((_, i) => i !== at))}><Icon name="x" /></button>
                </div>))}
              <button type="button" class="quiet" aria-label={`Add a period on ${name}`} onClick={() => void (periods.value = [...periods.value, { day, ...OFFICE }])}><Act icon="plus">Add</Act></button>
            </td></tr>))}</tbody>
        </table>
        <Field label="Holidays" hint="One day per line, written 2026-12-24.">
          {(f) => <textarea {...f} rows={3} value={holidays.value} onInput={(e) => void (holidays.value = e.currentTarget.value)} />}</Field>
      </fieldset>
      <Fault text={error} />
      {canWrite && (
        <div class="row">
          <button type="submit" class="solid" disabled={isBusy}>Save</button>
          {stored && <button type="button" class="quiet danger" disabled={isBusy} onClick={() => void save(false)}><Act icon="trash">Remove the business hours</Act></button>}
        </div>)}
    </form>
  );
}
