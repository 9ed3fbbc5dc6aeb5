import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { type Obj, objFrom } from '../object.ts'
import { grantNames } from './definition-names.ts'

const WIDGETS = { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' }

function definition(names: JsonObject, acceptedNames?: JsonObject): Obj {
  const status = acceptedNames === undefined ? {} : { acceptedNames }
  return objFrom({ spec: { names }, status }, 'apiextensions.k8s.io/v1', 'CustomResourceDefinition')
}

// What the naming controller of apiextensions-apiserver 0.37.2 grants.
const cases: {
  it: string
  names: JsonObject
  had?: JsonObject
  others: JsonObject[]
  want: JsonObject
  why?: string
}[] = [
  { it: 'all names when there are no others', names: WIDGETS, others: [], want: WIDGETS },
  {
    it: 'none of the kinds that another has',
    names: WIDGETS,
    others: [{ ...WIDGETS, plural: 'gadgets', singular: 'gadget' }],
    want: { plural: 'widgets', singular: 'widget', kind: '' },
    why: 'ListKindConflict "WidgetList" is already in use',
  },
  {
    it: 'no singular that is a short name of another',
    names: WIDGETS,
    others: [{ plural: 'a', kind: 'A', shortNames: ['widget'] }],
    want: { plural: 'widgets', kind: 'Widget', listKind: 'WidgetList' },
    why: 'SingularConflict "widget" is already in use',
  },
  {
    it: 'no short names where one belongs to another, and tells of each once',
    names: { ...WIDGETS, shortNames: ['a', 'w', 'b', 'a'], categories: ['all'] },
    others: [
      { plural: 'a', kind: 'A' },
      { plural: 'b', kind: 'B' },
    ],
    want: { ...WIDGETS, categories: ['all'] },
    why: 'ShortNamesConflict ["a" is already in use, "b" is already in use]',
  },
  {
    it: 'what it has already, whoever else has it',
    names: WIDGETS,
    had: WIDGETS,
    others: [WIDGETS],
    want: WIDGETS,
  },
  {
    it: 'no short name that is its own plural by now',
    names: { ...WIDGETS, shortNames: ['widgets'] },
    had: WIDGETS,
    others: [],
    want: WIDGETS,
    why: 'ShortNamesConflict "widgets" is already in use',
  },
  {
    it: 'no new kind that another has, and leaves it the old one',
    names: { ...WIDGETS, listKind: 'AList' },
    had: WIDGETS,
    others: [{ plural: 'a', kind: 'A', listKind: 'AList' }],
    want: WIDGETS,
    why: 'ListKindConflict "AList" is already in use',
  },
  {
    it: 'no short names when it asks for none any more',
    names: WIDGETS,
    had: { ...WIDGETS, shortNames: ['w'], categories: ['all'] },
    others: [],
    want: WIDGETS,
  },
]
for (const { it, names, had, others, want, why } of cases)
  test(`a definition is granted ${it}`, () => {
    const own = definition(names, had)
    const { acceptedNames, conflict } = grantNames(own, [own, ...others.map((each) => definition(each, each))])
    assert.deepEqual(acceptedNames, want)
    assert.equal(conflict && `${conflict.reason} ${conflict.message}`, why)
  })
