import type { Contender, Cost, Mode, Seated } from './contender';
import { makeProblem, type Problem } from './problem';

/** What a process or page does for the benchmark: it holds contenders, who run there when it is their turn. */
export interface Place {
  /** For TensorFlow.js on a backend, or for a peer, on what it calls one. */
  open(backend: string, peer?: string): Promise<void>;
  /** Makes the contenders for a shape, in place of the last one's. */
  load(shape: readonly number[]): Promise<{ name: string; modes: readonly Mode[] }[]>;
  check(index: number): Promise<string | null>;
  time(index: number, mode: Mode, steps: number): Promise<number>;
  cost(index: number, mode: Mode): Promise<Cost | undefined>;
  collectGarbage(): Promise<void>;
}

/** A place in another process or page, whose methods are called by `call`. */
export function placeElsewhere(call: (method: keyof Place, args: unknown[]) => Promise<unknown>): Place {
  const get =
    (_: Place, method: keyof Place) =>
    (...args: unknown[]) =>
      call(method, args);
  return new Proxy({} as Place, { get } as ProxyHandler<Place>);
}

/** `start` prepares a backend, or a peer; it gives what makes the contenders there. */
export function createPlace(
  start: (backend: string, peer?: string) => Promise<(problem: Problem) => Promise<Contender[]> | Contender[]>,
): Place {
  let enter: Awaited<ReturnType<typeof start>>;
  let contenders: Contender[] = [];
  return {
    async open(backend, peer) {
      enter = await start(backend, peer);
    },
    async load(shape) {
      for (const contender of contenders) contender.dispose?.();
      contenders = await enter(makeProblem(shape));
      return contenders.map(({ name, modes }) => ({ name, modes }));
    },
    check: (index) => contenders[index].check(),
    time: (index, mode, steps) => contenders[index].time(mode, steps),
    cost: async (index, mode) => contenders[index].cost?.(mode),
    async collectGarbage() {
      // The benchmark keeps V8 from throwing away what is compiled, which it does with code that no round of this finds in use.
      (globalThis as { gc?: () => void }).gc?.();
    },
  };
}

/** A place's contenders for a shape, as `measure` takes them. */
export async function seat(backend: string, place: Place, shape: readonly number[]): Promise<Seated[]> {
  const entries = await place.load(shape);
  return entries.map(({ name, modes }, index) => ({
    backend,
    name,
    modes,
    check: () => place.check(index),
    time: (mode, steps) => place.time(index, mode, steps),
    cost: (mode) => place.cost(index, mode),
    collectGarbage: () => place.collectGarbage(),
  }));
}

/** Node or Chromium: all who take turns in one sitting. */
export interface Runtime {
  /** By name, what seats contenders for a shape. */
  readonly entrances: Readonly<Record<string, (shape: readonly number[]) => Promise<Seated[]>>>;
  close(): Promise<void>;
}

/** What the report says about who is there and who is not. */
export interface Register {
  readonly versions: Record<string, string>;
  readonly absent: string[];
}
