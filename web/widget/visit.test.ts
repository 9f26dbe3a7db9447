import { expect, test, vi } from "vitest";
import { Identify, Report } from "../generated/forms";
import type { Backend } from "./backend";
import type { Identity } from "./shell";
import { Store } from "./store";
import { tell } from "./visit";

const SESSION = { id: "s", token: "st_1" };

/** A server that answers `identifyVisitor` with this error. */
function server(code: string | null) {
  const sent: Array<[unknown, { input: Record<string, unknown> }]> = [];
  const run = (async (_session: unknown, operation: unknown, variables: { input: Record<string, unknown> }) => {
    sent.push([operation, variables]);
    return operation === Report ? { reportVisit: { userErrors: [] } } : { identifyVisitor: { userErrors: code ? [{ code, message: "It expired." }] : [] } };
  }) as unknown as Backend["run"] & object;
  return { run, sent };
}

/** Tells the server and returns whether the chat began again, and whether its visitor is named now. */
async function told(run: Backend["run"], who: Identity | null | undefined, isNamed = false): Promise<{ isNew: boolean; isNamed: boolean }> {
  const restart = vi.fn();
  const store = new Store("visit", null);
  Object.assign(store.state, { session: SESSION, isNamed });
  await tell(run, SESSION, who, store, restart);
  return { isNew: restart.mock.calls.length > 0, isNamed: store.state.isNamed };
}

test("the_page_is_reported_without_its_query_and_then_the_token", async () => {
  const { run, sent } = server(null);

  expect(await told(run, { token: "jwt" })).toEqual({ isNew: false, isNamed: true });

  expect(sent.map(([operation]) => operation)).toEqual([Report, Identify]);
  expect(sent[0]![1].input.pageUrl).toBe(location.origin + location.pathname);
  expect(sent[1]![1].input).toEqual({ token: "jwt" });
});

test("a_chat_ends_when_its_named_visitor_signs_out_and_no_other", async () => {
  const { run, sent } = server(null);

  expect(await told(run, null, true)).toMatchObject({ isNew: true });
  expect(sent).toEqual([]);
  expect(await told(run, null, false)).toMatchObject({ isNew: false });
  expect(await told(run, undefined, true)).toMatchObject({ isNew: false });
});

test("without_a_token_nobody_is_identified", async () => {
  const { run, sent } = server(null);

  expect(await told(run, undefined)).toEqual({ isNew: false, isNamed: false });
  expect(await told(null, { token: "jwt" })).toEqual({ isNew: false, isNamed: false });

  expect(sent.map(([operation]) => operation)).toEqual([Report]);
});

test("the_session_of_another_person_is_noticed_and_a_refused_token_is_not_one", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});

  expect(await told(server("CONFLICT").run, { token: "jwt" })).toEqual({ isNew: true, isNamed: false });
  expect(warn).not.toHaveBeenCalled();
  expect(await told(server("BAD_USER_INPUT").run, { token: "jwt" })).toEqual({ isNew: false, isNamed: false });
  expect(warn).toHaveBeenCalledWith("HelpBot: It expired.");
});

test("a_report_that_fails_does_not_keep_the_visitor_anonymous", async () => {
  const { run, sent } = server(null);
  const failing = (async (session: never, operation: unknown, variables: never) => {
    if (operation === Report) throw new Error("unreachable");
    return run(session, operation as never, variables);
  }) as unknown as Backend["run"] & object;

  expect(await told(failing, { token: "jwt" })).toMatchObject({ isNew: false });

  expect(sent.map(([operation]) => operation)).toEqual([Identify]);
});
