import fc from 'fast-check';

/** What fails, made smaller as long as a fault is found in it. */
export async function shrink<T>(
  drawn: fc.Arbitrary<T>,
  seed: number,
  path: number,
  faultOf: (value: T) => Promise<string | null>,
): Promise<{ value: T; fault: string }> {
  let fault = '';
  const holds = fc.asyncProperty(drawn, async (value) => {
    const found = await faultOf(value);
    if (found === null) return;
    fault = found;
    throw new Error(found);
  });
  const { counterexample } = await fc.check(holds, {
    seed,
    path: String(path),
    numRuns: path + 1,
    interruptAfterTimeLimit: 20_000,
    markInterruptAsFailure: true,
  });
  if (!counterexample) throw new Error(`number ${path} of seed ${seed} fails only now and then`);
  return { value: counterexample[0], fault };
}
