import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import '../support/leak-check';
import { suiteNames, suites } from '../suites';
import { assertEqual } from '../support/tensors';

/** Checks of large tensors: only what the kernels of other backends do depends on sizes. */
const LARGE = [
  /^\[(2,40000|2500,4|3,1500|2,300,17)\]/,
  /10 million rows|32,769 classes|128,256 classes|a label beyond 2\^24/,
  /\d+ random cases|errors are no larger than PyTorch's own|masked classes equal sliced ones/,
];

/** Whole training runs say once more what shorter checks say; some are enough. */
const TRAINING = /^\w+( with targets in float32)?, (classes|softmax\/classes|tokens)/;

const wanted = process.env.SUITES?.split(',');

/** Every suite on cpu: what mutants are run against. SUITES names fewer. */
export const checks = [...ofSuites(), { name: 'layers/auto: what it finds Layers by', run: findsLayers }];

function ofSuites() {
  return suiteNames
    .filter((name) => wanted?.includes(name) ?? true)
    .flatMap((suite) =>
      suites[suite]('cpu')
        .filter(({ name }) => !LARGE.some((large) => large.test(name)) && (suite !== 'training' || TRAINING.test(name)))
        .map(({ name, run }) => ({ name: `${suite}: ${name}`, run: () => run({ backend: 'cpu' }) })),
    );
}

/** The module runs on import: each case has a copy of its own, and a class of models that no other check uses. */
async function findsLayers(): Promise<void> {
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  const registered = classNameMap.Model;
  const global = globalThis as { tf?: unknown };
  class OfGlobal extends tf.LayersModel {}
  class Registered extends tf.LayersModel {}
  const { compile } = tf.LayersModel.prototype;
  const isInstalled = (Class: typeof tf.LayersModel) => Class.prototype.compile !== compile;
  Reflect.deleteProperty(classNameMap, 'Model');
  try {
    // @ts-expect-error: TypeScript knows no queries
    const missing = await import('../../src/layers/auto?missing').catch(String);
    assertEqual(/^Error: Import @tensorflow\/tfjs.*before.*call installInLayers/.test(missing), true, 'without Layers');
    global.tf = { LayersModel: OfGlobal };
    // @ts-expect-error
    await import('../../src/layers/auto?global');
    classNameMap.Model = [Registered as never, undefined as never];
    // @ts-expect-error
    await import('../../src/layers/auto?registered');
    assertEqual([OfGlobal, Registered, tf.LayersModel].map(isInstalled), [true, true, false], 'installed');
  } finally {
    classNameMap.Model = registered;
    delete global.tf;
  }
}

export async function start(): Promise<void> {
  if (!(await tf.setBackend('cpu'))) throw new Error('no cpu backend');
}
