/**
 * Trains a small GPT on Moby Dick, over GPT-2's 50,257 tokens, whose logits are never all in memory:
 * `npm run language-model`, or `npm run language-model -- --help` for the options.
 */
import { writeFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs';
import { startBackend } from '../mnist/backend';
import { stopOnInterrupt } from '../mnist/interrupt';
import { seededRandom } from '../mnist/random';
import { checkWritable } from '../mnist/writable';
import { learningCurve } from './curve';
import { LanguageModel } from './model';
import { HEADS, type Options, parseOptions } from './options';
import { sample } from './sample';
import { decode, encode, evenSequences, frequenciesOf, readBook, VOCABULARY } from './text';
import { peakBytes, train } from './train';

/** To write once the training is over. */
const TOKENS = 80;

const whole = (x: number) => Math.round(x).toLocaleString('en');
const megabytes = (bytes: number) => `${whole(bytes / 1e6)} MB`;

async function main(options: Options): Promise<void> {
  const { batchSize, context, width, prompt, out } = options;
  await checkWritable(out); // rather now than after the training
  const backend = await startBackend(options.backend);
  const stop = stopOnInterrupt();
  const book = readBook();
  const random = seededRandom(options.seed);
  const model = new LanguageModel(
    { vocabulary: VOCABULARY, context, width, heads: HEADS },
    frequenciesOf(book.train),
    random,
  );
  console.log(
    `Backend ${backend}; Moby Dick: ${whole(book.train.length)} tokens to learn from, ${whole(book.heldOut.length)} held out`,
  );
  console.log(
    `${whole(VOCABULARY)} tokens in the vocabulary; ${whole(model.size)} parameters, ${whole(model.embedding.size)} of them the embedding`,
  );
  const heldOut = evenSequences(book.heldOut, options.heldOut, context);
  const batch = evenSequences(book.train, batchSize, context);
  const gradients = () => {
    const { value, grads } = tf.variableGrads(() => model.loss(batch));
    return [value, ...Object.values(grads)];
  };
  const logitsOf = (sequences: number) => 4 * sequences * (context - 1) * VOCABULARY;
  console.log(
    `A step's loss and gradients: at most ${megabytes(await peakBytes(gradients))}; ` +
      `all logits and their gradient would be ${megabytes(2 * logitsOf(batchSize))}`,
  );
  console.log(
    `An evaluation: at most ${megabytes(await peakBytes(() => tf.tidy(() => model.loss(heldOut))))}; ` +
      `all logits would be ${megabytes(logitsOf(options.heldOut))}\n`,
  );

  const points = await train(model, book.train, heldOut, options, random, stop);
  const [first, last] = [points[0], points[points.length - 1]];
  if (stop.aborted) {
    console.log(`\nInterrupted after ${last.step} steps`);
    process.exitCode = 130;
  }
  if (last.step === 0) return;
  const text = decode(await sample(model, encode(prompt), TOKENS, random));
  console.log(`\n${text.trim()} ...\n`);
  await writeFile(out, learningCurve(points, `Moby Dick: held-out perplexity ${whole(last.heldOut)}`));
  console.log(`learning curve: ${out}`);
  console.log(`peak memory of the process: ${megabytes(1024 * process.resourceUsage().maxRSS)}`);
  console.log(
    `held-out perplexity ${whole(last.heldOut)} after ${whole(last.step)} steps; ` +
      `${whole(first.heldOut)} by the frequencies of the tokens alone`,
  );
}

main(parseOptions()).catch((error: Error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
