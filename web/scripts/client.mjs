// Builds the package in `client/`: `dist/index.js` (the client), `dist/operations.js` (typed documents), `dist/operations.json`
// (the documents by their IDs, for the setting `trusted_documents`) and the types. `npm run build` needs only the first.

import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(WEB, "client/dist");

const bundle = async (input, name) => {
  const build = await rolldown({ input: join(WEB, input), logLevel: "warn", transform: { target: "es2023" } });
  await build.write({ file: join(DIST, name), format: "es", minify: true });
};

/** Writes `client/dist/index.js`. */
export const buildClient = () => bundle("client/src/index.ts", "index.js");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(DIST, { recursive: true, force: true });
  execFileSync(process.execPath, [join(WEB, "scripts/codegen.mjs")], { stdio: "inherit" });
  await buildClient();
  await bundle("generated/client.ts", "operations.js");
  copyFileSync(join(WEB, "generated/client.json"), join(DIST, "operations.json"));
  execFileSync(process.execPath, [join(WEB, "node_modules/typescript/bin/tsc"), "--project", join(WEB, "client")], { stdio: "inherit" });
  // Node's resolution needs the extension in relative imports.
  for (const name of readdirSync(join(DIST, "types"), { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
    const file = join(DIST, "types", name);
    writeFileSync(file, readFileSync(file, "utf8").replace(/(from "\.[^"]*)"/g, '$1.js"'));
  }
}
