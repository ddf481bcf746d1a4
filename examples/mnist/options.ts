import { Command, InvalidArgumentError, Option } from 'commander';
import { CLASSES } from './data';

export interface Options {
  readonly backend: 'auto' | 'native' | 'tensorflow' | 'wasm' | 'cpu';
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly labelSmoothing: number;
  readonly classWeights?: readonly number[];
  readonly seed: number;
  readonly out: string;
}

/** Reads the command line. For `--help`, or with one line on what is wrong, ends the process. */
export function parseOptions(): Options {
  return new Command('npm start --')
    .description('Trains a classifier of handwritten digits (MNIST) with CrossEntropyLoss, in a loop written by hand.')
    .addOption(
      new Option('-b, --backend <name>', 'what computes: native is tensorflow, auto the fastest one that is there')
        .choices(['auto', 'native', 'tensorflow', 'wasm', 'cpu'])
        .default('auto'),
    )
    .option('-e, --epochs <n>', 'passes over the training digits', wholeNumber(1), 15)
    .option('--batch-size <n>', 'digits per step', wholeNumber(1), 64)
    .option('--learning-rate <x>', 'at the start, from where it falls to 0 in a straight line', positive, 0.1)
    .option('--label-smoothing <x>', "share of each target's probability to spread over all classes, 0 to 1", share, 0)
    .option('--class-weights <list>', `factors for the loss of the ${CLASSES} digits: 1,1,2,1,1,1,1,1,1,1`, weights)
    .option('--seed <n>', 'of all that is random: the same seed repeats a run', wholeNumber(0), 1)
    .option('-o, --out <file>', 'where to write the picture of the learning curve', 'output/learning-curve.svg')
    .addHelpText('after', '\nTakes about 15 s on native, 25 s on wasm and 10 minutes on cpu (--epochs 6: 4 minutes).')
    .allowExcessArguments(false)
    .parse()
    .opts();
}

export function wholeNumber(least: number) {
  return (text: string) => numberThat(text, (x) => Number.isSafeInteger(x) && x >= least, `a whole number >= ${least}`);
}

export function positive(text: string): number {
  return numberThat(text, (x) => x > 0 && x < Infinity, 'a number > 0');
}

function share(text: string): number {
  return numberThat(text, (x) => x >= 0 && x <= 1, 'a number from 0 to 1');
}

function weights(text: string): number[] {
  const expected = `${CLASSES} numbers >= 0, separated by commas`;
  const list = text.split(',').map((item) => numberThat(item, (x) => x >= 0 && x < Infinity, expected));
  if (list.length !== CLASSES) throw new InvalidArgumentError(`Expected ${expected}, got ${list.length}.`);
  if (list.every((x) => x === 0)) throw new InvalidArgumentError('Expected a number > 0 among them.');
  return list;
}

/** The number that `text` spells, if it is as expected. */
export function numberThat(text: string, isExpected: (x: number) => boolean, expected: string): number {
  const x = text.trim() === '' ? Number.NaN : Number(text);
  if (!isExpected(x)) throw new InvalidArgumentError(`Expected ${expected}.`);
  return x;
}
