import { functionsOfRender } from './functions.ts'
import { type GoFunction, isTrue, print, sortedEntries, type Value } from './values.ts'
import { executionFault, type Place, templateFault } from './lex.ts'
import { type Expression, type Node, parseTemplate, type Pipeline, type Template } from './parse.ts'

type Scope = { readonly values: Map<string, Value>; readonly parent: Scope | undefined }
type Run = {
  readonly name: string
  readonly typeOf: TypeOf
  readonly defined: Template['defined']
  readonly functions: ReadonlyMap<string, GoFunction>
  /** The name of the template at work, and how many are at work around it. */
  executing: string
  depth: number
  readonly out: string[]
  size: number
  steps: number
  line: number
}
/** How errors call the type of a value; '' when it has no name. */
type TypeOf = (value: Value) => string
type Flow = 'break' | 'continue' | undefined

const LARGEST = 1024 * 1024
const MOST_STEPS = 200_000
const DEEPEST = 100

/**
 * Renders a Go template (text/template with sprig's functions that depend on nothing but their arguments).
 *
 * Data is plain: objects are structs (an unknown field is an error), Maps are maps (an unknown key is `<no value>`), functions on objects are methods.
 * Bounded: 1 MiB of text, 200,000 steps, 10,000,000 steps of regular expressions, lists of 10,000 items.
 * @param name how errors call the template
 * @param typeOf how they call the type of a value
 * @throws SluiceError TEMPLATE_INVALID with `name:line`, or `name:line:column` for what shows while it is rendered
 */
export function renderTemplate(
  name: string,
  source: string,
  data: Value,
  typeOf: TypeOf = (value) => typeof value,
): string {
  const { nodes, defined } = parseTemplate(name, source)
  const functions = functionsOfRender()
  const run: Run = { name, typeOf, defined, functions, executing: name, depth: 0, out: [], size: 0, steps: 0, line: 1 }
  runNodes(run, nodes, data, { values: new Map([['$', data]]), parent: undefined })
  return run.out.join('')
}

function runNodes(run: Run, nodes: readonly Node[], dot: Value, scope: Scope): Flow {
  for (const node of nodes) {
    if (++run.steps > MOST_STEPS) throw templateFault(run.name, run.line, 'the template takes too many steps')
    const flow = runNode(run, node, dot, scope)
    if (flow) return flow
  }
  return undefined
}

function runNode(run: Run, node: Node, dot: Value, scope: Scope): Flow {
  switch (node.kind) {
    case 'text':
      write(run, node.text)
      return undefined
    case 'break':
    case 'continue':
      return node.kind
    case 'output': {
      const value = evaluatePipeline(run, node.pipeline, dot, scope)
      if (node.pipeline.variables.length === 0) write(run, print(value))
      return undefined
    }
    case 'range':
      return runRange(run, node, dot, scope)
    case 'template':
      return runNamed(run, node, dot, scope)
    case 'if':
    case 'with': {
      const inner: Scope = { values: new Map(), parent: scope }
      const value = evaluatePipeline(run, node.pipeline, dot, inner)
      const nextDot = node.kind === 'with' && isTrue(value) ? value : dot
      return runNodes(run, isTrue(value) ? node.body : node.otherwise, nextDot, inner)
    }
  }
}

/** A template of a name sees what it is given, and nothing else. */
function runNamed(run: Run, { name, pipeline, place }: Node & { kind: 'template' }, dot: Value, scope: Scope): Flow {
  const nodes = run.defined.get(name)
  if (!nodes) throw fault(run, place, `template ${JSON.stringify(name)} not defined`)
  if (run.depth >= DEEPEST) throw fault(run, place, `exceeded maximum template depth (${DEEPEST})`)
  const given = pipeline && evaluatePipeline(run, pipeline, dot, scope)
  const before = run.executing
  run.depth++
  run.executing = name
  runNodes(run, nodes, given, { values: new Map([['$', given]]), parent: undefined })
  run.executing = before
  run.depth--
  return undefined
}

function fault({ name, executing }: Run, place: Place, what: string): Error {
  return executionFault(name, place, what, executing)
}

