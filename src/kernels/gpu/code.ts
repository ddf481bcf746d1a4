/** A piece of a shader, in the language of `language.ts`. What it reads and calls is declared: nobody searches its text. */
export interface Code {
  readonly text: string;
  /** The names of the inputs that it reads. No more than that: WebGPU takes no binding that is not used. */
  readonly reads?: readonly string[];
  /** What it calls. */
  readonly calls?: readonly Code[];
}

/** `vec4f walk(i32 row, i32 begin, i32 end)`: what is known of these classes of a row. */
export interface Walk extends Code {
  /**
   * Whether several threads may share the row: each is one of its `lanes`, visits every `lanes`th class from its `begin`
   * on, and the states that they leave are merged.
   */
  readonly shares: boolean;
}

/** `f32 value(i32 row, i32 c, vec4f t, ...)` of an element, given the terms `t` of its row. */
export interface Value extends Code {
  /** The elements of dense inputs that are its further arguments. */
  readonly takes: readonly ('x' | 'y')[];
}

export function valueIs(expression: string, takes: Value['takes'], calls: readonly Code[] = []): Value {
  const parameters = ['i32 row', 'i32 c', 'vec4f t', ...takes.map((name) => `f32 ${name}`)].join(', ');
  return { text: `f32 value(${parameters}) { return ${expression}; }`, reads: takes, takes, calls };
}

/** A whole shader: a piece after all that it calls, each once, and the inputs that they read. */
export function linked(main: Code): { text: string; reads: string[] } {
  const pieces = new Set<Code>();
  const add = (code: Code) => {
    code.calls?.forEach(add);
    pieces.add(code);
  };
  add(main);
  const all = [...pieces];
  return { text: all.map(({ text }) => text).join('\n'), reads: [...new Set(all.flatMap(({ reads = [] }) => reads))] };
}
