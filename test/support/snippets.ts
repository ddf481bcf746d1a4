import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** The code in README, docs and docstrings, and what it promises to print: `loss.print(); // 0.4013`. */
export interface Snippet {
  /** Where it stands. */
  readonly name: string;
  readonly code: string;
}

export const README = 'README.md';
export const PAGES = readdirSync('docs')
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name));

const SOURCES = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name));

/** The fenced blocks of a language in a Markdown file. */
export function snippetsOf(file: string, language: 'ts' | 'js' | 'html'): Snippet[] {
  return blocks(file, readFileSync(file, 'utf8'), language);
}

/** Blocks that begin with a file's name are taken from that file. */
export const fileOf = ({ code }: Snippet): string | undefined => code.match(/^\/\/ (\S+\.ts)\n/)?.[1];

/** Those in the docstrings of the sources. */
export function examples(): Snippet[] {
  return SOURCES.flatMap((file) => {
    const docstrings = readFileSync(file, 'utf8').match(/\/\*\*[\s\S]*?\*\//g) ?? [];
    return blocks(file, docstrings.map((text) => text.replace(/^ *\* ?/gm, '')).join('\n'), 'ts');
  });
}

function blocks(file: string, text: string, language: string): Snippet[] {
  const found = [...text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^\\1\`\`\``, 'gm'))];
  return found.map(([, indentation, code], i) => ({
    name: `${file} ${language} ${i + 1}`,
    code: code.replaceAll(new RegExp(`^${indentation}`, 'gm'), ''),
  }));
}

const PRINTS = /\.print\(|console\.log\(/g;
const NUMBER = /-?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Infinity)|NaN/g;

/** What the comments promise, print by print: a number, an array of numbers, or a text; an explanation may follow. */
export function promises(code: string): string[] {
  return code
    .split('\n')
    .filter((line) => line.match(PRINTS))
    .map((line) => line.match(/\); \/\/ (.*)$/)?.[1] ?? '');
}

/** Whether a snippet printed what it promises; comments show four decimals. */
export function expectPromised(code: string, printed: string[]): void {
  const promised = promises(code);
  expect(promised).not.toContain('');
  expect(promised).toHaveLength(code.match(PRINTS)?.length ?? 0);
  expect(printed).toHaveLength(promised.length);
  for (const [i, promise] of promised.entries()) {
    const value = promise.match(new RegExp(`^(\\[.*\\]|${NUMBER.source})`))?.[0];
    if (value === undefined) {
      expect(promise.startsWith(printed[i])).toBe(true);
      continue;
    }
    const [want, got] = [value, printed[i]].map((text) => (text.match(NUMBER) ?? []).map(Number));
    expect(got).toHaveLength(want.length);
    for (const [j, x] of want.entries()) {
      if (Number.isFinite(x)) expect(Math.abs(got[j] - x)).toBeLessThan(6e-5);
      else expect(got[j]).toBe(x);
    }
  }
}

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;

/** What a snippet prints, run as a module in this process. */
export async function runSnippet(code: string): Promise<string[]> {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
  });
  const printed: string[] = [];
  const log = jest.spyOn(console, 'log').mockImplementation((...parts) => void printed.push(parts.join(' ')));
  try {
    await new AsyncFunction('require', 'exports', outputText)(require, {});
  } finally {
    log.mockRestore();
  }
  return printed;
}
