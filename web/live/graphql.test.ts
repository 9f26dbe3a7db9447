import { afterEach, expect, test, vi } from "vitest";
import { isUnreachable, request } from "./graphql";

const send = () => request("/graphql", { apiKey: "wk" }, "{ site { id } }" as never, {}).catch((error: Error) => error);
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
