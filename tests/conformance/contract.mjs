// The schema in the repository: what its linters say, and whether the server serves it.
import { diff } from '@graphql-inspector/core';
import { ESLint } from 'eslint';
import { buildClientSchema, buildSchema, getIntrospectionQuery, printSchema } from 'graphql';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { check, execute } from './harness.mjs';

const path = fileURLToPath(new URL('../../schema.graphql', import.meta.url));
const text = readFileSync(path, 'utf8');

const linter = fileURLToPath(new URL('./node_modules/.bin/graphql-schema-linter', import.meta.url));
const linted = spawnSync(linter, ['--format', 'compact', path], { encoding: 'utf8' });
check('graphql-schema-linter reports nothing', linted.status === 0, linted.stdout + linted.stderr);

process.env.SCHEMA = path;
const eslint = new ESLint({ overrideConfigFile: fileURLToPath(new URL('./eslint.config.mjs', import.meta.url)) });
const [result] = await eslint.lintText(text, { filePath: fileURLToPath(new URL('./schema.graphql', import.meta.url)) });
const said = result.messages.map(({ line, ruleId, message }) => `${line} ${ruleId}: ${message}`);
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
