// Deliveries as their receivers see them: verified by the libraries of Standard Webhooks for Node
// and Python, by the page that legacy clients were written from, and by the programs of
// docs/webhooks.md, taken out of that page and run as they stand.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { Webhook } from 'standardwebhooks';
import typescript from 'typescript';
import { ask, check, execute, soon } from './harness.mjs';

const page = readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8');
const work = mkdtempSync(join(tmpdir(), 'helpbot-webhooks-'));
const python = process.env.HELPBOT_PYTHON ?? 'python3';

/** The first program of that language in the page. */
function sample(language) {
  const found = page.match(new RegExp('```' + language + '\\n([\\s\\S]*?)```'));
  if (!found) throw new Error(`no ${language} in docs/webhooks.md`);
  return found[1];
}

/** Gives `input` to a program and returns what it prints. */
function run(command, args, input, options = {}) {
  const child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout.on('data', (bytes) => (printed += bytes));
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve(printed.trim()) : reject(new Error(`${command}: ${code}`))));
    child.stdin.end(input);
  });
}

/** An endpoint; `next()` waits for a delivery. */
async function endpoint() {
  const arrived = [];
  const waiting = [];
  const server = createServer((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const delivery = { headers: request.headers, body: Buffer.concat(pieces) };
      response.writeHead(204).end();
      const waiter = waiting.shift();
      if (waiter) waiter(delivery);
      else arrived.push(delivery);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const next = () => soon(new Promise((resolve) => (arrived.length ? resolve(arrived.shift()) : waiting.push(resolve))), 'a delivery');
  return { url: `http://127.0.0.1:${server.address().port}/hook`, next, close: () => server.close() };
}

/** What is sent, and what somebody else might make of it; true where it has to be believed. */
function cases({ headers, body }, secret) {
  const signature = headers['x-helpbot-signature'];
  const changed = Buffer.from(body);
  changed[changed.length - 3] ^= 1;
  return [
    { what: 'the delivery', body, signature, secret, is: true },
    { what: 'a changed body', body: changed, signature, secret, is: false },
    { what: 'another secret', body, signature, secret: secret.slice(0, -2) + 'A=', is: false },
    { what: 'a changed signature', body, signature: signature.replace(/.$/, (c) => (c === '0' ? '1' : '0')), secret, is: false },
    { what: 'no signature', body, signature: '', secret, is: false },
    { what: 'a signature that is no text of ours', body, signature: 'sha256=ä', secret, is: false },
  ];
}

/** What `verify` says of all cases. */
async function checkAll(name, delivery, secret, verify) {
  for (const one of cases(delivery, secret)) {
    const said = await verify(one);
    check(`${name}: ${one.what}`, said === one.is, String(said));
  }
}

const lines = (one) => JSON.stringify({ body: one.body.toString('base64'), signature: one.signature, secret: one.secret });

async function node(delivery, secret) {
  const file = join(work, 'verify.mjs');
  writeFileSync(file, sample('js'));
  const { verify } = await import(pathToFileURL(file).href);
  await checkAll('docs, Node', delivery, secret, (one) => verify(one.body, one.signature, one.secret));
}

async function pythonSample(delivery, secret) {
  const main = `
import base64, json, sys
one = json.load(sys.stdin)
print(verify(base64.b64decode(one["body"]), one["signature"], one["secret"]))
`;
  const file = join(work, 'verify.py');
  writeFileSync(file, sample('python') + main);
  await checkAll('docs, Python', delivery, secret, async (one) => (await run(python, [file], lines(one))) === 'True');
}

async function goSample(delivery, secret) {
  const dir = join(work, 'go');
  mkdirSync(join(dir, 'webhook'), { recursive: true });
  writeFileSync(join(dir, 'go.mod'), 'module sample\n\ngo 1.19\n');
  writeFileSync(join(dir, 'webhook', 'verify.go'), sample('go'));
  writeFileSync(
    join(dir, 'main.go'),
    `package main

import (
	"encoding/json"
	"fmt"
	"os"

	"sample/webhook"
)

func main() {
	var one struct {
		Body              []byte
		Signature, Secret string
	}
	if err := json.NewDecoder(os.Stdin).Decode(&one); err != nil {
		panic(err)
	}
	fmt.Println(webhook.Verify(one.Body, one.Signature, one.Secret))
}
`,
  );
  const env = { ...process.env, GOCACHE: join(work, 'go-cache'), GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' };
  const program = join(work, 'verify-go');
  await run('go', ['build', '-o', program, '.'], '', { cwd: dir, env });
  await checkAll('docs, Go', delivery, secret, async (one) => (await run(program, [], lines(one))) === 'true');
}

/** The unchanged program of the legacy reference page, inside a handler as in its users' code. */
async function legacy(delivery, secret) {
  const program = readFileSync(new URL('legacy/verify.ts', import.meta.url), 'utf8');
  const [imports, body] = program.split(/\n\n([\s\S]*)/);
  const handler = `${imports}\nexport default function (req: any, rawBody: Buffer, WEBHOOK_SECRET: string) {\n${body}}\n`;
  const options = { module: typescript.ModuleKind.ESNext, target: typescript.ScriptTarget.ES2022 };
  const { outputText, diagnostics } = typescript.transpileModule(handler, { reportDiagnostics: true, compilerOptions: options });
  if (diagnostics.length > 0) throw new Error(typescript.formatDiagnostics(diagnostics, typescript.createCompilerHost({})));
  const file = join(work, 'legacy.mjs');
  writeFileSync(file, outputText);
  const { default: handle } = await import(pathToFileURL(file).href);
  await checkAll('the legacy page', delivery, secret, (one) => {
    const response = handle({ headers: { ...delivery.headers, 'x-helpbot-signature': one.signature } }, one.body, one.secret);
    return response === undefined || response.status !== 401;
  });
}

const STANDARD = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];

function standardNode({ headers, body }, secret) {
  const says = (body, secret, changes = {}) => {
    try {
      const event = new Webhook(secret).verify(body, { ...headers, ...changes });
      return event.event;
    } catch (error) {
      return error.constructor.name;
    }
  };
  const name = headers['x-helpbot-event'];
  check('standardwebhooks, npm: the delivery', says(body.toString(), secret) === name, says(body.toString(), secret));
  check('standardwebhooks, npm: a changed body', says(`${body} `, secret) === 'WebhookVerificationError');
  const old = { 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 3600) };
  check('standardwebhooks, npm: an old moment', says(body.toString(), secret, old) === 'WebhookVerificationError');
  const other = `whsec_${Buffer.alloc(32).toString('base64')}`;
  check('standardwebhooks, npm: another secret', says(body.toString(), other) === 'WebhookVerificationError');
}

async function standardPython({ headers, body }, secret) {
  const program = `
import json, sys
from standardwebhooks.webhooks import Webhook
one = json.load(sys.stdin)
def says(body):
    try:
        return Webhook(one["secret"]).verify(body, one["headers"])["event"]
    except Exception as error:
        return type(error).__name__
print(json.dumps([says(one["body"]), says(one["body"] + " ")]))
`;
  const own = Object.fromEntries(STANDARD.map((name) => [name, headers[name]]));
  const input = JSON.stringify({ headers: own, body: body.toString(), secret });
  const [as, changed] = JSON.parse(await run(python, ['-c', program], input));
  check('standardwebhooks, PyPI: the delivery', as === headers['x-helpbot-event'], as);
  check('standardwebhooks, PyPI: a changed body', changed === 'WebhookVerificationError', changed);
}

const receiver = await endpoint();
try {
  const made = await execute(
    `mutation ($url: String!) {
      createWebhook(input: { url: $url, events: [CONVERSATION_CREATED] }) { webhook { id } secret userErrors { message } }
    }`,
    { url: receiver.url },
  );
  const { secret, webhook, userErrors } = made.createWebhook;
  if (!secret) throw new Error(JSON.stringify(userErrors));
  // Characters of two, three and four bytes: the signature is over bytes.
  await ask('Où est ma commande? 訂單 🚚');
  const delivery = await receiver.next();
  await legacy(delivery, secret);
  standardNode(delivery, secret);
  await standardPython(delivery, secret);
  await node(delivery, secret);
  await pythonSample(delivery, secret);
  await goSample(delivery, secret);

  const rotate = (step) =>
    execute(
      'mutation ($id: ID!, $step: WebhookRotationStep!) { rotateWebhookSecret(input: { id: $id, step: $step }) { secret userErrors { message } } }',
      { id: webhook.id, step },
    );
  const next = (await rotate('STAGE')).rotateWebhookSecret.secret;
  await ask('Between two secrets?');
  const between = await receiver.next();
  standardNode(between, secret);
  standardNode(between, next);
  await standardPython(between, next);
} finally {
  receiver.close();
  rmSync(work, { recursive: true, force: true });
}
