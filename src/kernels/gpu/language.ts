/**
 * The shaders are written once, in what GLSL and WGSL have in common: declarations as in GLSL, names of types and
 * `select` as in WGSL, vectors compared by functions. GLSL gets the rest by macros, and WGSL by `toWGSL`.
 */
export const GLSL = /* glsl */ `
#define f32 float
#define i32 int
#define vec4f vec4
#define select mix
#define bits floatBitsToUint
#define ofBits intBitsToFloat
#define INFINITY uintBitsToFloat(0x7f800000u)
#define lanes 1
#define apart 1
`;

const WGSL = /* wgsl */ `
alias int = i32;
alias float = f32;
fn bits(x: f32) -> u32 { return bitcast<u32>(x); }
fn ofBits(x: i32) -> f32 { return bitcast<f32>(x); }
fn lessThan(a: vec4f, b: vec4f) -> vec4<bool> { return a < b; }
`;

/** Translates functions, declarations, and the names of uniforms. */
export function toWGSL(code: string, uniforms: readonly { readonly name: string }[]): string {
  return (WGSL + code)
    .replace(/(f32|i32|vec4f|bool) (\w+)\(([^()]*)\) ?{/g, (_, type, name, parameters) => {
      return `fn ${name}(${parameters.replace(/(\w+) (\w+)/g, '$2: $1')}) -> ${type} {`;
    })
    .replace(/(f32|i32|vec4f|bool) (?=\w+ ?=)/g, 'var ')
    .replace(new RegExp(`\\b(NAN|INFINITY|${uniforms.map(({ name }) => name).join('|')})\\b`, 'g'), 'uniforms.$1');
}

/**
 * Neither language promises IEEE 754's NaN and Infinity, and drivers differ in `exp`, `log`, `max` and comparisons of
 * them. So they are told by their bits, and left to the device is only what they all get right: to add and to multiply.
 */
export const NUMBERS = /* glsl */ `
bool isInfinite(f32 x) { return (bits(x) & 0x7fffffffu) == 0x7f800000u; }
bool isNaN(f32 x) { return (bits(x) & 0x7fffffffu) > 0x7f800000u; }

// A number for each integer from 0 to 2^29: above 2^24 f32(i) is the same for several of them.
f32 tag(i32 i) { return ofBits(i | 0x40000000); }

// 0 where a is, whatever b.
f32 times(f32 a, f32 b) { return select(a * b, 0., a == 0.); }

f32 quotient(f32 a, f32 b) { return select(a / b, a * INFINITY, b == 0.); }

// For x <= 0.
vec4f exp4(vec4f x) { return select(vec4f(0.), exp(x), lessThan(vec4f(-104.), x)); }
f32 expOf(f32 x) { return select(0., exp(x), x > -104.); }

// Of a sum of exponentials: it is 0 where all are of -Infinity, which has no softmax.
f32 settled(f32 sum) { return select(sum, NAN, sum == 0.); }
f32 logOf(f32 sum) { return select(log(sum), NAN, isNaN(settled(sum))); }
`;
