import type { Fact, FactBody } from '../../src/pipeline/record/fact.ts'

// What the stages report of one delivery: a push to `main` of the service `web`, on its way into production.

export const C = 'c'.repeat(40)
export const W = 'd'.repeat(40)
export const D = `sha256:${'1'.repeat(64)}`
export const OLD = `sha256:${'0'.repeat(64)}`
export const IMAGE = 'registry.sluice.local/web'
export const KUSTOMIZATION = 'flux-system/production'

export const at = (facts: readonly FactBody[]): Fact[] =>
  facts.map((fact, index) => ({ at: `2026-01-01T00:00:${String(index).padStart(2, '0')}Z`, ...fact }))

const because = (cause: string | undefined): object => (cause === undefined ? {} : { cause })
export const push = (commit: string, message: string): FactBody => ({
  kind: 'push',
  repository: 'vps',
  ref: 'refs/heads/main',
  commit,
  before: '',
  author: 'ada',
  message,
  committedAt: '',
})
export const run = (state: 'running' | 'succeeded' | 'failed', cause?: string): FactBody => ({
  kind: 'run',
  runId: '1',
  workflow: 'Build web',
  event: 'push',
  ref: 'refs/heads/main',
  commit: C,
  state,
  ...because(cause),
})
export const image: FactBody = { kind: 'image', image: IMAGE, tag: '1.1.0', digest: D, commit: C, runId: '1' }
export const policy = (tag: string, cause?: string): FactBody => ({
  kind: 'policy',
  policy: 'default/web',
  image: IMAGE,
  tag,
  considered: 3,
  ...because(cause),
})
export const writeBack: FactBody = {
  kind: 'write-back',
  automation: 'default/production',
  branch: 'main',
  commit: W,
  images: [{ image: IMAGE, tag: '1.1.0' }],
}
export const source: FactBody = { kind: 'source', source: 'flux-system/git', revision: `main@sha1:${W}`, commit: W }
export const build = (tag: string, commit = W): FactBody => ({
  kind: 'build',
  kustomization: KUSTOMIZATION,
  revision: `main@sha1:${commit}`,
  ok: true,
  workloads: [{ namespace: 'default', name: 'web', images: [`${IMAGE}:${tag}`] }],
})
export const apply = (commit = W, drift = false): FactBody => ({
  kind: 'apply',
  kustomization: KUSTOMIZATION,
  revision: `main@sha1:${commit}`,
  ok: true,
  changes: [{ object: 'Deployment/default/web', action: 'configured', ...(drift ? { drift } : {}) }],
})
export const refused: FactBody = {
  kind: 'apply',
  kustomization: KUSTOMIZATION,
  revision: `main@sha1:${W}`,
  ok: false,
  cause: 'namespace "x" not found',
  changes: [],
}
export const health = (state: 'healthy' | 'unhealthy', cause?: string): FactBody => ({
  kind: 'health',
  kustomization: KUSTOMIZATION,
  revision: `main@sha1:${W}`,
  state,
  ...because(cause),
})
export const pod = (digest: string): FactBody => ({
  kind: 'pod',
  namespace: 'default',
  workload: 'web',
  pod: `web-${digest.slice(7, 9)}`,
  image: `${IMAGE}:1.1.0`,
  digest,
  ready: true,
})

export const before = [build('1.0.0', 'a'.repeat(40))]
export const built = [...before, push(C, 'feat: x'), run('running'), image, run('succeeded'), policy('1.1.0')]
export const applied = [...built, writeBack, source, build('1.1.0'), apply()]
export const whole = [...applied, pod(D), health('healthy')]
