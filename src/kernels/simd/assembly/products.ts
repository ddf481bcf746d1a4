/** Products of matrices whose rows are contiguous: in blocks of a few rows, which stay in registers. */
import { Vector } from './math';

/** Bytes of four float32. */
const FOUR: usize = 16;

/** Terms that are summed before the sum is added: so many rows of a matrix stay in a core's cache. */
const TERMS: usize = 128;

/**
 * `g += x w^T`, where `x` is `[rows, features]` and `w` `[units, features]`; the rows of `g` are `step` bytes apart. What
 * is missing of the last block of rows or units is worked out of the last one, once more.
 */
export function addDots(g: usize, step: usize, x: usize, w: usize, rows: usize, units: usize, features: usize): void {
  const size = features << 2;
  const vectors = size & ~15;
  for (let c: usize = 0; c < units; c += 3) {
    const c1 = min(c + 1, units - 1);
    const c2 = min(c + 2, units - 1);
    const wA = w + c * size;
    const wB = w + c1 * size;
    const wC = w + c2 * size;
    for (let r: usize = 0; r < rows; r += 4) {
      const r1 = min(r + 1, rows - 1);
      const r2 = min(r + 2, rows - 1);
      const r3 = min(r + 3, rows - 1);
      const x0 = x + r * size;
      const x1 = x + r1 * size;
      const x2 = x + r2 * size;
      const x3 = x + r3 * size;
      const zero = f32x4.splat(0);
      let a0 = zero;
      let a1 = zero;
      let a2 = zero;
      let a3 = zero;
      let b0 = zero;
      let b1 = zero;
      let b2 = zero;
      let b3 = zero;
      let c0 = zero;
      let d1 = zero;
      let d2 = zero;
      let d3 = zero;
      let at: usize = 0;
      for (; at < vectors; at += FOUR) {
        const a = v128.load(wA + at);
        const b = v128.load(wB + at);
        const d = v128.load(wC + at);
        let y = v128.load(x0 + at);
        a0 = Vector.madd(a, y, a0);
        b0 = Vector.madd(b, y, b0);
        c0 = Vector.madd(d, y, c0);
        y = v128.load(x1 + at);
        a1 = Vector.madd(a, y, a1);
        b1 = Vector.madd(b, y, b1);
        d1 = Vector.madd(d, y, d1);
        y = v128.load(x2 + at);
        a2 = Vector.madd(a, y, a2);
        b2 = Vector.madd(b, y, b2);
        d2 = Vector.madd(d, y, d2);
        y = v128.load(x3 + at);
        a3 = Vector.madd(a, y, a3);
        b3 = Vector.madd(b, y, b3);
        d3 = Vector.madd(d, y, d3);
      }
      const g0 = g + r * step;
      const g1 = g + r1 * step;
      const g2 = g + r2 * step;
      const g3 = g + r3 * step;
      // Four sums at a time: of a unit with each row.
      const sumsA = f32x4.add(sums(a0, a1, a2, a3), four(g0, g1, g2, g3, c << 2));
      const sumsB = f32x4.add(sums(b0, b1, b2, b3), four(g0, g1, g2, g3, c1 << 2));
      const sumsC = f32x4.add(sums(c0, d1, d2, d3), four(g0, g1, g2, g3, c2 << 2));
      storeFour(g0, g1, g2, g3, c << 2, sumsA);
      storeFour(g0, g1, g2, g3, c1 << 2, sumsB);
      storeFour(g0, g1, g2, g3, c2 << 2, sumsC);
      for (; at < size; at += 4) {
        for (let i = r; i <= r3; i++) {
          for (let u = c; u <= c2; u++) {
            const to = g + i * step + (u << 2);
            f32.store(to, f32.load(to) + f32.load(x + i * size + at) * f32.load(w + u * size + at));
          }
        }
      }
    }
  }
}

/** The sums of the lanes of each. */
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
}

/** What four rows have at a place. */
function four(a: usize, b: usize, c: usize, d: usize, at: usize): v128 {
  let x = v128.load32_zero(a + at);
  x = f32x4.replace_lane(x, 1, f32.load(b + at));
  x = f32x4.replace_lane(x, 2, f32.load(c + at));
  return f32x4.replace_lane(x, 3, f32.load(d + at));
}

