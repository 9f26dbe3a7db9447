import { afterEach, expect, test, vi } from "vitest";
import type { Doc } from "./document";
import { isUnreachable, request } from "./graphql";

const SITE = { id: "helpbot:1", text: "{site{id}}" } as unknown as Doc<object, object>;
const send = () => request("/graphql", { apiKey: "wk" }, SITE, {}).catch((error: Error) => error);
const respond = (make: () => Response | Promise<Response>) => vi.stubGlobal("fetch", async () => make());

afterEach(() => vi.unstubAllGlobals());

test("a_response_whose_body_is_cut_off_is_a_failed_connection", async () => {
  const body = () => new ReadableStream({
    start(stream) {
      stream.enqueue(new TextEncoder().encode("{\"data\":"));
      stream.error(new TypeError("network error"));
    },
  });
  respond(() => new Response(body()));
  expect(isUnreachable(await send())).toBe(true);

  respond(() => new Response("{\"data\":{\"site\""));
  expect(isUnreachable(await send())).toBe(true);
});

test("a_proxy_of_a_restarting_server_is_a_failed_connection_and_other_statuses_are_errors", async () => {
  respond(() => new Response("<h1>Bad gateway</h1>", { status: 502 }));
  expect(isUnreachable(await send())).toBe(true);

  respond(() => new Response("<h1>Not found</h1>", { status: 404 }));
  expect(await send()).toMatchObject({ code: "HTTP_404", status: 404 });
});

test("the_first_error_of_a_response_is_thrown_with_its_code", async () => {
  respond(() => Response.json({ errors: [{ message: "Too many requests.", extensions: { code: "RATE_LIMITED" } }] }, { status: 429 }));

  expect(await send()).toMatchObject({ code: "RATE_LIMITED", status: 429 });
});

test("a_request_contains_the_id_of_the_document_and_its_text_for_servers_of_another_version", async () => {
  const bodies: unknown[] = [];
  vi.stubGlobal("fetch", async (_url: string, init: RequestInit) => {
    bodies.push(JSON.parse(String(init.body)));
    return Response.json({ data: { site: { id: "site_1" } } });
  });

  await request("/graphql", { apiKey: "wk" }, SITE, { first: 1 });

  expect(bodies).toEqual([{ documentId: "helpbot:1", query: "{site{id}}", variables: { first: 1 } }]);
});
