// The checks of the public API in every place that can be had: `npm run matrix`, or `npm run matrix -- GROUP ...`.
import { appendFileSync, existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Outcome } from './checks';
import { notOurs } from './not-ours';
import { disposeProjects, groups, Missing, selection, type Trial } from './places';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    markdown: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(groups);
const unknown = names.find((name) => !Object.hasOwn(groups, name));
if (values.help || unknown) {
  console.log(`npm run matrix -- [GROUP ...] [--only WORDS] [--quick] [--markdown FILE]

Runs the suites of the public API with the packed package, after \`npm run build\`. Groups, of ${Object.keys(groups).join(', ')}: all.
--only     trials whose line has these words
--quick    PyTorch's numbers alone, a third of the time
--markdown adds the table to a file`);
  process.exit(unknown ? 2 : 0);
}
if (!existsSync('dist/index.js')) throw new Error('dist/ is missing: run `npm run build` first.');

if (values.quick) selection.suites = ['golden'];

const COLUMNS = ['place', 'TensorFlow.js', 'backend', 'checks', 'seconds'];
const lines: string[][] = [];
const problems: string[] = [];
let missing = 0;

/** What stands in the table of one trial. */
function judge({ tfjs, backend }: Trial, outcome: Outcome): string {
  if (outcome.tfjs !== tfjs || outcome.backend !== backend) throw new Error(`ran on ${JSON.stringify(outcome)}`);
  const excused = outcome.failures.filter((failure) => notOurs(tfjs, backend, failure));
  const wrong = outcome.failures.filter((failure) => !excused.includes(failure));
  const total = outcome.passed + wrong.length;
  if (total < (values.quick ? 200 : 400)) throw new Error(`only ${total} checks ran`);
  if (wrong.length > 0) throw new Error(`${wrong.length} of ${total} failed\n${wrong.join('\n')}`);
  return `${outcome.passed} passed${excused.length > 0 ? `, ${excused.length} need what this version lacks` : ''}`;
}

async function resultOf(trial: Trial): Promise<string> {
  try {
    const outcome = await trial.run();
    return 'documented' in outcome ? outcome.documented : judge(trial, outcome);
  } catch (error) {
    if (error instanceof Missing) {
      missing++;
      return `NOT TESTED, for want of ${error.message}`;
    }
    problems.push(`${trial.place}, ${trial.tfjs}, ${trial.backend}: ${(error as Error).message}`);
    return 'FAILED';
  }
}

for (const trial of names.flatMap((name) => groups[name]())) {
  const start = Date.now();
  const columns = [trial.place, trial.tfjs, trial.backend];
  if (!columns.join(' ').includes(values.only)) continue;
  process.stderr.write(`${columns.join(', ')} ...`);
  const result = await resultOf(trial);
  const seconds = ((Date.now() - start) / 1000).toFixed(0);
  process.stderr.write(` ${result} (${seconds} s)\n`);
  lines.push([...columns, result, seconds]);
}
disposeProjects();

const table = [COLUMNS, COLUMNS.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
console.log(`\n${table}\n`);
if (values.markdown) appendFileSync(values.markdown, `${table}\n`);
for (const problem of problems) console.error(`FAILED: ${problem}\n`);
if (missing > 0) console.error(`${missing} places could not be had here: see NOT TESTED`);
// As in the tests: what is missing on a laptop is said, what is missing in CI is a failure.
const strict = ['true', '1'].includes(process.env.CI ?? '');
console.log(`${lines.length - problems.length - missing} passed, ${problems.length} failed, ${missing} skipped`);
process.exit(problems.length > 0 || (strict && missing > 0) || lines.length === 0 ? 1 : 0);
