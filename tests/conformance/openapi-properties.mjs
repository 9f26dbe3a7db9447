// Schemathesis: requests made from the OpenAPI document, each answer held against it, with every
// check on. HELPBOT_PROPERTY_SECONDS says for how long; the seed is fixed.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { here } from './openapi.mjs';

const [base, key] = process.argv.slice(2);
const seconds = process.env.HELPBOT_PROPERTY_SECONDS ?? '20';
const program = [join(here, '.venv/bin/schemathesis'), 'schemathesis'].find((path) => !path.includes('/') || existsSync(path));
const { status, error } = spawnSync(
  program,
  [
    '--config-file', join(here, 'schemathesis.toml'),
    'run', `${base}/api/openapi.json`,
    '--checks', 'all', '--max-time', seconds, '--seed', '20261122',
    '--header', `Authorization: Bearer ${key}`,
  ],
  { stdio: 'inherit', cwd: here, env: { ...process.env, NO_COLOR: '1' } },
);
if (error) console.error(`schemathesis: ${error.message} (pip install --requirement requirements.txt)`);
process.exitCode = status ?? 1;
