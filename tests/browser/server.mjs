// Starts the server under test in a directory of its own and reads the keys of its first start.
//
// `HELPBOT_BINARY` names the program (default: target/release/helpbot, then target/debug/helpbot); with
// `HELPBOT_MOCK=1` the pages are tested over the made-up data of web/dev instead, which needs no Rust.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const START_MS = 30_000;

/** `{origin, secretKey, widgetKey, stop}` of a fresh server. */
export async function startServer() {
  return process.env.HELPBOT_MOCK ? startMock() : startProgram();
}

async function startMock() {
  const { mockServer } = await import("../../web/dev/mock.mjs");
  const { server, sockets } = mockServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    sockets.clients.forEach((socket) => socket.terminate());
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, secretKey: "sk_live_mock", widgetKey: "wk_live_mock", stop };
}

async function startProgram() {
  const known = [process.env.HELPBOT_BINARY, join(ROOT, "target/release/helpbot"), join(ROOT, "target/debug/helpbot")];
  const program = known.find((path) => path && existsSync(path));
  if (!program) throw new Error("no helpbot program: run `cargo build`, or name one in HELPBOT_BINARY");
  const data = mkdtempSync(join(tmpdir(), "helpbot-browser-"));
  const port = await freePort();
  const child = spawn(program, ["serve", "--listen", `127.0.0.1:${port}`, "--data", data], { stdio: ["ignore", "pipe", "pipe"] });
  const origin = `http://127.0.0.1:${port}`;
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => { said += part; });
  const keyOf = (kind) => new RegExp(`\\b${kind}_live_\\w+`).exec(said)?.[0];
  const stop = () => {
    child.kill("SIGTERM");
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await until(async () => keyOf("wk") && keyOf("sk") && (await fetch(`${origin}/readyz`)).ok, START_MS);
    const [widgetKey, secretKey] = [keyOf("wk"), keyOf("sk")];
    await until(() => isIndexed(origin, secretKey), START_MS);
    return { origin, secretKey, widgetKey, stop };
  } catch (error) {
    stop();
    throw new Error(`the server did not start: ${error.message}\n${said.replace(/(_live_)\w+/g, "$1…")}`);
  }
}

async function isIndexed(origin, key) {
  const { site } = await graphql(origin, key, "{ site { sources(first: 5) { nodes { status } } } }");
  return site.sources.nodes.length > 0 && site.sources.nodes.every(({ status }) => status === "INDEXED");
}

export async function graphql(origin, key, query, variables = {}) {
  const response = await fetch(`${origin}/graphql`, {
    method: "POST", headers: { "Content-Type": "application/json", Authorization: `Bearer ${key}` }, body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors?.length) throw new Error(errors[0].message);
  return data;
}

/** Waits for a condition; a throw counts as not yet. */
export async function until(condition, withinMs = 10_000) {
  const end = Date.now() + withinMs;
  for (let last; ; last = undefined) {
    const holds = await Promise.resolve().then(condition).catch((error) => {
      last = error;
    });
    if (holds) return holds;
    if (Date.now() > end) throw last ?? new Error(`not true within ${withinMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** A wire to the server that can be cut: open connections break and new ones are refused until mended. */
export async function wireTo(origin) {
  const { hostname, port } = new URL(origin);
  const open = new Set();
  let isCut = false;
  const wire = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(Number(port), hostname);
    for (const [from, to] of [[near, far], [far, near]]) {
      open.add(from);
      from.on("error", () => {}).on("close", () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
    return undefined;
  });
  await new Promise((resolve) => wire.listen(0, "127.0.0.1", resolve));
  const breakAll = () => open.forEach((socket) => socket.destroy());
  return {
    origin: `http://127.0.0.1:${wire.address().port}`,
    cut: () => {
      isCut = true;
      breakAll();
    },
    mend: () => {
      isCut = false;
    },
    stop: () => {
      breakAll();
      wire.close();
    },
  };
}
