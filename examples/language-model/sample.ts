import * as tf from '@tensorflow/tfjs';
import type { Random } from '../mnist/random';
import type { LanguageModel } from './model';

/** Below 1 the likely tokens become likelier still. */
const TEMPERATURE = 0.8;
/** Only so many of the likeliest tokens are drawn from. */
const CANDIDATES = 40;

/** Goes on from `start` token by token, `count` tokens far. */
export async function sample(
  model: LanguageModel,
  start: readonly number[],
  count: number,
  random: Random,
): Promise<number[]> {
  const tokens = [...start];
  for (let i = 0; i < count; i++) {
    const logits = tf.tidy(() => model.next(tf.tensor2d([tokens.slice(-model.sizes.context)], undefined, 'int32')));
    const best = tf.topk(logits, CANDIDATES);
    const [values, indices] = await Promise.all([best.values.data(), best.indices.data()]);
    tf.dispose([logits, best.values, best.indices]);
    tokens.push(indices[draw(values, random)]);
  }
  return tokens;
}

/** The place of one of the logits, which fall, drawn as the softmax has it. */
function draw(logits: ArrayLike<number>, random: Random): number {
  const shares = Array.from(logits, (logit) => Math.exp((logit - logits[0]) / TEMPERATURE));
  let rest = random() * shares.reduce((sum, share) => sum + share);
  return Math.max(
    0,
    shares.findIndex((share) => {
      rest -= share;
      return rest < 0;
    }),
  );
}
