// Redocly's strict rules and Spectral's OpenAPI rules: no error, no warning.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fetchDocument, here } from './openapi.mjs';

const [base] = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), 'helpbot-openapi-'));
const file = join(dir, 'openapi.json');

function lint(name, argv) {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: here, env, encoding: 'utf8' });
  const isClean = status === 0 && !/warning|error/i.test(stdout);
  console.log(`${isClean ? 'ok  ' : 'FAIL'} ${name}`);
  if (!isClean) {
    console.log(stdout, stderr);
    process.exitCode = 1;
  }
}

try {
  writeFileSync(file, await fetchDocument(base));
  lint('redocly', ['node_modules/@redocly/cli/bin/cli.js', 'lint', '--extends=recommended-strict', '--format=stylish', file]);
  const ruleset = join(here, 'spectral.yaml');
  lint('spectral', ['node_modules/@stoplight/spectral-cli/dist/index.js', 'lint', '--ruleset', ruleset, '--fail-severity=hint', '--quiet', file]);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
