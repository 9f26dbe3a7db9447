// schemathesis makes up documents for every operation of the schema for FUZZ_SECONDS (15 if not said):
// none may be answered with a fault, and what the caller can put right belongs into `userErrors`.
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { check, httpUrl } from './harness.mjs';
import { program } from './python.mjs';

const [, key, operatorKey] = process.argv.slice(2);
const seconds = Number(process.env.FUZZ_SECONDS ?? 15);

/** For the operator alone: to others they are FORBIDDEN, which is told at the top of a response. */
const OPERATORS = ['Mutation.createSite', 'Mutation.updateSite', 'Mutation.deleteSite'];
/** A cursor that is none is an error at the top: a list has no payload to hold it. */
const APART = ['Query.sites'];

function fuzz(who, bearer, time, selection) {
  const limits = ['--max-time', String(time), '--seed', '1', '--no-color'];
  const args = ['run', httpUrl, '--header', `Authorization: Bearer ${bearer}`, ...limits, ...selection];
  const { status, stdout, stderr } = spawnSync(program('st'), args, {
    // Away from schemathesis.toml, which is for REST.
    encoding: 'utf8', cwd: tmpdir(), timeout: (time + 60) * 1000,
  });
  console.log(stdout.match(/Test cases:\n.*/)?.[0].replace('\n', '') ?? '');
  check(`schemathesis finds nothing with ${who} in ${time} s`, status === 0, stdout + stderr);
}

const named = (option, names) => names.flatMap((name) => [option, name]);
fuzz('a secret key', key, seconds, named('--exclude-name', [...OPERATORS, ...APART]));
fuzz('the operator\'s key', operatorKey, Math.ceil(seconds / 3), named('--include-name', OPERATORS));
