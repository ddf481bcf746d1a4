/**
 * WGSL compilers may assume that there are no NaN and no Infinity, and on some devices `exp`, `log`, `max` and
 * comparisons get them wrong. So they are told by their bits, and made from uniforms; left to the device is only what
 * they all get right, which is to add and to multiply them.
 */
export const NUMBERS = /* wgsl */ `
const LOWEST = -0x1.fffffep+127f;
const EXPONENT = 0x7f800000u;
const NEGATIVE_INFINITY = 0xff800000u;

fn isZero(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) == 0u;
}

/** coefficient * x, but exactly 0 where the coefficient is 0, also when x is not finite. */
fn times(coefficient: f32, x: f32) -> f32 {
  if (isZero(coefficient)) { return 0.0; }
  return coefficient * x;
}

fn quotient(a: f32, b: f32) -> f32 {
  if (!isZero(b)) { return a / b; }
  if (isZero(a) || isnan(a)) { return uniforms.NAN; }
  return select(-uniforms.INFINITY, uniforms.INFINITY, a > 0.0);
}

/** max - x. */
fn below(max: f32, x: f32) -> f32 {
  return select(max - x, uniforms.INFINITY, bitcast<u32>(x) == NEGATIVE_INFINITY);
}

/** exp(x - max). */
fn expBelow(max: f32, x: f32) -> f32 {
  return select(exp(x - max), 0.0, bitcast<u32>(x) == NEGATIVE_INFINITY);
}

/** log(sum), NaN for the NaN that says that a row has no softmax. */
fn logOfSum(sum: f32) -> f32 {
  return select(log(sum), uniforms.NAN, isnan(sum));
}
`;