function storeFour(a: usize, b: usize, c: usize, d: usize, at: usize, x: v128): void {
  f32.store(a + at, f32x4.extract_lane(x, 0));
  f32.store(b + at, f32x4.extract_lane(x, 1));
  f32.store(c + at, f32x4.extract_lane(x, 2));
  f32.store(d + at, f32x4.extract_lane(x, 3));
}

/**
 * `out += a b`, where `out` is `[rows, columns]`, `b` `[terms, columns]`, and the elements of `a` are `rowStep` bytes
 * apart from row to row and `termStep` from term to term. What is missing of the last four rows is the last one.
 */
export function addProduct(
  out: usize,
  a: usize,
  rowStep: usize,
  termStep: usize,
  b: usize,
  rows: usize,
  terms: usize,
  columns: usize,
): void {
  const size = columns << 2;
  const vectors = size & ~31;
  for (; terms; ) {
    const some = min(terms, TERMS);
    for (let r: usize = 0; r < rows; r += 4) {
      const r1 = min(r + 1, rows - 1);
      const r2 = min(r + 2, rows - 1);
      const r3 = min(r + 3, rows - 1);
      const o0 = out + r * size;
      const o1 = out + r1 * size;
      const o2 = out + r2 * size;
      const o3 = out + r3 * size;
      const from0 = a + r * rowStep;
      const from1 = a + r1 * rowStep;
      const from2 = a + r2 * rowStep;
      const from3 = a + r3 * rowStep;
      let at: usize = 0;
      for (; at < vectors; at += 32) {
        const zero = f32x4.splat(0);
        let s0 = zero;
        let s1 = zero;
        let s2 = zero;
        let s3 = zero;
        let t0 = zero;
        let t1 = zero;
        let t2 = zero;
        let t3 = zero;
        let term: usize = 0;
        let y = b + at;
        for (let left = some; left; left--, term += termStep, y += size) {
          const u = v128.load(y);
          const v = v128.load(y, 16);
          let k = v128.load32_splat(from0 + term);
          s0 = Vector.madd(k, u, s0);
          t0 = Vector.madd(k, v, t0);
          k = v128.load32_splat(from1 + term);
          s1 = Vector.madd(k, u, s1);
          t1 = Vector.madd(k, v, t1);
          k = v128.load32_splat(from2 + term);
          s2 = Vector.madd(k, u, s2);
          t2 = Vector.madd(k, v, t2);
          k = v128.load32_splat(from3 + term);
          s3 = Vector.madd(k, u, s3);
          t3 = Vector.madd(k, v, t3);
        }
        // All are read before any is stored: the last row may be several of them.
        s0 = f32x4.add(s0, v128.load(o0 + at));
        t0 = f32x4.add(t0, v128.load(o0 + at, 16));
        s1 = f32x4.add(s1, v128.load(o1 + at));
        t1 = f32x4.add(t1, v128.load(o1 + at, 16));
        s2 = f32x4.add(s2, v128.load(o2 + at));
        t2 = f32x4.add(t2, v128.load(o2 + at, 16));
        s3 = f32x4.add(s3, v128.load(o3 + at));
        t3 = f32x4.add(t3, v128.load(o3 + at, 16));
        v128.store(o0 + at, s0);
        v128.store(o0 + at, t0, 16);
        v128.store(o1 + at, s1);
        v128.store(o1 + at, t1, 16);
        v128.store(o2 + at, s2);
        v128.store(o2 + at, t2, 16);
        v128.store(o3 + at, s3);
        v128.store(o3 + at, t3, 16);
      }
      const end = min(r + 4, rows);
      for (; at < size; at += 4) {
        for (let i = r; i < end; i++) {
          let from = a + i * rowStep;
          let y = b + at;
          let sum: f32 = 0;
          for (let left = some; left; left--, from += termStep, y += size) sum += f32.load(from) * f32.load(y);
          const to = out + i * size + at;
          f32.store(to, f32.load(to) + sum);
        }
      }
    }
    terms -= some;
    a += some * termStep;
    b += some * size;
  }
}
