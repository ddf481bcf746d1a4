import fc from 'fast-check';
import { fuzzCase } from '../fuzz/cases';
import { judge, placeOf } from '../fuzz/judge';
import { type FuzzCase, fromJSON, toJSON } from '../fuzz/problem';
import found from '../oracle/fuzz.json';
import { type Check, isHost } from '../support/check';

/** Cases that the fuzz has found wrong once, and some of those that it draws; `npm run fuzz` draws any number. */
export function fuzzSuite(backend: string): Check[] {
  const right = async (test: FuzzCase) => {
    const { fault } = await judge(test, placeOf(backend));
    if (fault !== null) throw new Error(`${fault}\n${toJSON(test)}`);
  };
  const numRuns = isHost(backend) || backend === 'composite' ? 200 : 10;
  return [
    ...found.map((entry, i) => ({
      name: `case ${i + 1}: ${entry.fault}`,
      run: () => right(fromJSON(JSON.stringify(entry.case))),
    })),
    {
      name: `${numRuns} random cases`,
      run: () => fc.assert(fc.asyncProperty(fuzzCase, right), { numRuns, seed: 20260111 }),
    },
  ];
}
