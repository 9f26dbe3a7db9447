// A certificate authority and a certificate by it, made with openssl for the length of a run.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes `authority.pem`, and `server.pem` with its key for these names, in `directory`. */
export function makeAuthority(directory, names) {
  const config = join(directory, 'openssl.cnf');
  const extensions = `[authority]\nbasicConstraints = critical, CA:TRUE\n[server]\nbasicConstraints = CA:FALSE\nsubjectAltName = ${names.join(',')}\n`;
  writeFileSync(config, `[req]\ndistinguished_name = name\n[name]\n${extensions}`);
  const openssl = (name, ...rest) => execFileSync('openssl', [
    'req', '-x509', '-config', config, '-extensions', name, '-subj', `/CN=${name}`, '-days', '2',
    '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-keyout', join(directory, `${name}.key`), '-out', join(directory, `${name}.pem`), ...rest,
  ], { stdio: ['ignore', 'ignore', 'pipe'] });
  openssl('authority');
  openssl('server', '-CA', join(directory, 'authority.pem'), '-CAkey', join(directory, 'authority.key'));
}
