// Typed clients in TypeScript: the client preset of graphql-codegen, which generates the types and a manifest of persisted
// documents, gql.tada, which computes the types while compiling, and HelpBot's own package in web/client. The programs are
// compiled under strict rules and run.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { codegen } from '@graphql-codegen/core';
import { preset } from '@graphql-codegen/client-preset';
import { buildSchema, parse } from 'graphql';
import { apiKey, ask, check, execute, httpUrl } from '../harness.mjs';
import { cut, scenario, until } from './scenario.mjs';

const folder = fileURLToPath(new URL('./typed/', import.meta.url));
const packages = fileURLToPath(new URL('../node_modules/', import.meta.url));
const node = (...argv) => execFileSync(process.execPath, argv, { stdio: ['ignore', 'inherit', 'inherit'], cwd: folder });

const sdl = readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8');
const text = readFileSync(`${folder}codegen.ts`, 'utf8');
const documents = [...text.matchAll(/graphql\(`([^`]*)`\)/g)].map(([, document]) => ({ location: 'codegen.ts', rawSDL: document, document: parse(document) }));
mkdirSync(`${folder}gql`, { recursive: true });
const files = await preset.buildGeneratesSection({
  baseOutputDir: `${folder}gql/`,
  schema: parse(sdl),
  schemaAst: buildSchema(sdl),
  documents,
  config: { documentMode: 'string', enumsAsTypes: true, scalars: { DateTime: 'string', Date: 'string', Upload: 'File' }, emitLegacyCommonJSImports: false },
  presetConfig: { fragmentMasking: false, persistedDocuments: { hashAlgorithm: 'sha256' } },
  plugins: [],
  pluginMap: {},
});
for (const file of files) writeFileSync(file.filename, await codegen(file));
// web/client, which needs `npm ci` in web/. Node finds it by its name in a folder of packages beside the programs.
node(fileURLToPath(new URL('../../../web/scripts/client.mjs', import.meta.url)));
mkdirSync(`${folder}node_modules`, { recursive: true });
rmSync(`${folder}node_modules/helpbot-client`, { force: true });
symlinkSync(fileURLToPath(new URL('../../../web/client', import.meta.url)), `${folder}node_modules/helpbot-client`);
// The program of its page must compile too.
const page = readFileSync(new URL('../../../web/client/README.md', import.meta.url), 'utf8');
writeFileSync(`${folder}readme.ts`, page.match(/```ts\n([^]*?)```/)[1]);
node(`${packages}gql.tada/dist/gql-tada-cli.mjs`, 'generate-output');
node(`${packages}typescript/bin/tsc`, '--project', '.');
check('the programs with their types compile under strict rules', true);

const manifest = JSON.parse(readFileSync(`${folder}gql/persisted-documents.json`, 'utf8'));
const input = { documents: Object.entries(manifest).map(([id, body]) => ({ id, body })) };
const { addTrustedDocuments } = await execute('mutation ($input: AddTrustedDocumentsInput!) { addTrustedDocuments(input: $input) { addedCount userErrors { message } } }', { input });
check('the manifest of graphql-codegen is registered', addTrustedDocuments.userErrors.length === 0, JSON.stringify(addTrustedDocuments));

const { Connection } = await import('./typed/out/connection.js');
const connection = new Connection(httpUrl, apiKey);
for (const name of ['codegen', 'tada']) {
  const { adapter } = await import(`./typed/out/${name}.js`);
  await scenario(name, adapter(connection));
}

const own = (await import('./typed/out/own.js')).adapter(new URL(httpUrl).origin, apiKey);
await scenario('helpbot', own);
const counts = [];
const stop = own.waiting((count) => counts.push(count));
await until(() => counts.length > 0, 'the first result of the live query');
const waiting = await ask('Who helps me?');
await execute('mutation ($id: ID!) { requestHandoff(input: { conversationId: $id }) { userErrors { code } } }', { id: waiting });
await until(() => counts.at(-1) === counts[0] + 1, 'one more visitor who waits');
cut();
await execute('mutation ($id: ID!) { resolveConversation(input: { conversationId: $id }) { userErrors { code } } }', { id: waiting });
await until(() => counts.at(-1) === counts[0], 'one visitor less after a lost connection');
check('a live query of helpbot-client shows each change, also after a lost connection', true);
stop();
process.exit();
