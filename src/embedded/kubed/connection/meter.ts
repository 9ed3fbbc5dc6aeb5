import type { Asked, Meter } from '../environment.ts'
import type { Resource } from '../resources/resource.ts'

/** Upper bounds in seconds, as kube-apiserver has them. */
const BOUNDS = [
  ...[0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60],
]
/** Different kinds of requests that are told apart; what comes after them is counted as one. */
const MOST_SERIES = 2000

type Series = { count: number; sum: number; readonly buckets: number[] }

/** The kind that a path names, of which a meter wants to know little. */
type FindKind = (group: string, version: string, plural: string) => Pick<Resource, 'subresources'> | undefined

/** Counts requests by verb, kind and code, their durations, and those that run now. Paths come from outside: only kinds that there are get lines. */
export function makeMeter(nowMs: () => number, find: FindKind): Meter {
  const totals = new Map<string, number>()
  const durations = new Map<string, Series>()
  const running = new Map<string, number>()
  const checks = new Map<string, Outcome>()
  return {
    judged(endpoint, check, isGood) {
      const key = `name="${check}",type="${endpoint}"`
      const { success = 0, error = 0 } = checks.get(key) ?? {}
      checks.set(key, isGood ? { isGood, success: success + 1, error } : { isGood, success, error: error + 1 })
    },
    renderChecks: () => checkLines([...checks].sort(([a], [b]) => (a < b ? -1 : 1))),
    follow(asked, response) {
      const { verb, labels } = labelsOf(asked, find)
      const startMs = nowMs()
      const held = verb === 'WATCH' ? labels.replace(/dry_run="\w*",/, '') : undefined
      if (held !== undefined) add(running, held, 1)
      response.once('close', () => {
        if (held !== undefined) add(running, held, -1)
        add(totals, `code="${response.statusCode}",${labels}`, 1)
        // How long somebody watches is no latency.
        if (held === undefined) observe(durations, labels, (nowMs() - startMs) / 1000)
      })
    },
    render: () =>
      [
        ...family('apiserver_request_total', 'counter', 'Requests by verb, kind and code.'),
        ...[...totals].map(([labels, value]) => `apiserver_request_total{${labels}} ${value}`),
        ...family('apiserver_longrunning_requests', 'gauge', 'Watches that run now.'),
        ...[...running].map(([labels, value]) => `apiserver_longrunning_requests{${labels}} ${value}`),
        ...family('apiserver_request_duration_seconds', 'histogram', 'How long answers took.'),
        ...[...durations].flatMap(([labels, series]) => histogram(labels, series)),
      ].join('\n'),
  }
}

/** What a check said last, and how often. */
type Outcome = { readonly isGood: boolean; readonly success: number; readonly error: number }

function checkLines(checks: readonly (readonly [labels: string, outcome: Outcome])[]): string {
  const total = 'kubernetes_healthchecks_total'
  const counts = checks.flatMap(([labels, outcome]) =>
    (['error', 'success'] as const)
      .filter((status) => outcome[status] > 0)
      .map((status) => `${total}{${labels.replace(',', `,status="${status}",`)}} ${outcome[status]}`),
  )
  if (counts.length === 0) return ''
  return [
    ...family('kubernetes_healthcheck', 'gauge', 'What a check of the server said last.'),
    ...checks.map(([labels, { isGood }]) => `kubernetes_healthcheck{${labels}} ${isGood ? 1 : 0}`),
    ...family(total, 'counter', 'What the checks of the server said.'),
    ...counts,
  ].join('\n')
}

/** The labels by name, as they are written; none of them can have a sign that must be escaped. */
function labelsOf(asked: Asked, find: FindKind): { readonly verb: string; readonly labels: string } {
  const { method, found, query } = asked
  const kind = found.kind === 'resource' ? find(found.group, found.version, found.plural) : undefined
  if (found.kind !== 'resource' || kind === undefined)
    return {
      verb: method,
      labels: `component="",dry_run="",group="",resource="",scope="",subresource="",verb="${method}",version=""`,
    }
  const verb = verbOf(asked)
  const isOne = found.name !== '' || asked.verb === 'create'
  const scope = isOne ? 'resource' : found.namespace === '' ? 'cluster' : 'namespace'
  const subresource = kind.subresources.has(found.subresource) ? found.subresource : ''
  return {
    verb,
    labels: `component="apiserver",dry_run="${query.has('dryRun') ? 'All' : ''}",group="${found.group}",resource="${found.plural}",scope="${scope}",subresource="${subresource}",verb="${verb}",version="${found.version}"`,
  }
}

/** Verbs as they are counted: an apply is one of its own, a create is a POST. */
function verbOf({ verb, contentType }: Asked): string {
  if (verb === 'patch' && contentType.startsWith('application/apply-patch')) return 'APPLY'
  return { create: 'POST', update: 'PUT' }[verb] ?? verb.toUpperCase()
}

function add(counts: Map<string, number>, labels: string, by: number): void {
  const key = counts.has(labels) || counts.size < MOST_SERIES ? labels : 'verb="others"'
  counts.set(key, (counts.get(key) ?? 0) + by)
}

function observe(durations: Map<string, Series>, labels: string, seconds: number): void {
  const key = durations.has(labels) || durations.size < MOST_SERIES ? labels : 'verb="others"'
  const series = durations.get(key) ?? { count: 0, sum: 0, buckets: BOUNDS.map(() => 0) }
  series.count++
  series.sum += seconds
  const at = BOUNDS.findIndex((bound) => seconds <= bound)
  if (at >= 0) series.buckets[at] = (series.buckets[at] ?? 0) + 1
  durations.set(key, series)
}

function histogram(labels: string, { count, sum, buckets }: Series): string[] {
  const name = 'apiserver_request_duration_seconds'
  let below = 0
  const lines = BOUNDS.map((bound, index) => {
    below += buckets[index] ?? 0
    return `${name}_bucket{${labels},le="${bound}"} ${below}`
  })
  return [
    ...lines,
    `${name}_bucket{${labels},le="+Inf"} ${count}`,
    `${name}_sum{${labels}} ${sum}`,
    `${name}_count{${labels}} ${count}`,
  ]
}

/** The head of a family of lines. */
export function family(name: string, type: 'counter' | 'gauge' | 'histogram', help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}
