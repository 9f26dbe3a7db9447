// Runs test files one after the other and prints the time of each file at the end: `npm test`, or `npm test -- FILE…`.
//
// Each file starts a server and a browser of its own. Two files at once would make the steps of both slower.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

/** A file takes at most this long, and a soak the minutes of `SOAK_MINUTES` longer. */
const FILE_TIMEOUT_MS = 600_000 + Number(process.env.SOAK_MINUTES ?? 0) * 60_000;

const named = process.argv.slice(2);
const files = named.length ? named : readdirSync(".").filter((name) => name.endsWith(".test.mjs")).sort();
const rows = files.map((file) => {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, ["--test", "--test-reporter=spec", file], { stdio: "inherit", timeout: FILE_TIMEOUT_MS });
  return { file, seconds: (performance.now() - start) / 1000, hasPassed: status === 0 };
});
for (const { file, seconds, hasPassed } of rows) console.log(`${file.padEnd(24)} ${seconds.toFixed(1).padStart(6)} s  ${hasPassed ? "ok" : "FAILED"}`);
console.log(`${"all".padEnd(24)} ${rows.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(1).padStart(6)} s`);
process.exitCode = rows.every(({ hasPassed }) => hasPassed) ? 0 : 1;
