import { backend, engine, type KernelBackend, type Tensor } from '@tensorflow/tfjs-core';
import { knownValues } from '../kernels/known-values';

/**
 * Training repeats itself: step by step a loss gets the upstream gradient that it got before, 128 where losses are scaled,
 * 1/4 where the gradients of four batches are added up. So a gradient that is made along with the loss is made for the one
 * that came last, and need not be gone over again if that comes once more. Powers of two alone are expected: to multiply
 * by them is exact, so that what comes out does not depend on what came before.
 *
 * Losses are told apart by their place: how many operations come before them on the tape.
 */
const cameLast = new WeakMap<KernelBackend, Map<number, number>>();

/** A power of two, and none that would take gradients to where float32 ends. */
function isExact(x: number): boolean {
  const exponent = Math.log2(Math.abs(x));
  return Number.isInteger(exponent) && exponent >= -2 && exponent <= 16;
}

/** For a loss that is made now, and where that stands. */
export function expectedUpstream(): { readonly upstream: number; readonly place: number } {
  const place = engine().state.activeTape?.length ?? 0;
  return { upstream: cameLast.get(backend())?.get(place) ?? 1, place };
}

/** Remembers what came to a loss, where that is known, and the same for all rows. */
export function noteUpstream(place: number, dy: Tensor): void {
  const values = knownValues(dy);
  if (!values || values.some((value) => value !== values[0])) return;
  const places = cameLast.get(backend()) ?? new Map<number, number>();
  places.set(place, isExact(values[0]) ? values[0] : 1);
  cameLast.set(backend(), places);
}
