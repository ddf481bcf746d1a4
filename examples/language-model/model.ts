import * as tf from '@tensorflow/tfjs';
import { linearCrossEntropy, softmax } from 'tfjs-cross-entropy';
import type { Random } from '../mnist/random';

export interface Sizes {
  /** Tokens that there are: `C`. */
  readonly vocabulary: number;
  /** Tokens that the model sees at most: `T`. */
  readonly context: number;
  /** Numbers that stand for a token: `D`, a multiple of the heads. */
  readonly width: number;
  readonly heads: number;
}

/** A GPT of one block: embedding -> attention -> two dense layers -> head, where the head's weight is the embedding. */
export class LanguageModel {
  readonly sizes: Sizes;
  /** `[C, D]`: the table that tokens are looked up in, and the linear layer that makes their logits. */
  readonly embedding: tf.Variable<tf.Rank.R2>;
  /** `[C]`, of the head. */
  readonly bias: tf.Variable<tf.Rank.R1>;
  readonly position: tf.Variable<tf.Rank.R2>;
  readonly queryKeyValue: tf.Variable<tf.Rank.R2>;
  readonly attended: tf.Variable<tf.Rank.R2>;
  readonly widen: tf.Variable<tf.Rank.R2>;
  readonly narrow: tf.Variable<tf.Rank.R2>;

  /** @param frequencies The share of each token in the text: what is known before anything is learned. */
  constructor(sizes: Sizes, frequencies: Float32Array, random: Random) {
    const { vocabulary, context, width } = sizes;
    const deviation = 1 / Math.sqrt(width);
    const weight = (rows: number, columns: number, factor = 1): tf.Variable<tf.Rank.R2> =>
      tf.tidy(() => tf.variable(tf.randomNormal([rows, columns], 0, factor * deviation, 'float32', random())));
    this.sizes = sizes;
    this.embedding = weight(vocabulary, width, 0.2);
    this.bias = tf.tidy(() => tf.variable(tf.log(tf.tensor1d(frequencies))));
    this.position = weight(context, width, 0.2);
    this.queryKeyValue = weight(width, 3 * width);
    this.attended = weight(width, width);
    this.widen = weight(width, 4 * width);
    this.narrow = weight(4 * width, width, 0.5);
  }

  /**
   * The mean loss, in nats, of each token of the sequences `[N, T]` given those before it. The weight is the embedding, which
   * gets gradients from here and from `forward`. No more than a chunk of the logits `[N * T, C]` is there at a time.
   */
  loss(tokens: tf.Tensor2D): tf.Scalar {
    const options = { linearBias: this.bias, shift: 1 };
    return linearCrossEntropy(this.forward(tokens), this.embedding, tokens, options) as tf.Scalar;
  }

  /** The logits `[C]` of the token that comes after the sequence `[1, T]`. */
  next(tokens: tf.Tensor2D): tf.Tensor1D {
    const [, length] = tokens.shape;
    const last = tf.slice(this.forward(tokens), [0, length - 1, 0], [1, 1, this.sizes.width]);
    return tf.add(tf.reshape(linear(last, tf.transpose(this.embedding)), [-1]), this.bias);
  }

  /** The hidden states `[N, T, D]` after each token of the sequences `[N, T]`. */
  forward(tokens: tf.Tensor2D): tf.Tensor3D {
    const [, length] = tokens.shape;
    let x: tf.Tensor = tf.add(lookUp(this.embedding, tokens), tf.slice(this.position, 0, length));
    x = tf.add(x, this.attend(normalized(x)));
    x = tf.add(x, linear(tf.relu(linear(normalized(x), this.widen)), this.narrow));
    return normalized(x) as tf.Tensor3D;
  }

  /** Causal self-attention: each token gathers from itself and those before it. */
  private attend(x: tf.Tensor): tf.Tensor {
    const [sequences, length, width] = x.shape;
    const { heads } = this.sizes;
    const [q, k, v] = tf
      .split(linear(x, this.queryKeyValue), 3, 2)
      .map((part) => tf.transpose(tf.reshape(part, [sequences, length, heads, width / heads]), [0, 2, 1, 3]));
    const scores = tf.mul(tf.matMul(q, k, false, true), Math.sqrt(heads / width));
    const seen = tf.matMul(softmax(tf.add(scores, later(length)), -1), v);
    return linear(tf.reshape(tf.transpose(seen, [0, 2, 1, 3]), x.shape), this.attended);
  }

  get parameters(): tf.Variable[] {
    const { embedding, bias, position, queryKeyValue, attended, widen, narrow } = this;
    return [embedding, bias, position, queryKeyValue, attended, widen, narrow];
  }

  /** How many numbers there are to learn. */
  get size(): number {
    return this.parameters.reduce((sum, parameter) => sum + parameter.size, 0);
  }

  dispose(): void {
    tf.dispose(this.parameters);
  }
}

/**
 * The rows `[N, T, D]` of a table. `tf.gather` has a gradient of its own, but by an op that the wasm backend lacks;
 * `tf.scatterND` adds up as well what tokens get that occur more than once. It reads the caller's `tokens` again.
 */
function lookUp(table: tf.Tensor2D, tokens: tf.Tensor2D): tf.Tensor3D {
  const rows = tf.customGrad((x) => ({
    value: tf.gather(x as tf.Tensor2D, tokens),
    gradFunc: (dy) =>
      tf.scatterND(tf.reshape(tokens, [-1, 1]), tf.reshape(dy as tf.Tensor, [-1, table.shape[1]]), table.shape),
  }));
  return rows(table) as tf.Tensor3D;
}

/** `x weight` along the last dimension. */
function linear(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const rows = tf.reshape(x, [-1, weight.shape[0]]) as tf.Tensor2D;
  return tf.reshape(tf.matMul(rows, weight), [...x.shape.slice(0, -1), weight.shape[1]!]);
}

/** RMSNorm: of mean square 1 along the last dimension. */
function normalized(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-6)));
}

/** `[T, T]`: a large negative number where a token would see a later one, else 0. */
function later(length: number): tf.Tensor2D {
  return tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0)), -1e9);
}
