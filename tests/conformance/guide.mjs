// The programs of docs/graphql.md, taken from the page and run as a reader would: those in Node with
// this directory's packages, that in Python with those of requirements.txt. The wiring of client libraries is run by clients/.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { check, executeWith } from './harness.mjs';
import { program } from './python.mjs';

const [url, key, operatorKey] = process.argv.slice(2);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const page = readFileSync(here('../../docs/graphql.md'), 'utf8');

/** What both programs tell of events: the line is cut after the first. */
const EVENTS = [
  'CONVERSATION_CREATED Is anybody there?',
  'CONVERSATION_UNANSWERED Is anybody there?',
  'CONVERSATION_CREATED What was missed?',
];

/** Runs the program of the page that begins with `beginning`. */
function runProgram(language, interpreter, name, beginning, keys = { HELPBOT_KEY: key }) {
  const texts = [...page.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``, 'g'))].map(([, text]) => text);
  const text = texts.find((text) => text.startsWith(beginning));
  if (!text) throw new Error(`docs/graphql.md has no program in ${language} that begins with "${beginning}"`);
  writeFileSync(here(name), text);
  const env = { ...process.env, HELPBOT_URL: url, ...keys };
  const { status, stdout, stderr } = spawnSync(interpreter, [here(name)], { encoding: 'utf8', env, timeout: 60_000 });
  rmSync(here(name));
  return { status, stdout, stderr };
}

function run(language, interpreter, name, beginning) {
  const { status, stdout, stderr } = runProgram(language, interpreter, name, beginning);
  const lines = stdout.trim().split('\n');
  const events = lines.filter((line) => line.startsWith('CONVERSATION_'));
  check(`the program in ${language} ends well`, status === 0, stderr);
  check('a named question was asked once', lines[0] === 'asked once', lines[0]);
  check('conversations were read', lines.includes('How do I add the widget?'), stdout);
  check('each event arrived once, including those during the interruption', events.join() === EVENTS.join(), events.join('; '));
  check('nothing was missed', lines.at(-1) === 'nothing was missed', lines.at(-1));
}

run('js', process.execPath, './.guide.mjs', '// HELPBOT_URL is the address');
run('python', program('python'), './.guide.py', '# HELPBOT_URL is the address');
// The team of the program replies to everybody who waits, so it gets a site on which nobody else does.
const made = await executeWith(operatorKey, `mutation { createSite(input: { name: "Reply", ownerEmail: "owner@reply.example" }) {
  site { id } userErrors { message }
} }`);
async function keyOf(kind) {
  const { createApiKey } = await executeWith(operatorKey, `mutation ($input: CreateApiKeyInput!) {
    createApiKey(input: $input) { secret userErrors { message } }
  }`, { input: { siteId: made.createSite.site.id, kind, name: 'reply' } });
  return createApiKey.secret;
}
const keys = { HELPBOT_KEY: await keyOf('SECRET'), HELPBOT_WIDGET_KEY: await keyOf('WIDGET') };
const reply = runProgram('js', process.execPath, './.guide-reply.mjs', '// reply.js:', keys);
check('a visitor asks for a human, and reads the reply of the team', reply.stdout === 'REQUESTED AGENT Hello! How can I help you?\n', reply.stdout + reply.stderr);
