const SMALL_SPEC = { containers: [{ name: 'main', image: 'registry.local/app:1', ports: [{ containerPort: 80 }] }] }
/** The template of a workload. */
export const TEMPLATE = { metadata: { labels: { app: 'a' }, annotations: { note: 'x' } }, spec: SMALL_SPEC }
/** A selector that fits it. */
export const SELECTOR = {
  matchLabels: { app: 'a' },
  matchExpressions: [{ key: 'app', operator: 'In', values: ['a', 'b'] }],
}
