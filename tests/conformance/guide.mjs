// The programs of docs/graphql.md, taken from the page and run as a reader would: that in Node with
// this directory's packages, that in Python with those of requirements.txt.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { check } from './harness.mjs';
import { program } from './python.mjs';

const [url, key] = process.argv.slice(2);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const page = readFileSync(here('../../docs/graphql.md'), 'utf8');

/** What both programs tell of events: the line is cut after the first. */
const EVENTS = [
  'CONVERSATION_CREATED Is anybody there?',
  'CONVERSATION_UNANSWERED Is anybody there?',
  'CONVERSATION_CREATED What was missed?',
];

function run(language, interpreter, name) {
  // The page has fragments too. A program reads the address of the server.
  const texts = [...page.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``, 'g'))].map(([, text]) => text);
  const text = texts.find((text) => text.includes('HELPBOT_URL'));
  if (!text) throw new Error(`docs/graphql.md has no program in ${language}`);
  writeFileSync(here(name), text);
  const env = { ...process.env, HELPBOT_URL: url, HELPBOT_KEY: key };
  const { status, stdout, stderr } = spawnSync(interpreter, [here(name)], { encoding: 'utf8', env, timeout: 60_000 });
  rmSync(here(name));
  const lines = stdout.trim().split('\n');
  const events = lines.filter((line) => line.startsWith('CONVERSATION_'));
  check(`the program in ${language} ends well`, status === 0, stderr);
  check('a named question was asked once', lines[0] === 'asked once', lines[0]);
  check('conversations were read', lines.includes('How do I add the widget?'), stdout);
  check('each event arrived once, including those during the interruption', events.join() === EVENTS.join(), events.join('; '));
  check('nothing was missed', lines.at(-1) === 'nothing was missed', lines.at(-1));
}

run('js', process.execPath, './.guide.mjs');
run('python', program('python'), './.guide.py');
