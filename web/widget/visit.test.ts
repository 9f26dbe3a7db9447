import { expect, test, vi } from "vitest";
import { Identify, Report } from "../generated/forms";
import type { Backend } from "./backend";
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

/** Whether the session was found to belong to another person. */
async function isOther(...[run, session, token]: Parameters<typeof tell> extends [...infer Rest, unknown] ? Rest : never): Promise<boolean> {
  const onOther = vi.fn();
  await tell(run, session, token, onOther);
  return onOther.mock.calls.length > 0;
}

test("the_page_is_reported_without_its_query_and_then_the_token", async () => {
  const { run, sent } = server(null);

  expect(await isOther(run, SESSION, "jwt")).toBe(false);

  expect(sent.map(([operation]) => operation)).toEqual([Report, Identify]);
  expect(sent[0]![1].input.pageUrl).toBe(location.origin + location.pathname);
  expect(sent[1]![1].input).toEqual({ token: "jwt" });
});

test("without_a_token_nobody_is_identified", async () => {
  const { run, sent } = server(null);

  expect(await isOther(run, SESSION, undefined)).toBe(false);
  expect(await isOther(null, SESSION, "jwt")).toBe(false);

  expect(sent.map(([operation]) => operation)).toEqual([Report]);
});

test("the_session_of_another_person_is_noticed_and_a_refused_token_is_not_one", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});

  expect(await isOther(server("CONFLICT").run, SESSION, "jwt")).toBe(true);
  expect(warn).not.toHaveBeenCalled();
  expect(await isOther(server("BAD_USER_INPUT").run, SESSION, "jwt")).toBe(false);
  expect(warn).toHaveBeenCalledWith("HelpBot: It expired.");
});

test("a_report_that_fails_does_not_keep_the_visitor_anonymous", async () => {
  const { run, sent } = server(null);
  const failing = (async (session: never, operation: unknown, variables: never) => {
    if (operation === Report) throw new Error("unreachable");
    return run(session, operation as never, variables);
  }) as unknown as Backend["run"] & object;

  expect(await isOther(failing, SESSION, "jwt")).toBe(false);

  expect(sent.map(([operation]) => operation)).toEqual([Identify]);
});
