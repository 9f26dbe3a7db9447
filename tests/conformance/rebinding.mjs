// A hostile name server against the built binary and the system's resolver. A name that resolves to a public address when it is
// checked, and to a private one when HelpBot connects, must not be reachable. The test runs in a separate network and file
// system (unshare), in which /etc/resolv.conf names the test's own name server.
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import { createServer as createHttp } from 'node:http';
import { createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { makeAuthority } from './certificates.mjs';

const binary = process.env.HELPBOT_BINARY;
if (!binary) throw new Error('HELPBOT_BINARY names the built program');
/** The one address that the operator lets through: what is outside in that network. */
const OUTSIDE = '10.99.0.1';
const INSIDE = '127.0.0.1';
const STEADY = 'steady.example';
const REBINDING = 'rebinding.example';
/** Number of events sent to each name, and of syncs requested for each. */
const TRIES = 12;
const SECONDS = 60;

if (process.env.HELPBOT_REBINDING_HOME) await inside(process.env.HELPBOT_REBINDING_HOME);
else outside();

/** Makes the network and runs this file in it. */
function outside() {
  const home = mkdtempSync(join(tmpdir(), 'helpbot-rebinding-'));
  try {
    writeFileSync(join(home, 'resolv.conf'), `nameserver ${INSIDE}\noptions timeout:2 attempts:2\n`);
    writeFileSync(join(home, 'nsswitch.conf'), 'hosts: files dns\n');
    makeAuthority(home, [`DNS:${STEADY}`, `DNS:${REBINDING}`]);
    const own = ['--map-root-user', '--mount', '--net'];
    if (spawnSync('unshare', [...own, 'ip', 'link', 'set', 'lo', 'up']).status !== 0) {
      console.error('SKIPPED: rebinding.mjs (no network of its own: unshare or ip is missing or not permitted)');
      process.exitCode = process.env.CI === 'true' ? 1 : 0;
      return;
    }
    const setUp = [
      'set -e',
      'ip link set lo up',
      `ip address add ${OUTSIDE}/32 dev lo`,
      'mount --bind "$HELPBOT_REBINDING_HOME/resolv.conf" /etc/resolv.conf',
      'mount --bind "$HELPBOT_REBINDING_HOME/nsswitch.conf" /etc/nsswitch.conf',
      'exec "$0" "$1"',
    ].join('\n');
    const env = { ...process.env, HELPBOT_REBINDING_HOME: home };
    const script = fileURLToPath(import.meta.url);
    const ran = spawnSync('unshare', [...own, 'sh', '-c', setUp, process.execPath, script], { stdio: 'inherit', env });
    process.exitCode = ran.status ?? 1;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function check(what, holds, detail = '') {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}${detail === '' ? '' : `: ${detail}`}`);
  if (!holds) process.exitCode = 1;
}

/** Looks until it is so. */
async function until(what, look) {
  const end = Date.now() + SECONDS * 1000;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`${what} did not come in ${SECONDS} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A name server whose answers live for no time. Gives how often each name was asked for, by type. */
async function nameServer() {
  const A = 1;
  const AAAA = 28;
  const v4 = (address) => Buffer.from(address.split('.').map(Number));
  const loopback6 = Buffer.concat([Buffer.alloc(15), Buffer.from([1])]);
  // In turns: as a page is looked at, as it is dialled, and both at once in either order.
  const turns = {
    [A]: [[v4(OUTSIDE)], [v4(INSIDE)], [v4(OUTSIDE), v4(INSIDE)], [v4(INSIDE), v4(OUTSIDE)], [v4('0.0.0.0')], [v4('169.254.169.254')]],
    [AAAA]: [[], [loopback6], [], []],
  };
  const asked = {};
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const labels = [];
    let at = 12;
    for (; query[at] !== 0; at += query[at] + 1) labels.push(query.subarray(at + 1, at + 1 + query[at]).toString());
    const question = query.subarray(12, at + 5);
    const type = query.readUInt16BE(at + 1);
    const name = labels.join('.').toLowerCase();
    const turn = (asked[`${name} ${type}`] = (asked[`${name} ${type}`] ?? 0) + 1) - 1;
    const own = name === REBINDING ? (turns[type]?.[turn % turns[type].length] ?? []) : name === STEADY && type === A ? [v4(OUTSIDE)] : [];
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    // An answer with recursion, without an error.
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(own.length, 6);
    const records = own.map((data) => {
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(type, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt16BE(data.length, 10);
      return Buffer.concat([record, data]);
    });
    socket.send(Buffer.concat([head, question, ...records]), from.port, from.address);
  });
  await new Promise((resolve) => socket.bind(53, INSIDE, resolve));
  return asked;
}

/** Counts connections to the two ports of the web inside. */
async function canary() {
  const seen = [];
  for (const host of [INSIDE, '::1']) {
    for (const port of [80, 443]) {
      const server = createTcp((socket) => {
        seen.push(`${host}:${port}`);
        socket.destroy();
      });
      await new Promise((resolve) => server.listen(port, host, resolve));
    }
  }
  return seen;
}

/** What is outside: a page over http, and a receiver over https. Gives what it received, by name. */
async function publicServer(home) {
  const came = { [STEADY]: 0, [REBINDING]: 0 };
  const page = '<!doctype html><title>Help</title><h1>Help</h1><h2>Where is my order?</h2><p>You find it in your account, under orders.</p>';
  const web = createHttp((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html', connection: 'close' }).end(page);
  });
  const tls = { key: readFileSync(join(home, 'server.key')), cert: readFileSync(join(home, 'server.pem')) };
  // A connection for each, so that each asks for the name.
  const hooks = createHttps(tls, (request, response) => {
    came[request.headers.host] += 1;
    request.resume().on('end', () => response.writeHead(204, { connection: 'close' }).end());
  });
  await new Promise((resolve) => web.listen(80, OUTSIDE, resolve));
  await new Promise((resolve) => hooks.listen(443, OUTSIDE, resolve));
  return came;
}

/** The product: where it is, its key, and how to end it. */
async function product(home) {
  const server = spawn(binary, ['serve', '--listen', `${INSIDE}:0`, '--data', join(home, 'data')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      HELPBOT_LOG: 'error',
      HELPBOT_RATE_LIMITS: 'off',
      HELPBOT_ALLOW_PRIVATE: OUTSIDE,
      HELPBOT_CA_FILE: join(home, 'authority.pem'),
    },
  });
  let printed = '';
  server.stdout.on('data', (bytes) => (printed += bytes));
  const url = await until('the start', () => printed.includes('</script>') && printed.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0]);
  const key = readFileSync(join(home, 'data', 'first-keys.txt'), 'utf8').match(/sk_live_\w+/)[0];
  const execute = async (query, variables = {}) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    const told = await response.json();
    if (told.errors) throw new Error(JSON.stringify(told.errors));
    return told.data;
  };
  return { execute, end: () => server.kill('SIGKILL') };
}

