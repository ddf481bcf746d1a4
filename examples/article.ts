/**
 * The article that this package grew out of, step by step: CrossEntropyLoss = LogSoftmax + NLLLoss. Prints our values
 * beside PyTorch's, and puts two of the article's numbers right.
 *
 *     npm run article
 */
import * as tf from '@tensorflow/tfjs';
import { CrossEntropyLoss, LogSoftmax, NLLLoss, Softmax, softmax } from 'tfjs-cross-entropy';
import article from '../test/oracle/article.json';

type Nested = number | Nested[];
const pytorch = article.results as Record<string, { float32: Nested }>;

let farthest = 0;

/** Prints a result beside what PyTorch gave for the same expression. */
function show(expression: string, ours: tf.Tensor): void {
  const theirs = tf.tensor(pytorch[expression].float32 as number[], ours.shape);
  const difference = tf.max(tf.abs(tf.sub(ours, theirs))).dataSync()[0];
  farthest = Math.max(farthest, difference);
  console.log(`  ${expression}`);
  const [left, right] = [lines(ours), lines(theirs)];
  const width = Math.max(...left.map((line) => line.length), 'ours'.length);
  console.log(`    ${'ours'.padEnd(width)}    PyTorch`);
  left.forEach((line, i) => {
    console.log(`    ${line.padEnd(width)}    ${right[i]}`);
  });
  console.log(`    largest difference ${difference.toExponential(1)}\n`);
}

/** The rows of a tensor with the four decimals that PyTorch prints. */
function lines(x: tf.Tensor): string[] {
  const rows = x.reshape([-1, x.rank === 0 ? 1 : x.shape[x.rank - 1]]).arraySync() as number[][];
  return rows.map((row) => row.map((value) => value.toFixed(4).padStart(7)).join(' '));
}

function step(title: string): void {
  console.log(`\n${title}\n${'-'.repeat(title.length)}`);
}

await tf.setBackend('cpu');
const X = tf.tensor2d(article.X);
const target = tf.tensor1d(article.target, 'int32');

step('1. Softmax turns scores into probabilities');
show('softmax([1,2,3,4,1,2,3])', softmax(tf.tensor1d([1, 2, 3, 4, 1, 2, 3]), 0));

step('2. The article takes the softmax of a matrix over dim 0: each column sums to 1');
console.log(
  `  X\n${lines(X)
    .map((line) => `    ${line}`)
    .join('\n')}\n`,
);
const probabilities = new Softmax(0).forward(X);
show('Softmax(dim=0)(X)', probabilities);
show('log(Softmax(dim=0)(X))', tf.log(probabilities));

step('3. NLLLoss picks the entry of each row at its target, and takes the mean of their negatives');
const picked = tf.sum(tf.mul(tf.log(probabilities), tf.oneHot(target, 3)), 1).dataSync();
const arithmetic = Array.from(picked, (value) => (-value).toFixed(4)).join(' + ');
console.log(`  targets ${article.target.join(', ')}: (${arithmetic}) / 3\n`);
show('NLLLoss()(log(Softmax(dim=0)(X)), target)', new NLLLoss().forward(tf.log(probabilities), target));
console.log('  The article prints 0.1365 here. Its own arithmetic gives 1.3654: a digit slipped.\n');

step('4. NLLLoss takes what it gets: on raw scores the result means nothing, and may be negative');
show('NLLLoss()(X, target)', new NLLLoss().forward(X, target));

step('5. LogSoftmax + NLLLoss = CrossEntropyLoss');
const logProbs = new LogSoftmax(1).forward(X);
show('LogSoftmax(dim=1)(X)', logProbs);
show('NLLLoss()(LogSoftmax(dim=1)(X), target)', new NLLLoss().forward(logProbs, target));
show('CrossEntropyLoss()(X, target)', new CrossEntropyLoss().forward(X, target));
console.log(
  '  So the CrossEntropyLoss of this matrix is 1.0778, not the value of step 3: the classes of a row lie along',
);
console.log('  dim 1, and that is where the softmax belongs. Over dim 0 it compares the rows with each other.\n');

step('6. What each row pays, and where its gradient points');
show("CrossEntropyLoss(reduction='none')(X, target)", new CrossEntropyLoss({ reduction: 'none' }).forward(X, target));
show("CrossEntropyLoss(reduction='sum')(X, target)", new CrossEntropyLoss({ reduction: 'sum' }).forward(X, target));
const criterion = new CrossEntropyLoss();
show('d CrossEntropyLoss()(X, target) / dX', tf.grad((x: tf.Tensor) => criterion.forward(x, target))(X));
console.log(`All values agree with PyTorch ${article.torch} to within ${farthest.toExponential(1)}.`);
if (farthest > 1e-6) process.exitCode = 1;
