// A virtual environment with the Python packages of requirements.txt, made when it is first asked for.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = fileURLToPath(new URL('./.venv', import.meta.url));
const wanted = fileURLToPath(new URL('./requirements.txt', import.meta.url));
/** Holds what was installed, so that it is done once. */
const stamp = join(home, 'installed');

/** The path of a program of the environment: `python`, or one that a package brings. */
export function program(name) {
  const text = readFileSync(wanted, 'utf8');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== text) {
    execFileSync('python3', ['-m', 'venv', home], { stdio: 'inherit' });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', wanted];
    execFileSync(join(home, 'bin', 'python'), pip, { stdio: 'inherit' });
    writeFileSync(stamp, text);
  }
  return join(home, 'bin', name);
}
