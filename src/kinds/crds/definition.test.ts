import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadOne } from '../../lib/yaml/load.ts'
import { definitionOf, FLUX_KINDS } from './definition.ts'

const root = join(process.env['SLUICE_CONFORMANCE'] ?? '../shared/conformance', 'flux/crds')
type Crd = {
  spec: { names: { kind: string }; versions: { name: string; schema: { openAPIV3Schema: Record<string, unknown> } }[] }
}

test('every kind stores its newest version', () => {
  for (const table of FLUX_KINDS) {
    const versions = (definitionOf(table)['spec'] as { versions: { name: string; storage: boolean }[] }).versions
    assert.deepEqual(
      versions.filter((version) => version.storage).map((version) => version.name),
      [table.versions.at(-1)],
    )
  }
})

test('every kind and every field right below spec says what it is for', () => {
  type Described = { description?: string }
  for (const table of FLUX_KINDS) {
    const { versions } = (definitionOf(table) as unknown as Crd).spec
    for (const { schema } of versions) {
      assert.ok((schema.openAPIV3Schema as Described).description, table.kind)
      for (const [name, field] of Object.entries(propertiesOf(propertiesOf(schema.openAPIV3Schema)['spec'])))
        assert.match((field as Described).description ?? '', /^\S.{3,}$/, `${table.kind} spec.${name}`)
    }
  }
})

test(
  'every version and field that Flux ever served is there',
  { skip: existsSync(root) ? false : `no ${root}` },
  () => {
    const missing: string[] = []
    for (const folder of readdirSync(root))
      for (const file of readdirSync(join(root, folder))) {
        const crd = loadOne(readFileSync(join(root, folder, file), 'utf8'), file) as Crd
        const ours = FLUX_KINDS.find((table) => table.kind === crd.spec.names.kind)
        assert.ok(ours, crd.spec.names.kind)
        const versions = (definitionOf(ours) as unknown as Crd).spec.versions
        for (const theirs of crd.spec.versions) {
          const mine = versions.find((version) => version.name === theirs.name)
          if (!mine) missing.push(`${ours.kind} ${theirs.name}`)
          else
            for (const part of ['spec', 'status'])
              compareFields(
                `${ours.kind} ${theirs.name} ${part}`,
                propertiesOf(theirs.schema.openAPIV3Schema)[part],
                propertiesOf(mine.schema.openAPIV3Schema)[part],
                missing,
              )
        }
      }
    assert.deepEqual(missing, [])
  },
)

function propertiesOf(schema: unknown): Record<string, unknown> {
  return ((schema as { properties?: Record<string, unknown> } | undefined)?.properties ?? {}) as Record<string, unknown>
}

function compareFields(path: string, theirs: unknown, mine: unknown, missing: string[]): void {
  if (theirs === undefined || typeof theirs !== 'object' || theirs === null) return
  const want = theirs as { type?: string; items?: unknown; additionalProperties?: unknown; enum?: string[] }
  const got = mine as typeof want | undefined
  if (got === undefined || got.type !== want.type) return void missing.push(path)
  for (const value of want.enum ?? []) if (got.enum && !got.enum.includes(value)) missing.push(`${path}=${value}`)
  for (const [name, field] of Object.entries(propertiesOf(theirs)))
    compareFields(`${path}.${name}`, field, propertiesOf(mine)[name], missing)
  compareFields(`${path}[]`, want.items, got.items, missing)
  if (typeof want.additionalProperties === 'object')
    compareFields(`${path}{}`, want.additionalProperties, got.additionalProperties, missing)
}
