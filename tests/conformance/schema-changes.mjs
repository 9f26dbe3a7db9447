// The changes of the GraphQL schema since the last published version, found by graphql-inspector and written into
// docs/schema-changes.md between two marks. Changes of descriptions are left out.
//   node schema-changes.mjs                    checks that the page is up to date and explains each breaking change
//   node schema-changes.mjs --update           writes the page
//   node schema-changes.mjs --publish VERSION  makes the present schema the last published one
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { diff } from '@graphql-inspector/core';
import { buildSchema, parse, print, visit } from 'graphql';

const SCHEMA = new URL('../../schema.graphql', import.meta.url);
const PUBLISHED = new URL('./schema/published.graphql', import.meta.url);
const PAGE = new URL('../../docs/schema-changes.md', import.meta.url);
const [BEGIN, END] = ['<!-- Written by tests/conformance/schema-changes.mjs. -->', '<!-- End of the written part. -->'];
const read = (url) => readFileSync(url, 'utf8');

/** Changes that a client notices, most severe first. */
async function changes() {
  const found = await diff(buildSchema(read(PUBLISHED)), buildSchema(read(SCHEMA)));
  return found.filter(({ type }) => !/DESCRIPTION|^DIRECTIVE_USAGE/.test(type));
}

/** The new parts of each type that existed before, and the new types. Parts of a new type or field are left out. */
function additions(added) {
  const names = new Set(added.map(({ path }) => path));
  const types = [...names].filter((path) => !path.includes('.')).sort();
  const parts = [...names].filter((path) => path.includes('.') && !names.has(path.slice(0, path.lastIndexOf('.'))));
  const byType = new Map();
  for (const path of parts) {
    const [type] = path.split('.');
    byType.set(type, [...(byType.get(type) ?? []), path]);
  }
  const list = (paths) => paths.map((path) => `\`${path}\``).sort().join(', ');
  const rows = [...byType].sort(([one], [other]) => (one < other ? -1 : 1)).map(([type, paths]) => `| \`${type}\` | ${list(paths.map((path) => path.slice(type.length + 1)))} |`);
  return [...(types.length ? [`New types and directives: ${list(types)}.`] : []), ...(rows.length ? ['', '| type | new parts |', '|---|---|', ...rows] : [])];
}

/** The part of the page that this program writes. */
function render(found) {
  const level = (name) => found.filter(({ criticality }) => criticality.level === name);
  const line = ({ message }) => `- ${message.replaceAll(/'([^']+)'/g, '`$1`')}.`;
  const section = (title, lines) => (lines.length ? [`### ${title}`, '', ...lines, ''] : []);
  const isAddition = ({ type }) => type.endsWith('ADDED') && !type.includes('DEPRECAT');
  const harmless = level('NON_BREAKING');
  return [
    BEGIN,
    '',
    ...section('Every change that can break a client', level('BREAKING').map(line).sort()),
    ...section('Every addition that a client must ignore when it does not know it', level('DANGEROUS').map(line).sort()),
    ...section('Every other addition', additions(harmless.filter(isAddition))),
    ...section('Every other change', [...new Set(harmless.filter((change) => !isAddition(change)).map(line))].sort()),
    END,
  ].join('\n');
}

/** The page with the written part replaced. */
function withPart(page, part) {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('docs/schema-changes.md has no place for the changes');
  return page.slice(0, begin) + part + page.slice(end + END.length);
}

/** What is wrong with the page. Empty when it is right. */
export async function problems() {
  const page = read(PAGE);
  const found = await changes();
  const wrong = [];
  if (withPart(page, render(found)) !== page) wrong.push('docs/schema-changes.md is not up to date: run `node schema-changes.mjs --update` in tests/conformance');
  const byHand = page.slice(0, page.indexOf(BEGIN));
  for (const { path, message, criticality } of found) {
    // A changed type that has a new name is explained by the line about the type.
    const names = [path.split('.').at(-1), ...(/from '(\w+)/.exec(message)?.slice(1) ?? [])];
    if (criticality.level === 'BREAKING' && !names.some((name) => byHand.includes(`${name}`))) wrong.push(`docs/schema-changes.md does not say what replaces ${path}: ${message}`);
  }
  return wrong;
}

/** The schema without descriptions, which are no part of the comparison. */
const stripped = () => print(visit(parse(read(SCHEMA)), { enter: (node) => ('description' in node ? { ...node, description: undefined } : undefined) }));

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [mode, version] = process.argv.slice(2);
  if (mode === '--update') {
    writeFileSync(PAGE, withPart(read(PAGE), render(await changes())));
  } else if (mode === '--publish') {
    if (!version) throw new Error('--publish needs the version');
    const final = render(await changes()).replace(BEGIN, '').replace(END, '').trim();
    const page = read(PAGE);
    const next = `## Unreleased\n\n${BEGIN}\n\n${END}\n\n## ${version}`;
    writeFileSync(PAGE, withPart(page, final).replace('## Unreleased', next));
    writeFileSync(PUBLISHED, `# The schema of the last published version, without descriptions. \`node schema-changes.mjs --publish VERSION\` replaces it.\n${stripped()}\n`);
  } else {
    const wrong = await problems();
    for (const problem of wrong) console.error(problem);
    process.exitCode = wrong.length ? 1 : 0;
  }
}
