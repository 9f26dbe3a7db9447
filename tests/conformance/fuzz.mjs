// schemathesis makes up documents for every operation of the schema for FUZZ_SECONDS (defaults to 30) with
// a secret key, and for a third of that with the operator's. All checks are on: none may be answered with a fault, or
// with what the schema does not promise; valid documents are accepted (graphql_arguments.py), and invalid ones refused.
// It asks with the newer media type, by which a document that is refused has status 400.
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { check, httpUrl } from './harness.mjs';
import { program } from './python.mjs';

const [, key, operatorKey] = process.argv.slice(2);
const here = fileURLToPath(new URL('.', import.meta.url));
const seconds = Number(process.env.FUZZ_SECONDS ?? 30);

/** Only for the operator. Other viewers get FORBIDDEN as a top-level error. */
const OPERATORS = ['Query.batchJobs', 'Query.sites', 'Mutation.createSite', 'Mutation.updateSite', 'Mutation.deleteSite'];
/** They refuse later operations by design: of a visitor, or all questions of a day. The operator's run asks nothing. */
const BLOCKING = ['Mutation.blockVisitor', 'Mutation.updateCreditCaps'];
/** A file is no value that schemathesis can make up; tests/tests/it/files.rs sends some. */
const FILES = ['Mutation.uploadSource', 'Mutation.importFaqEntries'];

function fuzz(who, bearer, time, selection) {
  const headers = [`Authorization: Bearer ${bearer}`, 'Accept: application/graphql-response+json'];
  const limits = ['--max-time', String(time), '--seed', '1', '--no-color'];
  const args = ['run', httpUrl, ...headers.flatMap((header) => ['--header', header]), ...limits, ...selection];
  const { status, stdout, stderr } = spawnSync(program('st'), args, {
    // Away from schemathesis.toml, which is for REST. The hook gives arguments with rules of their own valid values.
    encoding: 'utf8', cwd: tmpdir(), timeout: (time + 60) * 1000,
    env: { ...process.env, SCHEMATHESIS_HOOKS: 'graphql_arguments', PYTHONPATH: here },
  });
  console.log(stdout.match(/Test cases:\n.*/)?.[0].replace('\n', '') ?? '');
  check(`schemathesis finds nothing with ${who} in ${time} s`, status === 0, stdout + stderr);
}

const named = (option, names) => names.flatMap((name) => [option, name]);
fuzz('a secret key', key, seconds, named('--exclude-name', [...OPERATORS, ...BLOCKING, ...FILES]));
fuzz('the operator\'s key', operatorKey, Math.ceil(seconds / 3), named('--include-name', [...OPERATORS, ...BLOCKING]));
