// cynic: a Rust program whose types are checked against the schema when it is compiled, and which runs the scenario. The
// nightly checks run it, because building its dependencies takes longer than all other clients together.
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { check } from '../harness.mjs';
import { remote } from './remote.mjs';
import { scenario } from './scenario.mjs';

const folder = fileURLToPath(new URL('./cynic/', import.meta.url));
const env = { ...process.env, CARGO_TARGET_DIR: `${folder}target` };
execFileSync('cargo', ['build', '--quiet', '--locked'], { cwd: folder, env, stdio: 'inherit' });
check('the queries of cynic compile against the schema', true);
const client = await remote(`${folder}target/debug/helpbot-cynic`, [], folder);
await scenario('cynic', client);
client.stop();
process.exit();
