// `npm test`: starts the built binary (HELPBOT_BINARY) on an empty directory and a free port, runs
// every script of this directory against it, and ends it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const binary = process.env.HELPBOT_BINARY;
if (!binary) throw new Error('HELPBOT_BINARY names the built program');
const home = mkdtempSync(join(tmpdir(), 'helpbot-conformance-'));
const server = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--data', join(home, 'data')], {
  stdio: ['ignore', 'pipe', 'inherit'],
  // The scripts ask more in a second than visitors in an hour.
  env: { ...process.env, HELPBOT_LOG: 'warn', HELPBOT_RATE_LIMITS: 'off' },
});

/** What the server prints at its start: its address and the keys of its first site. */
function started() {
  return new Promise((resolve, reject) => {
    let printed = '';
    server.stdout.on('data', (bytes) => {
      printed += bytes;
      const url = printed.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
      const key = printed.match(/sk_live_\w+/)?.[0];
      if (url && key) resolve({ url, key });
    });
    server.on('exit', (code) => reject(new Error(`the server ended with ${code}; it printed: ${printed}`)));
  });
}

function run(script, url, key) {
  console.log(`\n== ${script}`);
  const child = spawn(process.execPath, [script, url, key], { stdio: 'inherit' });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}

// The last one changes whatever it can reach.
const scripts = [
  'audit-http.mjs', 'ws-frames.mjs', 'ws-resume.mjs', 'sse.mjs', 'openapi-lint.mjs', 'sdk.mjs', 'openapi-properties.mjs',
];
let failed = 0;
try {
  const { url, key } = await started();
  for (const script of scripts) {
    if ((await run(script, url, key)) !== 0) failed += 1;
  }
} finally {
  server.removeAllListeners('exit');
  server.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
}
console.log(`\n${scripts.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
