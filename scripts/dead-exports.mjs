// Lists functions and constants of src/ that are exported and imported by nobody: `node scripts/dead-exports.mjs`.
//   --only-tests   count what tests alone import as dead, too
//   --types        list types, too; one that an exported function takes or answers is part of that function
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'

const countTests = !process.argv.includes('--only-tests')
const withTypes = process.argv.includes('--types')
const files = ['src', 'tests', 'bench', 'scripts']
  .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))))
  .filter((path) => /\.m?[tj]s$/.test(path) && !path.endsWith('.d.ts'))
const isTest = (path) => !path.startsWith('src/') || path.endsWith('.test.ts')

/** `file#name` of everything that some file imports; `file#*` for whole modules. */
const used = new Set()
const exported = []

for (const path of files) {
  const tree = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
  if (countTests || !isTest(path)) noteImports(path, tree)
  if (!isTest(path)) for (const name of exportsOf(tree)) exported.push({ path, name, uses: usesOf(tree, name) })
}

const dead = exported.filter(({ path, name }) => !used.has(`${path}#${name}`) && !used.has(`${path}#*`))
for (const { path, name, uses } of dead) console.log(`${path}: ${name}${uses > 1 ? ' (used in its own file)' : ''}`)
console.error(`${dead.length} of ${exported.length} exports are imported by nobody${countTests ? '' : ' but tests'}`)

function noteImports(path, tree) {
  const target = (specifier) => normalize(join(dirname(path), specifier.text))
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || (ts.isExportDeclaration(node) && node.moduleSpecifier)) {
      const file = target(node.moduleSpecifier)
      const bindings = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause
      if (bindings && 'elements' in bindings)
        for (const { propertyName, name } of bindings.elements) used.add(`${file}#${(propertyName ?? name).text}`)
      else if (bindings || !ts.isImportDeclaration(node)) used.add(`${file}#*`)
      if (ts.isImportDeclaration(node) && node.importClause?.name) used.add(`${file}#default`)
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [first] = node.arguments
      if (first && ts.isStringLiteral(first)) used.add(`${target(first)}#*`)
    }
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) used.add(`${target(node.argument.literal)}#*`)
    ts.forEachChild(node, visit)
  }
  visit(tree)
}

function exportsOf(tree) {
  return tree.statements
    .filter((node) => node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
    .filter((node) => withTypes || !(ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node)))
    .flatMap((node) =>
      ts.isVariableStatement(node)
        ? node.declarationList.declarations.map(({ name }) => name.getText(tree))
        : [node.name?.text ?? 'default'],
    )
}

function usesOf(tree, name) {
  let count = 0
  const visit = (node) => {
    if (ts.isIdentifier(node) && node.text === name) count++
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return count
}