function runRange(run: Run, node: Node & { kind: 'if' | 'with' | 'range' }, dot: Value, scope: Scope): Flow {
  run.line = node.pipeline.line
  const value = evaluate(run, node.pipeline.value, dot, scope)
  const entries = entriesOf(run, value)
  if (entries.length === 0) return runNodes(run, node.otherwise, dot, { values: new Map(), parent: scope })
  const [first, second] = node.pipeline.variables
  for (const [key, one] of entries) {
    if (++run.steps > MOST_STEPS) throw templateFault(run.name, run.line, 'the template takes too many steps')
    const inner: Scope = { values: new Map(), parent: scope }
    if (first !== undefined) inner.values.set(first, second === undefined ? one : key)
    if (second !== undefined) inner.values.set(second, one)
    if (runNodes(run, node.body, one, inner) === 'break') break
  }
  return undefined
}

function entriesOf(run: Run, value: Value): readonly (readonly [Value, Value])[] {
  if (value instanceof Map) return sortedEntries(value)
  if (Array.isArray(value)) return value.map((one: Value, i) => [i, one] as const)
  if (typeof value === 'number')
    return Array.from({ length: Math.min(Math.max(0, value), MOST_STEPS) }, (_, i) => [i, i] as const)
  if (value === undefined || value === null) return []
  throw templateFault(run.name, run.line, `range can't iterate over ${print(value)}`)
}

function evaluatePipeline(run: Run, pipeline: Pipeline, dot: Value, scope: Scope): Value {
  run.line = pipeline.line
  const value = evaluate(run, pipeline.value, dot, scope)
  for (const name of pipeline.variables) assign(run, name, value, pipeline.isNew, scope)
  return value
}

function assign(run: Run, name: string, value: Value, isNew: boolean, scope: Scope): void {
  let at: Scope | undefined = scope
  if (!isNew) while (at && !at.values.has(name)) at = at.parent
  if (!at) throw templateFault(run.name, run.line, `undefined variable ${JSON.stringify(name)}`)
  at.values.set(name, value)
}

function evaluate(run: Run, expression: Expression, dot: Value, scope: Scope): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value
    case 'dot':
      return dot
    case 'variable':
      return lookUp(run, expression.name, scope)
    case 'fields':
      return expression.names.reduce<Value>(
        (value, name) => readField(run, value, name, expression.place),
        evaluate(run, expression.of, dot, scope),
      )
    case 'call':
      return call(run, expression, dot, scope, [])
    case 'pipe':
      return expression.rest.reduce<Value>(
        (value, command) => call(run, command, dot, scope, [value]),
        evaluate(run, expression.first, dot, scope),
      )
  }
}

function lookUp(run: Run, name: string, scope: Scope): Value {
  for (let at: Scope | undefined = scope; at; at = at.parent) if (at.values.has(name)) return at.values.get(name)
  throw templateFault(run.name, run.line, `undefined variable ${JSON.stringify(name)}`)
}

function readField(run: Run, value: Value, name: string, place: Place): Value {
  if (value instanceof Map) return value.get(name)
  // What lies behind a key that is not there is not there either.
  if (value === undefined) return undefined
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, name)) {
    const found: unknown = Reflect.get(value, name)
    return typeof found === 'function' ? found.call(value) : found
  }
  throw fault(run, place, `can't evaluate field ${name} in type ${run.typeOf(value)}`)
}

function call(
  run: Run,
  { name, arguments: given, place }: Expression & { kind: 'call' },
  dot: Value,
  scope: Scope,
  piped: readonly Value[],
): Value {
  const known = run.functions.get(name)
  if (!known) throw templateFault(run.name, run.line, `function ${JSON.stringify(name)} not defined`)
  const values = [...given.map((one) => evaluate(run, one, dot, scope)), ...piped]
  try {
    if (name === 'index') checkKeys(run, values)
    return known(...values)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw fault(run, place, `error calling ${name}: ${why}`)
  }
}

/** A key has the type of the map's others. */
function checkKeys({ typeOf }: Run, [from, key]: readonly Value[]): void {
  if (!(from instanceof Map) || from.size === 0 || key === undefined) return
  const wanted = typeOf([...from.keys()][0])
  if (typeOf(key) !== wanted) throw new Error(`value has type ${typeOf(key)}; should be ${wanted}`)
}

function write(run: Run, text: string): void {
  run.size += text.length
  if (run.size > LARGEST) throw templateFault(run.name, run.line, 'the text is above 1 MiB')
  run.out.push(text)
}
