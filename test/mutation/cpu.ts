import * as tf from '@tensorflow/tfjs';
import { suiteNames, suites } from '../suites';

/** The suites on cpu alone: no browser and no binding is wanted, and a mutant costs seconds; SUITES names fewer. */
beforeAll(async () => expect(await tf.setBackend('cpu')).toBe(true));

const wanted = process.env.SUITES?.split(',');

describe.each(suiteNames.filter((name) => wanted?.includes(name) ?? true))('%s', (suite) => {
  for (const { name, run } of suites[suite]('cpu')) test(name, async () => run({ backend: 'cpu' }), 60_000);
});