async function inside(home) {
  const asked = await nameServer();
  const reached = await canary();
  const came = await publicServer(home);
  const { execute, end } = await product(home);
  try {
    const hook = (url) =>
      execute('mutation ($url: String!) { createWebhook(input: { url: $url, events: [CONVERSATION_CREATED] }) { webhook { id } userErrors { message } } }', { url });
    for (const name of [STEADY, REBINDING]) {
      const { createWebhook } = await hook(`https://${name}/`);
      if (!createWebhook.webhook) throw new Error(JSON.stringify(createWebhook.userErrors));
    }
    for (let n = 0; n < TRIES; n += 1) {
      await execute('mutation ($q: String!) { askQuestion(input: { question: $q }) { conversation { id } } }', { q: `Question ${n}?` });
    }
    const log = `query { site { webhooks { url deliveries(first: ${TRIES}) { nodes { attempts { nodes { statusCode errorCode } } } } } } }`;
    const attempts = await until('an attempt at each', async () => {
      const { site } = await execute(log);
      const of = (name) => site.webhooks.find(({ url }) => url.includes(name)).deliveries.nodes.map(({ attempts }) => attempts.nodes[0]);
      const all = { [STEADY]: of(STEADY), [REBINDING]: of(REBINDING) };
      return Object.values(all).every((first) => first.length === TRIES && first.every(Boolean)) && all;
    });
    const refused = attempts[REBINDING].filter(({ errorCode }) => errorCode === 'ADDRESS_NOT_ALLOWED').length;
    check('a name that stays outside gets all of its deliveries', came[STEADY] === TRIES, `${came[STEADY]} of ${TRIES}`);
    check('one that leads inside is refused', refused >= TRIES / 2, `${refused} of ${TRIES}`);
    check('and reached where it leads outside', came[REBINDING] > 0 && came[REBINDING] + refused >= TRIES, `${came[REBINDING]} of ${TRIES}`);

    const added = await execute('mutation ($url: String!) { addSource(input: { url: $url }) { source { id } userErrors { message } } }', { url: `http://${REBINDING}/` });
    const id = added.addSource.source?.id;
    if (!id) throw new Error(JSON.stringify(added.addSource.userErrors));
    const ends = {};
    for (let n = 0; n < TRIES; n += 1) {
      const status = await until('the end of a sync', async () => {
        const { node } = await execute('query ($id: ID!) { node(id: $id) { ... on Source { status } } }', { id });
        return ['INDEXED', 'FAILED'].includes(node.status) && node.status;
      });
      ends[status] = (ends[status] ?? 0) + 1;
      await execute('mutation ($id: ID!) { syncSource(input: { sourceId: $id }) { userErrors { message } } }', { id });
    }
    check('syncs fail when the name resolves to a private address', (ends.FAILED ?? 0) > 0, JSON.stringify(ends));
    const lookUps = asked[`${REBINDING} 1`] ?? 0;
    check('no answer of the name server is believed for longer than a try', lookUps >= 2 * TRIES, `asked ${lookUps} times`);
    check('nothing inside was reached', reached.length === 0, reached.join(' '));
  } finally {
    end();
  }
  process.exit();
}
