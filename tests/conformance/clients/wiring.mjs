// The wiring of docs/graphql.md, taken from the page: the code block whose first line names `file`. It is written beside
// this file, so that it finds the packages of this directory, and imported.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

const page = readFileSync(new URL('../../../docs/graphql.md', import.meta.url), 'utf8');

export async function wiring(file) {
  const block = [...page.matchAll(/```(?:js|ts)\n([^]*?)\n```/g)].map(([, text]) => text).find((text) => text.startsWith(`// ${file}:`));
  if (!block) throw new Error(`docs/graphql.md has no program that begins with "// ${file}:"`);
  const path = new URL(`./.${file.replace(/\.js$/, '')}-${process.pid}.mjs`, import.meta.url);
  writeFileSync(path, block);
  try {
    return await import(path);
  } finally {
    rmSync(path);
  }
}
