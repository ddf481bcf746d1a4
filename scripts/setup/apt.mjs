import { run } from './run.mjs';

const APT = 'env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=0 -o Acquire::http::Timeout=15'.split(' ');

/**
 * Install Debian's packages, where that goes without asking.
 *
 * @param {string[]} packages
 * @param {(text: string) => void} say
 * @returns {Promise<string[]>} why they could not be installed
 */
export async function aptInstall(packages, say) {
  const works = async (command, ...args) => (await run(command, args, { seconds: 10 })).ok;
  if (process.platform !== 'linux' || !(await works('apt-get', '--version'))) {
    return ['only on Debian and Ubuntu does this script install one'];
  }
  const root = process.getuid() === 0;
  if (!root && !(await works('sudo', '-n', 'true'))) return ['apt-get needs root'];

  const [command, ...prefix] = root ? APT : ['sudo', '-n', ...APT];
  const failures = [];
  // Even after a failed update the lists at hand may do.
  for (const step of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    say(`apt-get ${step.join(' ')}`);
    const { ok, reason } = await run(command, [...prefix, ...step], { seconds: 300 });
    if (!ok) failures.push(`apt-get ${step[0]}: ${reason}`);
  }
  return failures;
}
