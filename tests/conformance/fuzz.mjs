// schemathesis makes up documents for every operation of the schema for FUZZ_SECONDS (15 if not said):
// none may be answered with a fault, or with what the schema does not promise.
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { check, httpUrl } from './harness.mjs';
import { program } from './python.mjs';

const [, key, operatorKey] = process.argv.slice(2);
const seconds = Number(process.env.FUZZ_SECONDS ?? 15);

/** For the operator alone: to others they are FORBIDDEN, which is told at the top of a response. */
const OPERATORS = ['Mutation.createSite', 'Mutation.updateSite', 'Mutation.deleteSite'];
/** A file is no value that schemathesis can make up; tests/tests/files.rs sends some. */
const FILES = ['Mutation.uploadSource', 'Mutation.importFaqEntries'];
/** A cursor that is none is an error at the top, and `sites` cannot be null: the whole response is. */
const APART = ['Query.sites'];
/** Rules that a schema cannot tell, such as `first` or `last` and never both, and values that a payload's
 * `userErrors` refuse: these checks hold each such refusal, and each such answer, for a fault. */
const UNTOLD = 'positive_data_acceptance,negative_data_rejection';

function fuzz(who, bearer, time, selection) {
  const limits = ['--max-time', String(time), '--seed', '1', '--no-color'];
  const args = [
    'run', httpUrl, '--header', `Authorization: Bearer ${bearer}`, '--exclude-checks', UNTOLD, ...limits, ...selection,
  ];
  const { status, stdout, stderr } = spawnSync(program('st'), args, {
    // Away from schemathesis.toml, which is for REST.
    encoding: 'utf8', cwd: tmpdir(), timeout: (time + 60) * 1000,
  });
  console.log(stdout.match(/Test cases:\n.*/)?.[0].replace('\n', '') ?? '');
  check(`schemathesis finds nothing with ${who} in ${time} s`, status === 0, stdout + stderr);
}

const named = (option, names) => names.flatMap((name) => [option, name]);
fuzz('a secret key', key, seconds, named('--exclude-name', [...OPERATORS, ...APART, ...FILES]));
fuzz('the operator\'s key', operatorKey, Math.ceil(seconds / 3), named('--include-name', OPERATORS));
