import ts from 'typescript';

/** What a bundle reaches for outside of itself. */
export interface Reach {
  /** Names that nobody declares in it: what the platform provides, and `tf` for a script tag. */
  readonly globals: string[];
  /** What it imports or requires, dynamically too; `(computed)` where that is no literal. */
  readonly imports: string[];
  /** All names that it reads as a property, by destructuring too. */
  readonly properties: string[];
}

const sorted = (names: Set<string>) => [...names].sort();

/** Read off the syntax tree, so that words in comments and in texts do not count. */
export function reachOf(code: string, fileName = 'bundle.js'): Reach {
  const source = ts.createSourceFile(fileName, code, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
  const [globals, imports, properties] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const options: ts.CompilerOptions = { allowJs: true, noLib: true, noResolve: true, target: ts.ScriptTarget.ESNext };
  const host: ts.CompilerHost = {
    ...ts.createCompilerHost(options),
    getSourceFile: (name) => (name === fileName ? source : undefined),
  };
  const checker = ts.createProgram([fileName], options, host).getTypeChecker();

  const importOf = (literal: ts.Node | undefined) =>
    imports.add(literal && ts.isStringLiteralLike(literal) ? literal.text : '(computed)');

  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && isReference(node)) {
      // Without any library the checker knows what is declared in the file, and nothing else but these.
      if (!checker.getSymbolAtLocation(node)?.declarations?.length) globals.add(node.text);
    }
    if (ts.isPropertyAccessExpression(node)) properties.add(node.name.text);
    if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
      const name = node.propertyName ?? node.name;
      if (ts.isIdentifier(name) || ts.isStringLiteralLike(name)) properties.add(name.text);
    }
    if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
      properties.add(node.argumentExpression.text);
    }
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      importOf(node.moduleSpecifier);
    }
    if (ts.isCallExpression(node)) {
      const { expression } = node;
      const isImport = expression.kind === ts.SyntaxKind.ImportKeyword;
      if (isImport || (ts.isIdentifier(expression) && expression.text === 'require')) importOf(node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { globals: sorted(globals), imports: sorted(imports), properties: sorted(properties) };
}

/** Whether an identifier stands for a variable, and is not the name of a property, a label or the like. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return false;
  if (ts.isMethodDeclaration(parent) || ts.isPropertyDeclaration(parent) || ts.isAccessor(parent)) {
    return ts.isPropertyDeclaration(parent) && parent.initializer === node;
  }
  return !ts.isLabeledStatement(parent) && !ts.isBreakOrContinueStatement(parent) && !ts.isMetaProperty(parent);
}
