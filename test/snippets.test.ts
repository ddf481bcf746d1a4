import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import ts from 'typescript';
import { expectPromised, PAGES, promises, README, snippetsOf } from './support/snippets';

/** Every snippet in README and docs is compiled strictly and run against the sources; what it prints holds. */
const snippets = [README, ...PAGES].flatMap((file) => snippetsOf(file, 'ts'));

beforeAll(() => tf.setBackend('cpu'));

test('compile strictly', () => {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, '.');
  const virtual = new Map(snippets.map(({ code }, i) => [resolve(`snippet-${i}.ts`), code]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (file) => virtual.has(file) || fileExists(file);
  host.readFile = (file) => virtual.get(file) ?? readFile(file);
  const read = host.getSourceFile;
  host.getSourceFile = (file, version, ...rest) => {
    const code = virtual.get(file);
    return code === undefined ? read(file, version, ...rest) : ts.createSourceFile(file, code, version);
  };
  const program = ts.createProgram([...virtual.keys()], { ...options, noUnusedLocals: true }, host);
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const at = snippets[[...virtual.keys()].indexOf(file?.fileName ?? '')]?.name ?? file?.fileName;
    return `${at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  expect(problems).toEqual([]);
}, 120_000);

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;

/** What a snippet prints, run as a module in this process. */
async function run(code: string): Promise<string[]> {
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

test.each(snippets)(
  '$name',
  async ({ code }) => {
    expect(promises(code).length).toBeGreaterThan(0);
    expectPromised(code, await run(code));
  },
  30_000,
);

test.each(['[0.5, NaN]', '0.25', '-Infinity', 'sum', '[1]'])('a promise of %s is kept or broken', async (promise) => {
  const code = `console.log('${promise}'); // ${promise}`;
  expectPromised(code, await run(code));
  expect(() => expectPromised(code, ['0.6'])).toThrow();
  expect(() => expectPromised(code.replace(/ \/\/.*/, ''), [promise])).toThrow();
});
