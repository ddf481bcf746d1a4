import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

/** What hostile calls are given: values of any type, and tensors, in a form that can be drawn, shrunk and printed. */

/** A tensor as it is made for a call. */
export interface TensorRecipe {
  readonly tensor: { readonly shape: number[]; readonly dtype: 'float32' | 'int32' | 'bool' | 'string' | 'complex64' };
  readonly values: number[];
  readonly isDisposed: boolean;
}

export const isRecipe = (x: unknown): x is TensorRecipe => typeof x === 'object' && x !== null && 'isDisposed' in x;
export const isPlain = (x: unknown): x is object => Object.prototype.toString.call(x) === '[object Object]';

export const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, Number.NaN, Infinity, -1, 0.5, 2 ** 31, '', 'mean', 1n, Symbol('s')),
  fc.constantFrom<unknown>(
    [],
    {},
    [[1, 2]],
    () => 0,
    new Map(),
    new Date(0),
    new Float32Array(3),
    /x/,
    Object.create(null),
  ),
  fc.anything({ maxDepth: 1, withTypedArray: true }),
);

const dims = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
export const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
export const usually = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<unknown>, percent = 90): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: percent, arbitrary: usual as fc.Arbitrary<unknown> }, { weight: 100 - percent, arbitrary: rare });

export const tensorOf = (
  shape: number[],
  dtype: TensorRecipe['tensor']['dtype'],
  value: fc.Arbitrary<number> = fc.integer({ min: -4, max: 4 }),
): fc.Arbitrary<TensorRecipe> =>
  fc.record({
    tensor: fc.constant({ shape, dtype }),
    values: fc.array(value, { minLength: sizeOf(shape), maxLength: sizeOf(shape) }),
    isDisposed: fc.integer({ min: 1, max: 40 }).map((i) => i === 40),
  });

export const anyTensor = dims.chain((shape) =>
  fc
    .constantFrom('float32' as const, 'int32' as const, 'bool' as const, 'string' as const, 'complex64' as const)
    .chain((dtype) => tensorOf(shape, dtype)),
);

/** Labels that fit the logits' shape or do not, or probabilities. */
export function targetFor(shape: number[], axis = Math.min(1, Math.max(shape.length - 1, 0))): fc.Arbitrary<unknown> {
  const rows = shape.filter((_, i) => i !== axis);
  const C = shape[axis] ?? 1;
  const label = fc.oneof(
    { weight: 30, arbitrary: fc.nat(Math.max(C - 1, 0)) },
    { weight: 1, arbitrary: fc.constantFrom(-1, C, -100, 255, 2 ** 31 - 1) },
  );
  const dtype = usually(fc.constant('int32' as const), fc.constantFrom('float32' as const, 'bool' as const), 92);
  const labelled = (shape: number[]) =>
    dtype.chain((dtype) => tensorOf(shape, dtype as 'int32', dtype === 'bool' ? fc.nat(1) : label));
  return fc.oneof(
    { weight: 12, arbitrary: labelled(rows) },
    {
      weight: 5,
      arbitrary: tensorOf(
        shape,
        'float32',
        fc.nat(8).map((i) => i / 8),
      ),
    },
    { weight: 1, arbitrary: labelled(shape.map((size, i) => (i === axis ? 1 : size))) },
    { weight: 1, arbitrary: labelled([...rows, 1]) },
    { weight: 1, arbitrary: labelled(shape.slice(0, -1)) },
    { weight: 1, arbitrary: anyTensor },
    { weight: 1, arbitrary: junk },
  );
}

/** An object with some of these properties. */
export const some = (entries: Record<string, fc.Arbitrary<unknown>>) => fc.record(entries, { requiredKeys: [] });

const WITH_DIM = { dim: usually(fc.constantFrom(1, -1, 0, undefined), fc.oneof(fc.integer(), junk)) };

export function optionsFor(
  classes: number,
  others: Record<string, fc.Arbitrary<unknown>> = WITH_DIM,
): fc.Arbitrary<unknown> {
  const weights = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: classes, maxLength: classes });
  const weight = fc.oneof(
    weights,
    weights.map((values) => Float32Array.from(values)),
    weights.map((values) => Int32Array.from(values)),
    tensorOf([classes], 'float32', fc.nat(4)),
    fc.constant(null),
  );
  const other = fc.oneof(fc.array(fc.nat(4), { maxLength: 5 }), tensorOf([1, classes], 'float32'), anyTensor, junk);
  const options = some({
    weight: usually(weight, other),
    ignoreIndex: usually(fc.constantFrom(-100, -1, 0, 1, 255), junk),
    reduction: usually(fc.constantFrom('mean', 'sum', 'none'), junk),
    labelSmoothing: usually(fc.constantFrom(0, 0.1, 1), junk),
    ...others,
  });
  const misspelled = fc
    .tuple(options, fc.constantFrom('ignore_index', 'axis', 'constructor', 'size_average'))
    .map(([options, name]) => ({ ...options, [name]: 1 }));
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 20, arbitrary: options },
    { weight: 1, arbitrary: misspelled },
    { weight: 1, arbitrary: junk },
  );
}

export const logits = usually(
  fc
    .array(
      fc.oneof({ weight: 30, arbitrary: fc.integer({ min: 1, max: 4 }) }, { weight: 1, arbitrary: fc.constant(0) }),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .chain((shape) => tensorOf(shape, 'float32')),
  fc.oneof(anyTensor, junk),
);
export const shapeOf = (x: unknown) => (isRecipe(x) ? x.tensor.shape : [2, 3]);
export const classesOf = (x: unknown) => shapeOf(x)[Math.min(1, shapeOf(x).length - 1)] ?? 1;
export const named = (...names: string[]) => fc.constantFrom(...names);

export function make({ tensor: { shape, dtype }, values, isDisposed }: TensorRecipe): tf.Tensor {
  let x: tf.Tensor;
  if (dtype === 'complex64' && tf.getKernel('Complex', tf.getBackend()))
    x = tf.complex(tf.tensor(values, shape), tf.tensor(values, shape));
  else if (dtype === 'string' || dtype === 'complex64') x = tf.tensor(values.map(String), shape, 'string');
  else if (dtype === 'bool') x = tf.tensor(values.map((v) => (v === 0 ? 0 : 1)) as never, shape, 'bool');
  else x = tf.tensor(values, shape, dtype);
  if (isDisposed) x.dispose();
  return x;
}
