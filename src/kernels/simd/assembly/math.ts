/** Arithmetic of four float32, or two float64. What stands in inner loops is inlined: see CONTRIBUTING for the class. */
export class Vector {
  /** `a * b + c`. */
  @inline
  static madd(a: v128, b: v128, c: v128): v128 {
    return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
  }

  /**
   * exp(d) of d <= 0, to less than an ulp: exactly 1 at 0, exactly 0 at -Infinity; anything at NaN.
   *
   * exp(d) = 2^k * exp(r) with |r| <= ln(2) / 2, whose polynomial begins with 1 + r + r^2 / 2 and is minimax from there.
   * The constants are those of `storeExpConstants`.
   */
  @inline
  static exp(
    d: v128,
    log2e: v128,
    magic: v128,
    ln2High: v128,
    ln2Low: v128,
    c6: v128,
    c5: v128,
    c4: v128,
    c3: v128,
    half: v128,
    one: v128,
    lowest: v128,
  ): v128 {
    // 2^k next to exp(d): adding 1.5 * 2^23 rounds to an integer k, which is then in the low bits.
    const rounded = Vector.madd(d, log2e, magic);
    const k = f32x4.sub(rounded, magic);
    const r = Vector.madd(k, ln2Low, Vector.madd(k, ln2High, d));
    // 1 + (r + r^2 * (1/2 + c3 r + c4 r^2 + c5 r^3 + c6 r^4)), in an order that waits for little.
    const r2 = f32x4.mul(r, r);
    const low = Vector.madd(c3, r, half);
    const high = Vector.madd(c6, r2, Vector.madd(c5, r, c4));
    const p = f32x4.add(one, Vector.madd(Vector.madd(high, r2, low), r2, r));
    // k is added to the exponent of p. What would be subnormal is 0, and so is exp(-Infinity).
    return v128.andnot(i32x4.add(p, i32x4.shl(rounded, 23)), f32x4.lt(d, lowest));
  }

  /** Two float32 as float64. */
  @inline
  static pair(a: usize, b: usize): v128 {
    return f64x2.replace_lane(f64x2.splat(f32.load(a)), 1, f32.load(b));
  }

  /** `x`, but 0 where the coefficient is, whatever `x`. */
  @inline
  static unlessZero(coefficient: v128, x: v128): v128 {
    return v128.andnot(x, f64x2.eq(coefficient, f64x2.splat(0)));
  }
}

/** In memory, since engines would put literals into registers anew for every vector. */
export function storeExpConstants(at: usize): void {
  f32.store(at, <f32>Math.LOG2E);
  f32.store(at, 12582912, 4); // 1.5 * 2^23: adding it rounds to an integer
  f32.store(at, -0.693359375, 8); // -ln(2): its first bits, so that k times them is exact
  f32.store(at, 2.1219444e-4, 12); // and the rest
  f32.store(at, 0.00138637, 16);
  f32.store(at, 0.00836754, 20);
  f32.store(at, 0.04166724, 24);
  f32.store(at, 0.16666534, 28);
  f32.store(at, 0.5, 32);
  f32.store(at, 1, 36);
  f32.store(at, -87.33654, 40); // below it exp(x) is subnormal
}

/** Adds four float32 to four float64 in memory. */
export function addPromoted(totals: usize, x: v128): void {
  const high = v128.shuffle<f32>(x, x, 2, 3, 2, 3);
  v128.store(totals, f64x2.add(v128.load(totals), f64x2.promote_low_f32x4(x)));
  v128.store(totals, f64x2.add(v128.load(totals, 16), f64x2.promote_low_f32x4(high)), 16);
}

/** Two float64 as float32. */
export function storeDemoted(to: usize, x: v128): void {
  v128.store64_lane(to, f32x4.demote_f64x2_zero(x), 0);
}

/** The natural logarithm of two float64 of 1 or more, or NaN, to 1e-10. */
export function log(x: v128): v128 {
  const high = v128.shuffle<i32>(x, x, 1, 3, 1, 3);
  // So that m is between the root of 1/2 and that of 2.
  const k = i32x4.shr_s(i32x4.sub(high, i32x4.splat(0x3fe6a09e)), 20);
  const m = i32x4.sub(x, v128.shuffle<i32>(i32x4.shl(k, 20), i32x4.splat(0), 4, 0, 4, 1));
  const one = f64x2.splat(1);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let series = f64x2.splat(2 / 11.0);
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(2 / 9.0));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(2 / 7.0));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(2 / 5.0));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(2 / 3.0));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(2));
  const whole = f64x2.mul(f64x2.convert_low_i32x4_s(k), f64x2.splat(Math.LN2));
  return f64x2.add(f64x2.add(whole, f64x2.mul(s, series)), f64x2.sub(x, x));
}
