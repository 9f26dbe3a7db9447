// Starts the server under test in an empty data directory and reads the keys that its first start prints.
//
// `HELPBOT_BINARY` names the program (default: target/release/helpbot, then target/debug/helpbot).

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const START_MS = 30_000;

/** Starts a new server. Returns `{origin, secretKey, widgetKey, operatorKey, stop}`. `env` is added to its environment. */
export async function startServer(env = {}) {
  const known = [process.env.HELPBOT_BINARY, join(ROOT, "target/release/helpbot"), join(ROOT, "target/debug/helpbot")];
  const program = known.find((path) => path && existsSync(path));
  if (!program) throw new Error("The helpbot program was not found. Run `cargo build`, or set HELPBOT_BINARY.");
  const data = mkdtempSync(join(tmpdir(), "helpbot-browser-"));
  const child = spawn(program, ["serve", "--listen", "127.0.0.1:0", "--data", data], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => { said += part; });
  const stop = () => {
    child.once("exit", () => rmSync(data, { recursive: true, force: true }));
    child.kill("SIGTERM");
  };
  try {
    const origin = await until(() => said.includes("</script>") && /is ready at (http:\S+)/.exec(said)?.[1], START_MS);
    // The server writes its keys to a file, because its output is not a terminal.
    const keys = readFileSync(join(data, "first-keys.txt"), "utf8");
    const keyOf = (prefix) => new RegExp(`\\b${prefix}_\\w+`).exec(keys)?.[0];
    const [widgetKey, secretKey, operatorKey] = ["wk_live", "sk_live", "adm"].map(keyOf);
    await until(() => isIndexed(origin, secretKey), START_MS);
    return { origin, secretKey, widgetKey, operatorKey, stop };
  } catch (error) {
    stop();
    throw new Error(`The server did not start: ${error.message}\n${said.replace(/\b(\w+_live_|adm_)\w+/g, "$1…")}`);
  }
}

async function isIndexed(origin, key) {
  const { site } = await graphql(origin, key, "{ site { sources(first: 5) { nodes { status } } } }");
  return site.sources.nodes.length > 0 && site.sources.nodes.every(({ status }) => status === "INDEXED");
}

/**
 * Runs an operation and returns its data. Throws for an error and for a user error of a mutation. With `address`, the
 * request seems to come from this client address, because the server trusts proxies on this machine.
 */
export async function graphql(origin, key, query, variables = {}, address = null) {
  const response = await fetch(`${origin}/graphql`, {
    method: "POST", body: JSON.stringify({ query, variables }),
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${key}`, ...address && { "X-Forwarded-For": address } },
  });
  const { data, errors } = await response.json();
  const refused = errors ?? Object.values(data).flatMap((field) => field?.userErrors ?? []);
  if (refused.length) throw new Error(`${refused[0].message}: ${query}`);
  return data;
}

/** Whether the schema has this mutation. The pages hide features that the schema does not have. */
export async function offers({ origin, ownerKey }, mutation) {
  const { __schema } = await graphql(origin, ownerKey, "{ __schema { mutationType { fields { name } } } }");
  return __schema.mutationType.fields.some(({ name }) => name === mutation);
}

/** Waits until a condition is true. A condition that throws counts as not true yet. */
export async function until(condition, withinMs = 10_000) {
  const end = Date.now() + withinMs;
  for (let last; ; last = undefined) {
    const holds = await Promise.resolve().then(condition).catch((error) => {
      last = error;
    });
    if (holds) return holds;
    if (Date.now() > end) throw last ?? new Error(`The condition was not true within ${withinMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A proxy to the server that can be cut. Open connections then break and new ones fail until it is restored. */
export async function lineTo(origin) {
  const { hostname, port } = new URL(origin);
  const open = new Set();
  let isCut = false;
  const line = createServer((near) => {
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
  await new Promise((resolve) => line.listen(0, "127.0.0.1", resolve));
  const breakAll = () => open.forEach((socket) => socket.destroy());
  return {
    origin: `http://127.0.0.1:${line.address().port}`,
    cut: () => {
      isCut = true;
      breakAll();
    },
    restore: () => {
      isCut = false;
    },
    stop: () => {
      breakAll();
      line.close();
    },
  };
}
