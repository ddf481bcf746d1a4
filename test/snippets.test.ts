import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import ts from 'typescript';
import { examples, expectPromised, fileOf, PAGES, promises, README, runSnippet, snippetsOf } from './support/snippets';

/** Every snippet in README, docs and docstrings is compiled strictly and run against the sources; what it prints holds. */
const all = [...[README, ...PAGES].flatMap((file) => snippetsOf(file, 'ts')), ...examples()];
const snippets = all.filter((snippet) => !fileOf(snippet));
const excerpts = all.filter(fileOf);

beforeAll(() => tf.setBackend('cpu'));

/** The sources that users import, with the snippets beside them as files that are in memory only. */
function compile() {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, '.');
  const files = new Map(snippets.map(({ code }, i) => [resolve(`snippet-${i}.ts`), code]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.readFile = (file) => files.get(file) ?? readFile(file);
  host.getSourceFile = (file, version, ...rest) => {
    const code = files.get(file);
    return code === undefined ? getSourceFile(file, version, ...rest) : ts.createSourceFile(file, code, version);
  };
  const program = ts.createProgram([...files.keys(), ...ENTRIES.map((file) => resolve(file))], options, host);
  return { program, nameOf: (file = '') => snippets[[...files.keys()].indexOf(file)]?.name ?? file };
}

const ENTRIES = ['src/index.ts', 'src/layers/index.ts', 'src/graph/index.ts'];

describe('compiled', () => {
  let compiled: ReturnType<typeof compile>;

  beforeAll(() => {
    compiled = compile();
  }, 120_000);

  test('strictly', () => {
    const problems = ts
      .getPreEmitDiagnostics(compiled.program)
      .map((x) => `${compiled.nameOf(x.file?.fileName)}: ${ts.flattenDiagnosticMessageText(x.messageText, '\n')}`);
    expect(problems).toEqual([]);
  }, 120_000);

  test.each(ENTRIES)('each function and class of %s has an example, errors and alternatives', (entry) => {
    const checker = compiled.program.getTypeChecker();
    const source = checker.getSymbolAtLocation(compiled.program.getSourceFile(resolve(entry))!)!;
    const callable = checker
      .getExportsOfModule(source)
      .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
      .filter(({ flags }) => flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class));
    expect(callable.length).toBeGreaterThan(0);
    for (const symbol of callable) {
      const tags = symbol.getJsDocTags(checker).map(({ name }) => name);
      const wanted = symbol.flags & ts.SymbolFlags.Class ? ['example', 'see'] : ['example', 'param', 'see', 'throws'];
      expect({ [symbol.name]: wanted.filter((tag) => !tags.includes(tag)) }).toEqual({ [symbol.name]: [] });
    }
  });

  test.each(ENTRIES)('each function of %s on tensors has a formula, and the shapes of all of them', (entry) => {
    const checker = compiled.program.getTypeChecker();
    const source = checker.getSymbolAtLocation(compiled.program.getSourceFile(resolve(entry))!)!;
    const faults: string[] = [];
    for (const exported of checker.getExportsOfModule(source)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const { valueDeclaration: declaration } = symbol;
      if (!declaration || !ts.isFunctionDeclaration(declaration)) continue;
      const isTensor = (type = '') => /^(AnyTensor|T|.*Tensor(\dD)?)$/.test(type);
      const tensors = declaration.parameters.filter(({ type }) => isTensor(type?.getText()));
      if (tensors.length === 0) continue;
      const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
      if (!text.includes('```text')) faults.push(`${symbol.name} has no formula`);
      for (const { name } of tensors) {
        const is = (tag: ts.JSDocTagInfo) => tag.name === 'param' && tag.text?.[0].text === name.getText();
        const description = ts.displayPartsToString(symbol.getJsDocTags(checker).find(is)?.text);
        if (!/`\[.*\]`|shape|[Ss]calar/.test(description))
          faults.push(`${symbol.name}: the shape of ${name.getText()}`);
      }
    }
    expect(faults).toEqual([]);
  });
});

test.each(snippets)(
  '$name',
  async ({ code }) => {
    expect(promises(code).length).toBeGreaterThan(0);
    expectPromised(code, await runSnippet(code));
  },
  30_000,
);

test.each(['[0.5, NaN]', '0.25', '-Infinity', 'sum', '[1]'])('a promise of %s is kept or broken', async (promise) => {
  const code = `console.log('${promise}'); // ${promise}`;
  expectPromised(code, await runSnippet(code));
  expect(() => expectPromised(code, ['0.6'])).toThrow();
  expect(() => expectPromised(code.replace(/ \/\/.*/, ''), [promise])).toThrow();
});

test.each(excerpts)('$name is in the file that it names', (excerpt) => {
  const lines = (code: string) => code.replace(/^ +/gm, ''); // indented as it may be
  const [, ...taken] = excerpt.code.split('\n');
  const isThere = lines(readFileSync(fileOf(excerpt)!, 'utf8')).includes(lines(taken.join('\n')));
  expect(isThere ? '' : `${fileOf(excerpt)} has no longer:\n${taken.join('\n')}`).toBe('');
});
