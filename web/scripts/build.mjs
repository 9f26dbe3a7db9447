// `npm run build`: generates types from the schema and builds the panel, the loader that names the panel file, and
// the pages. Then it writes compressed variants and `dist/manifest.json`, which lists what the server serves.
//
// Layout of dist: `widget.js` (loader), `assets/*` (hashed, immutable), `demo.html`, `embed.html`,
// `dashboard.html`, `graphiql.html`, each with a `.br` and a `.gz` file beside it when they are smaller.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build as rolldown } from "rolldown";
import { build } from "vite";
import { buildClient } from "./client.mjs";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(WEB, "dist");
const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml", ".json": "application/json", ".woff2": "font/woff2", ".ttf": "font/ttf",
};
const PAGES = ["demo", "embed", "dashboard", "graphiql"];

/** Settings that all builds share. data: URLs are disabled so that the content security policy needs no exception. */
const common = (extra) => ({
  configFile: false, root: WEB, base: "/", publicDir: false, logLevel: "warn",
  ...extra,
  build: {
    outDir: DIST, emptyOutDir: false, target: "es2022", assetsInlineLimit: 0, reportCompressedSize: false,
    modulePreload: { polyfill: false }, chunkSizeWarningLimit: 4000, ...extra.build,
  },
});

/** Removes the line breaks between the rules of the widget's style sheets, which are template literals. */
const oneLineStyles = {
  name: "one-line-styles",
  transform: {
    filter: { id: /widget\/(styles|loader)\.ts$/ },
    handler: (code) => code.replace(/`[^`]*`/g, (text) => text.replaceAll("}\n", "}")),
  },
};

/** Builds the panel and one file for each language besides English. Returns the name of the panel's file. */
async function buildPanel() {
  const { output } = await rolldown({
    input: { panel: join(WEB, "widget/mount.ts") }, logLevel: "warn", plugins: [oneLineStyles], transform: { target: "es2022" },
    output: { dir: DIST, entryFileNames: "assets/panel-[hash].js", chunkFileNames: "assets/widget-[name]-[hash].js", format: "es", minify: true, comments: false },
  });
  return output.find((file) => file.isEntry).fileName;
}

/** Uses the bundler directly, because Vite would wrap the dynamic import in its preloader. */
const buildLoader = (panelFile) => rolldown({
  input: join(WEB, "widget/loader.ts"), logLevel: "warn", plugins: [oneLineStyles], transform: { target: "es2022", define: { PANEL_FILE: JSON.stringify(panelFile) } },
  output: { file: join(DIST, "widget.js"), format: "iife", minify: true },
});

/** Removes the fonts in data: URLs from the style sheet of GraphiQL, because the content security policy blocks them. */
const withoutInlineFonts = {
  name: "without-inline-fonts", enforce: "pre",
  transform: { filter: { id: /\.css$/ }, handler: (css) => css.replace(/@font-face\s*\{[^{}]*data:[^{}]*\}/g, "") },
};

const buildPages = () => build(common({
  root: join(WEB, "pages"), plugins: [withoutInlineFonts],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { rollupOptions: {
    // Ignores the directive "use client" of React libraries, which has no meaning without server rendering.
    onLog: (level, log, hand) => log.code === "MODULE_LEVEL_DIRECTIVE" || hand(level, log),
    input: Object.fromEntries(PAGES.map((name) => [name, join(WEB, `pages/${name}.html`)]).filter(([, file]) => existsSync(file))),
  } },
}));

const files = (dir) => readdirSync(dir, { withFileTypes: true })
  .flatMap((entry) => (entry.isDirectory() ? files(join(dir, entry.name)) : [join(dir, entry.name)]));

/** Writes `file.br` and `file.gz` when they are smaller. Returns the manifest entry of the file. */
function describe(file) {
  const bytes = readFileSync(file);
  const variants = {
    br: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
    gz: gzipSync(bytes, { level: 9 }),
  };
  const encodings = Object.entries(variants).filter(([, data]) => data.length < bytes.length);
  // The server fills in the placeholders of templates, so templates are not compressed at build time.
  const isTemplate = bytes.includes("%HELPBOT_");
  if (!isTemplate) for (const [suffix, data] of encodings) writeFileSync(`${file}.${suffix}`, data);
  const path = relative(DIST, file);
  return {
    path, contentType: TYPES[extname(file)] ?? "application/octet-stream", bytes: bytes.length, gzipBytes: variants.gz.length,
    immutable: path.startsWith("assets/"), template: isTemplate, encodings: isTemplate ? [] : encodings.map(([suffix]) => suffix),
  };
}

/** Runs another script. When it fails, its last line is the reason and nothing is added to it. */
function runScript(name) {
  const { status } = spawnSync(process.execPath, [join(WEB, "scripts", name)], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(DIST, { recursive: true, force: true });
runScript("codegen.mjs");
await buildLoader(await buildPanel());
await buildPages();
await buildClient();
const listed = files(DIST).filter((file) => statSync(file).size > 0).sort().map(describe);
writeFileSync(join(DIST, "manifest.json"), `${JSON.stringify({ files: listed }, null, 1)}\n`);
runScript("size.mjs");
