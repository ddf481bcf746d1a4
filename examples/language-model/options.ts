import { Command, InvalidArgumentError, Option } from 'commander';
import { type Options as Digits, numberThat, positive, wholeNumber } from '../mnist/options';

export interface Options extends Pick<Digits, 'backend' | 'seed' | 'out'> {
  readonly minutes: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly context: number;
  readonly width: number;
  readonly learningRate: number;
  readonly heldOut: number;
  readonly prompt: string;
}

/** Of the attention. */
export const HEADS = 4;

/** A run in seconds, which shows that everything works, and learns little. */
const QUICK: Partial<Options> = { steps: 30, context: 32, width: 16, heldOut: 4 };

/** Reads the command line. For `--help`, or with one line on what is wrong, ends the process. */
export function parseOptions(): Options {
  const command = new Command('npm run language-model --')
    .description(
      "Trains a small GPT on Moby Dick, with the 50,257 tokens of GPT-2's vocabulary and linearCrossEntropy.",
    )
    .addOption(
      new Option('-b, --backend <name>', 'what computes: native is tensorflow, auto the fastest one that is there')
        .choices(['auto', 'native', 'tensorflow', 'wasm', 'cpu'])
        .default('auto'),
    )
    .option('-m, --minutes <x>', 'to train at most', positive, 3)
    .option('-s, --steps <n>', 'to train at most', wholeNumber(1), 500)
    .option('--batch-size <n>', 'sequences a step', wholeNumber(1), 4)
    .option('--context <n>', 'tokens of a sequence, each to be told from those before it', wholeNumber(2), 64)
    .option('--width <n>', 'numbers that stand for a token, dealt out to 4 heads', multipleOf(HEADS), 32)
    .option('--learning-rate <x>', 'of Adam at the start, from where it falls to 0 in a straight line', positive, 0.01)
    .option('--held-out <n>', 'sequences of held-out chapters to measure by', wholeNumber(1), 32)
    .option('--prompt <text>', 'what the text that is written at the end begins with', text, 'The whale')
    .option('--seed <n>', 'of all that is random', wholeNumber(0), 1)
    .option('-o, --out <file>', 'where to write the picture of the learning curve', 'output/language-model.svg')
    .option(
      '--quick',
      `a small model and few steps, in seconds: ${Object.entries(QUICK)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}`,
    )
    .addHelpText(
      'after',
      '\nBackends: native and wasm train it in about three minutes; cpu comes a third as far in that time.',
    )
    .allowExcessArguments(false)
    .parse();
  const { quick, ...options } = command.opts();
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  const small = Object.entries(QUICK).filter(([name]) => quick && !isGiven(name));
  return { ...options, ...Object.fromEntries(small) } as Options;
}

function multipleOf(unit: number) {
  return (text: string) => numberThat(text, (x) => x > 0 && x % unit === 0, `a multiple of ${unit}`);
}

function text(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a text.');
  return text;
}
