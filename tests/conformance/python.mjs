// Virtual environments with the Python packages of a requirements.txt, made when they are first asked for. ariadne-codegen
// has one of its own, because it needs another version of graphql-core.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The path of a program of the environment of `folder`: `python`, or one that a package brings. */
export function program(name, folder = fileURLToPath(new URL('.', import.meta.url))) {
  const home = join(folder, '.venv');
  const wanted = join(folder, 'requirements.txt');
  /** Holds what was installed, so that it is done once. */
  const stamp = join(home, 'installed');
  const text = readFileSync(wanted, 'utf8');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== text) {
    execFileSync('python3', ['-m', 'venv', home], { stdio: 'inherit' });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', wanted];
    execFileSync(join(home, 'bin', 'python'), pip, { stdio: 'inherit' });
    writeFileSync(stamp, text);
  }
  return join(home, 'bin', name);
}
