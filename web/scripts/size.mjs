// Prints the gzipped sizes of the files that visitors and agents download, and of the client package. Fails when a size
// exceeds its limit.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const KB = 1024;
const { files } = JSON.parse(readFileSync(`${DIST}manifest.json`, "utf8"));
const gzipped = (path) => files.find((file) => file.path === path)?.gzipBytes ?? 0;

/** The size of a page with the scripts and styles that it references and their static imports. */
function firstLoad(page) {
  const seen = new Set();
  const visit = (path) => {
    if (seen.has(path) || !gzipped(path)) return;
    seen.add(path);
    if (!/\.(html|js)$/.test(path)) return;
    const text = readFileSync(DIST + path, "utf8");
    const named = path.endsWith(".html")
      ? [...text.matchAll(/(?:src|href)="\/([^"]+)"/g)].map((m) => m[1])
      : [...text.matchAll(/(?:^|[;}\s])(?:import|export)(?:[\w\s{},*$]*from)?\s*"\.\/([^"]+)"/g)].map((m) => `assets/${m[1]}`);
    named.forEach(visit);
  };
  visit(page);
  return [...seen].reduce((sum, path) => sum + gzipped(path), 0);
}

const clientPackage = fileURLToPath(new URL("../client/dist/index.js", import.meta.url));
const panel = files.find((file) => /^assets\/panel-.*\.js$/.test(file.path))?.path;
const rows = [
  ["widget loader", gzipped("widget.js"), 2.5 * KB],
  ["widget panel", gzipped(panel), 18 * KB],
  ["dashboard, first load", firstLoad("dashboard.html"), 130 * KB],
  ["client package", gzipSync(readFileSync(clientPackage), { level: 9 }).length, 5 * KB],
];
for (const [name, bytes, limit] of rows) {
  const isOver = bytes > limit;
  console.log(`${name.padEnd(24)} ${(bytes / KB).toFixed(2).padStart(8)} KB gz of ${limit / KB} ${isOver ? "OVER" : "ok"}`);
  if (!isOver) continue;
  console.error(`The ${name} is ${bytes - limit} bytes over its limit of ${limit / KB} KB.`);
  process.exitCode = 1;
}
