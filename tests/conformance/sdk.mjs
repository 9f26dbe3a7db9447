// A client is generated from the server's own OpenAPI document, compiled strictly, and makes every
// documented call.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import openapiTS, { astToString } from 'openapi-typescript';
import { fetchDocument, here } from './openapi.mjs';

const [base, key] = process.argv.slice(2);
const node = (...argv) => execFileSync(process.execPath, argv, { stdio: 'inherit', cwd: here });
writeFileSync(`${here}/sdk/schema.d.ts`, astToString(await openapiTS(await fetchDocument(base))));
node('node_modules/typescript/bin/tsc', '--project', 'sdk');
console.log('ok   the generated client compiles under strict rules');
node('sdk/out/documented.js', base, key);
