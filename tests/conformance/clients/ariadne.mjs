// ariadne-codegen: a typed Python client is generated from the schema and the operations, and runs the scenario.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { check } from '../harness.mjs';
import { program } from '../python.mjs';
import { remote } from './remote.mjs';
import { scenario } from './scenario.mjs';

const folder = fileURLToPath(new URL('./ariadne/', import.meta.url));
const generated = spawnSync(program('ariadne-codegen', folder), ['client'], { cwd: folder, encoding: 'utf8' });
check('ariadne-codegen generates a client from the schema', generated.status === 0, generated.stderr);
const client = await remote(program('python', folder), ['program.py'], folder);
await scenario('ariadne', client);
client.stop();
process.exit();
