import { heldOut, train } from 'virtual:digits';
import { type Digits, PIXELS, type Split } from '../../mnist/data';

/** The digits that the build packed; see `vite.config.ts`. */
export async function unpackDigits(): Promise<Split> {
  return { train: await unpack(train), heldOut: await unpack(heldOut) };
}

async function unpack({ pixels, labels }: typeof train): Promise<Digits> {
  const zipped = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0));
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  return {
    images: Float32Array.from(bytes, (ink) => ink / 255),
    labels: Int32Array.from(labels, Number),
  };
}

/** The digit of that number. */
export function digitAt({ images, labels }: Digits, index: number): { image: Float32Array; label: number } {
  return { image: images.slice(index * PIXELS, (index + 1) * PIXELS), label: labels[index] };
}
