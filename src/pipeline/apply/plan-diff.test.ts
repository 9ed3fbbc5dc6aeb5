import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refOf, type KubeObject } from '../../lib/kube/object.ts'
import { planDeletions, planDiff, renderDiff } from './plan-diff.ts'

type Parts = Record<string, unknown> & {
  readonly labels?: Record<string, string>
  readonly annotations?: Record<string, string>
}

function object({ kind = 'ConfigMap', labels, annotations, ...fields }: Parts = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: String(kind),
    metadata: { name: 'a', namespace: 'x', ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
    ...fields,
  }
}

const DOMAIN = 'kustomize.toolkit.fluxcd.io'

const cases: { it: string; live?: Parts; after?: Parts; wanted?: Parts; want: string }[] = [
  { it: 'says what is missing', want: '► ConfigMap/x/a created\n' },
  { it: 'says nothing of what is the same', live: { data: { a: '1' } }, after: { data: { a: '1' } }, want: '' },
  {
    it: 'looks past status and what the server keeps for itself',
    live: { status: { phase: 'old' } },
    after: { status: { phase: 'new' } },
    want: '',
  },
  {
    it: 'names the items of lists',
    live: { kind: 'Service', spec: { ports: [{ name: 'http', port: 9899 }] } },
    after: { kind: 'Service', spec: { ports: [{ name: 'http', port: 9898 }] } },
    want: '► Service/x/a drifted\n\nspec.ports.http.port\n± value change\n- 9899\n+ 9898\n\n',
  },
  {
    it: 'shows what came',
    live: {},
    after: { labels: { team: 'web' } },
    want: '► ConfigMap/x/a drifted\n\nmetadata\n+ one map entry added:\n  labels:\n    team: web\n\n',
  },
  {
    it: 'shows what went and what came side by side, as dyff',
    live: { data: { old: '1' } },
    after: { data: { young: '2', younger: '3' } },
    want: '► ConfigMap/x/a drifted\n\ndata\n- one map entry removed:   + two map entries added:\nold: "1"                     young: "2"\n                             younger: "3"\n\n',
  },
  {
    it: 'shows of a long text what changed alone',
    live: { data: { file: 'a\nb\nc\n' } },
    after: { data: { file: 'a\nB\nc\n' } },
    want: '► ConfigMap/x/a drifted\n\ndata.file\n± value change\n- b\n+ B\n\n',
  },
  {
    it: 'shows a type that changed',
    live: { spec: { on: 'true' } },
    after: { spec: { on: true } },
    want: '► ConfigMap/x/a drifted\n\nspec.on\n± type change from string to bool\n- true\n+ true\n\n',
  },
  {
    it: 'compares lists without names as sets',
    live: { items: ['a', 'b'] },
    after: { items: ['b', 'c'] },
    want: '► ConfigMap/x/a drifted\n\nitems\n- one list entry removed:   + one list entry added:\n- a                           - c\n\n',
  },
  {
    it: 'hides the values of Secrets',
    live: { kind: 'Secret', data: { same: 'c2FtZQ==', password: 'b2xk', gone: 'Z29uZQ==' } },
    after: { kind: 'Secret', data: { same: 'c2FtZQ==', password: 'bmV3' } },
    want: '► Secret/x/a drifted\n\ndata\n- one map entry removed:\n  gone: "*****"\n\ndata.password\n± value change\n- *** (before)\n+ *** (after)\n\n',
  },
  {
    it: 'hides the copy of a Secret that kubectl keeps',
    live: { kind: 'Secret', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":"b2xk"}' } },
    after: { kind: 'Secret' },
    want: '► Secret/x/a drifted\n\nmetadata\n- one map entry removed:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: "*****"\n\n',
  },
  {
    it: 'leaves what is to be ignored',
    wanted: { annotations: { [`${DOMAIN}/ssa`]: 'Ignore' } },
    want: '',
  },
  {
    it: 'leaves what is only ever created, once it is there',
    wanted: { annotations: { [`${DOMAIN}/ssa`]: 'IfNotPresent' } },
    live: { data: { a: '1' } },
    after: { data: { a: '2' } },
    want: '',
  },
]

for (const { it, live, after, wanted, want } of cases)
  test(`diff ${it}`, () => {
    const built = object(wanted)
    const seen = {
      ref: refOf(object(live ?? {})),
      wanted: built,
      live: live && object(live),
      after: after && object(after),
    }
    assert.equal(renderDiff(planDiff([seen])), want)
  })

const owned = (name: string, namespace = 'flux-system'): Record<string, string> => ({
  [`${DOMAIN}/name`]: name,
  [`${DOMAIN}/namespace`]: namespace,
})
const leaving: readonly { readonly it: string; readonly left: Parts; readonly isDeleted: boolean }[] = [
  { it: 'of its owner', left: { labels: owned('apps') }, isDeleted: true },
  { it: 'of another owner', left: { labels: owned('other') }, isDeleted: false },
  { it: 'of an owner of that name elsewhere', left: { labels: owned('apps', 'team') }, isDeleted: false },
  { it: 'of nobody', left: {}, isDeleted: false },
  {
    it: 'of its owner that asks to stay',
    left: { labels: owned('apps'), annotations: { [`${DOMAIN}/prune`]: 'disabled' } },
    isDeleted: false,
  },
]
for (const { it, left, isDeleted } of leaving)
  test(`what left Git ${isDeleted ? 'would be' : 'would not be'} deleted: one ${it}`, () =>
    assert.equal(planDeletions([object(left)], 'flux-system/apps').length, isDeleted ? 1 : 0))
