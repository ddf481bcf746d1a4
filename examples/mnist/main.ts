/**
 * Trains a classifier of handwritten digits with CrossEntropyLoss: `npm start`, or `npm start -- --help` for the options.
 */
import { writeFile } from 'node:fs/promises';
import { startBackend } from './backend';
import { learningCurve } from './curve';
import { stopOnInterrupt } from './interrupt';
import { loadDigits } from './load-digits';
import { DigitClassifier } from './model';
import { type Options, parseOptions } from './options';
import { seededRandom } from './random';
import { confusionTable, percent } from './report';
import { train } from './train';
import { checkWritable } from './writable';

async function main(options: Options): Promise<void> {
  await checkWritable(options.out); // rather now than after the training
  const backend = await startBackend(options.backend);
  const digits = await loadDigits();
  const random = seededRandom(options.seed);
  const model = new DigitClassifier(random);
  const [trainSize, heldOutSize] = [digits.train.labels.length, digits.heldOut.labels.length];
  console.log(`Backend ${backend}; ${model.size} parameters; ${trainSize} digits to train on, ${heldOutSize} held out`);

  const stop = stopOnInterrupt();
  const epochs = await train(model, digits, options, random, stop);
  model.dispose();

  if (stop.aborted) {
    console.log(`\nInterrupted after ${epochs.length} of ${options.epochs} epochs`);
    process.exitCode = 130;
  }
  if (epochs.length === 0) return;
  const { accuracy, predicted } = epochs[epochs.length - 1].heldOut;
  console.log(`\n${confusionTable(digits.heldOut.labels, predicted)}\n`);
  await writeFile(
    options.out,
    learningCurve(epochs, `MNIST: ${percent(accuracy)} of ${heldOutSize} held-out digits read correctly`),
  );
  console.log(`learning curve: ${options.out}`);
  console.log(`held-out accuracy ${percent(accuracy)}`);
}

main(parseOptions()).catch((error: Error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
