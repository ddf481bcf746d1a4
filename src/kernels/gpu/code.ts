import type { TensorInfo } from '@tensorflow/tfjs-core';

export type Named<T> = Readonly<Record<string, T>>;

/** A tensor as shaders see it: `<name>At(i)` is what it holds at an index. */
export interface Input {
  readonly tensor: TensorInfo;
  readonly type: 'f32' | 'i32' | 'vec4f';
  /**
   * Whether it has the shape whose rows are visited. Then there are `<name>Of(row, c)` as well, and `<name>Next(c)`: four
   * classes of the row that was started.
   */
  readonly isDense: boolean;
}

const inputOf =
  (type: Input['type'], isDense = false) =>
  (tensor: TensorInfo): Input => ({ tensor, type, isDense });
export const numbers = inputOf('f32');
export const integers = inputOf('i32');
export const quads = inputOf('vec4f');
export const dense = inputOf('f32', true);

/** A piece of a shader, in the language of `language.ts`. What it reads and calls is declared: nobody searches its text. */
export interface Code {
  readonly text: string;
  /** No more than the text reads: WebGPU takes no binding that is not used. */
  readonly reads: Named<Input>;
  readonly calls: readonly Code[];
}

export const piece = (text: string, reads: Named<Input> = {}, calls: readonly Code[] = []): Code => ({
  text,
  reads,
  calls,
});

/**
 * Visits the classes of a row from `begin` to `end`, four at a time or, of several threads, each lane its own: `c` is the
 * first of them in the `body`, and `next` of an input's name an expression of its four.
 */
export type Loop = (body: (next: (name: string) => string) => string) => string;

/** `vec4f walk(i32 row, i32 begin, i32 end)`: what is known of these classes of a row. Those of several lanes are merged. */
export interface Walk {
  readonly reads: Named<Input>;
  code(loop: Loop): Code;
}

export const LOOP: Loop = (body) => /* glsl */ `
  start(row, begin);
  for (i32 c = begin; c < end; c += 4 * lanes) { ${body((name) => `${name}Next(c)`)} }`;

/** `f32 value(i32 row, i32 c, vec4f t)` of an element, given the terms of its row and its `x` and `y`, as far as read. */
export const valueIs = (expression: string, reads: Named<Input>, calls?: readonly Code[]): Code => {
  const elements = Object.keys(reads).map((name) => `, f32 ${name}`);
  return piece(`f32 value(i32 row, i32 c, vec4f t${elements.join('')}) { return ${expression}; }`, reads, calls);
};

/** A whole shader: a piece after all that it calls, each once, and the inputs that they read. */
export function linked(main: Code): { text: string; inputs: [name: string, input: Input][] } {
  const pieces = new Set<Code>();
  const add = (code: Code) => {
    code.calls.forEach(add);
    pieces.add(code);
  };
  add(main);
  const all = [...pieces];
  return {
    text: all.map(({ text }) => text).join('\n'),
    inputs: Object.entries(Object.assign({}, ...all.map(({ reads }) => reads))),
  };
}
