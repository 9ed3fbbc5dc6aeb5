import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { type Atom, covers, describeRules, uncovered } from './covers.ts'

const rule = (apiGroups: string, resources: string, verbs: string, names?: string): JsonObject => ({
  verbs: verbs.split(','),
  apiGroups: apiGroups.split(','),
  resources: resources.split(','),
  ...(names === undefined ? {} : { resourceNames: names.split(',') }),
})
const path = (nonResourceURLs: string, verbs: string): JsonObject => ({
  verbs: verbs.split(','),
  nonResourceURLs: nonResourceURLs.split(','),
})
const everything = [rule('*', '*', '*'), path('*', '*')]

const cases: { it: string; held?: JsonObject[]; wanted: JsonObject[]; missing: string }[] = [
  {
    it: 'gives nothing without holding',
    wanted: [rule('', 'pods', 'get')],
    missing: '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}',
  },
  {
    it: 'gives all to who has all',
    held: everything,
    wanted: [rule('apps', 'deployments/scale', 'x'), path('/a', 'get')],
    missing: '',
  },
  {
    it: 'counts rules together',
    held: [rule('', 'pods', 'get'), rule('', 'pods', 'list')],
    wanted: [rule('', 'pods', 'get,list')],
    missing: '',
  },
  {
    it: 'does not give a star for parts',
    held: [rule('', 'pods', 'get')],
    wanted: [rule('', 'pods', '*')],
    missing: '{APIGroups:[""], Resources:["pods"], Verbs:["*"]}',
  },
  {
    it: 'gives a name out of all names',
    held: [rule('', 'pods', 'get')],
    wanted: [rule('', 'pods', 'get', 'a')],
    missing: '',
  },
  {
    it: 'does not give all names for one',
    held: [rule('', 'pods', 'get', 'a')],
    wanted: [rule('', 'pods', 'get')],
    missing: '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}',
  },
  {
    it: 'gives a subresource by its star',
    held: [rule('apps', '*/scale', 'get')],
    wanted: [rule('apps', 'deployments/scale', 'get')],
    missing: '',
  },
  { it: 'gives a path by its prefix', held: [path('/api/*', 'get')], wanted: [path('/api/v1', 'get')], missing: '' },
  {
    it: 'of very many stars is read at once',
    held: [path(`/${'*'.repeat(1024 * 1024)}a*`, 'get')],
    wanted: [path('/x', 'get')],
    missing: '{NonResourceURLs:["/x"], Verbs:["get"]}',
  },
  {
    it: 'names the verbs of one resource together',
    wanted: [rule('', 'pods', 'get,list'), path('/x', 'get,post')],
    missing:
      '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}\n{NonResourceURLs:["/x"], Verbs:["get"]}\n{NonResourceURLs:["/x"], Verbs:["post"]}',
  },
]
for (const { it, held = [], wanted, missing } of cases)
  test(`a rule ${it}`, () => assert.equal(describeRules(uncovered(held, wanted)), missing))

const rights: { it: string; rule: JsonObject; atom: Atom; want: boolean }[] = [
  {
    it: 'of a name does not allow to list',
    rule: rule('', 'pods', 'list', 'a'),
    atom: { verb: 'list', group: '', resource: 'pods' },
    want: false,
  },
  {
    it: 'of a kind does not allow its subresources',
    rule: rule('', 'pods', '*'),
    atom: { verb: 'get', group: '', resource: 'pods/log' },
    want: false,
  },
  {
    it: 'of all subresources of a name does not allow the kind itself',
    rule: rule('', '*/log', 'get'),
    atom: { verb: 'get', group: '', resource: 'log' },
    want: false,
  },
  {
    it: 'of another group allows nothing',
    rule: rule('apps', 'pods', 'get'),
    atom: { verb: 'get', group: '', resource: 'pods' },
    want: false,
  },
  { it: 'of all paths allows each', rule: path('*', 'get'), atom: { verb: 'get', path: '/healthz' }, want: true },
  {
    it: 'of a path does not allow those below',
    rule: path('/a', 'get'),
    atom: { verb: 'get', path: '/a/b' },
    want: false,
  },
  {
    it: 'of a path with stars at its end allows those below',
    rule: path('/a/**', 'get'),
    atom: { verb: 'get', path: '/a/b' },
    want: true,
  },
  {
    it: 'of resources allows no path',
    rule: rule('*', '*', '*'),
    atom: { verb: 'get', path: '/healthz' },
    want: false,
  },
]
for (const { it, rule: held, atom, want } of rights) test(`a rule ${it}`, () => assert.equal(covers(held, atom), want))
