// The schema in the repository: what its linters say, whether the server serves it, and whether the
// stored operations of /api/v1, which the server does not validate, are valid.
import { diff } from '@graphql-inspector/core';
import { ESLint } from 'eslint';
import { buildClientSchema, buildSchema, getIntrospectionQuery, parse, printSchema, validate } from 'graphql';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { check, execute } from './harness.mjs';
import { problems } from './schema-changes.mjs';

const path = fileURLToPath(new URL('../../schema.graphql', import.meta.url));
const text = readFileSync(path, 'utf8');

const linter = fileURLToPath(new URL('./node_modules/.bin/graphql-schema-linter', import.meta.url));
const linted = spawnSync(linter, ['--format', 'compact', path], { encoding: 'utf8' });
check('graphql-schema-linter reports nothing', linted.status === 0, linted.stdout + linted.stderr);

process.env.SCHEMA = path;
const eslint = new ESLint({ overrideConfigFile: fileURLToPath(new URL('./eslint.config.mjs', import.meta.url)) });
const [result] = await eslint.lintText(text, { filePath: fileURLToPath(new URL('./schema.graphql', import.meta.url)) });
// `Session.sessionId` is the ID that its client chose, as `Conversation.sessionId`, and not the global `id`. The rule has no list of exceptions.
const EXCEPTION = '@graphql-eslint/no-typename-prefix: Field "sessionId" starts with the name of the parent type "Session"';
const said = result.messages
  .filter(({ ruleId, message }) => `${ruleId}: ${message}` !== EXCEPTION)
  .map(({ line, ruleId, message }) => `${line} ${ruleId}: ${message}`);
check('@graphql-eslint reports nothing', said.length === 0, said.join('\n'));

// The inspector's own loader does not ask for `specifiedByURL` and would miss it.
const asked = getIntrospectionQuery({
  descriptions: true, specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true,
  inputValueDeprecation: true, oneOf: true,
});
const served = buildSchema(printSchema(buildClientSchema(await execute(asked))));
const changes = await diff(buildSchema(text), served);
check('graphql-inspector finds no difference between file and server', changes.length === 0,
  changes.map((change) => change.message).join('\n'));

const undocumented = await problems();
check('docs/schema-changes.md lists every change since the published schema', undocumented.length === 0, undocumented.join('\n'));

const stored = new URL('../../rest-compat/operations/', import.meta.url);
const names = readdirSync(stored).filter((name) => name.endsWith('.graphql'));
const wrong = names.flatMap((name) =>
  validate(buildSchema(text), parse(readFileSync(new URL(name, stored), 'utf8'))).map((error) => `${name}: ${error.message}`));
check(`the ${names.length} stored operations are valid`, names.length > 0 && wrong.length === 0, wrong.join('\n'));
