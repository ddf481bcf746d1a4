import type { Values } from '../host/host';
import type { RowLoops, Tile } from '../host/row-loops';
import type { Run } from './instantiate';
import * as layout from './layout';

/**
 * exp(x) = 2^k * exp(r) with |r| <= ln(2) / 2, whose polynomial begins with 1 + r + r^2 / 2 and is minimax from there:
 * below 1 ulp in all, and exact at 0.
 */
const EXP = [
  Math.LOG2E,
  1.5 * 2 ** 23, // adding it rounds to an integer
  -0.693359375, // -ln(2): its first bits, so that k times them is exact
  2.1219444e-4, // and the rest
  0.00138637,
  0.00836754,
  0.04166724,
  0.16666534,
  1 / 2,
  1,
  -87.33654, // below it exp(x) is subnormal
];

/** The row loops in SIMD, on tensors in its own memory or copied there. */
export class SimdLoops implements RowLoops {
  readonly max: Float32Array;
  readonly scale: Float32Array;
  readonly turn: Float32Array;
  readonly sum: Float64Array;
  readonly product: Float64Array;
  readonly mass: Float64Array;
  readonly scratch: readonly Float32Array[];

  /** `base` is where in the memory there are `layout.SIZE` bytes to work in. */
  constructor(
    private readonly runTile: Run,
    private readonly buffer: ArrayBufferLike,
    private readonly base: number,
  ) {
    const floats = (offset: number, length: number) => new Float32Array(buffer, base + offset, length);
    const doubles = (offset: number) => new Float64Array(buffer, base + offset, layout.LANES);
    floats(layout.CONSTANTS, EXP.length).set(EXP);
    this.max = floats(layout.MAX, layout.LANES);
    this.scale = floats(layout.SCALE, layout.LANES);
    this.turn = floats(layout.TURN, layout.LANES);
    this.sum = doubles(layout.SUM);
    this.product = doubles(layout.PRODUCT);
    this.mass = doubles(layout.MASS);
    this.scratch = [0, 1].map((i) => floats(layout.TILES + 4 * i * layout.TILE, layout.TILE));
  }

  within(values: Values): boolean {
    return values.buffer === this.buffer;
  }

  peak(tile: Tile, x: Values): void {
    this.run(layout.PEAK, tile, x);
  }

  exponentials(tile: Tile, x: Values, out?: Values, g?: Values): void {
    this.run(layout.EXPONENTIALS, tile, x, g, out);
  }

  dot(tile: Tile, x: Values, g: Values): void {
    this.run(layout.DOT, tile, x, g);
  }

  logProbs(tile: Tile, x: Values, out: Values): void {
    this.run(layout.LOG_PROBS, tile, x, undefined, out);
  }

  centred(tile: Tile, x: Values, g: Values, out: Values): void {
    this.run(layout.CENTRED, tile, x, g, out);
  }

  scaled(tile: Tile, x: Values, out: Values, g?: Values): void {
    this.run(layout.SCALED, tile, x, g, out);
  }

  private run(op: number, { rows, classes, classStride }: Tile, x: Values, g?: Values, out?: Values): void {
    const across = classStride !== 1;
    this.runTile(op, this.base, rows, classes, across, x.byteOffset, g ? g.byteOffset : 0, out ? out.byteOffset : 0);
  }
}
