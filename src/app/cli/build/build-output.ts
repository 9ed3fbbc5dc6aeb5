import { statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { effectiveNamespace, isCluster, splitApiVersion, type ResId } from '../../../lib/kustomize/objects/ids.ts'
import { isRecord } from '../../../lib/value/is-record.ts'
import { writeYaml } from '../../../lib/yaml/write/write.ts'

type Objects = readonly Readonly<Record<string, unknown>>[]

/**
 * Writes a build where `-o` says: a folder that exists gets a file for each object, named as kustomize names them; anything else
 * is the file for the whole text.
 */
export function writeOutput(cwd: string, output: string, yaml: string, objects: Objects): void {
  const path = output.endsWith('/') ? `${resolve(cwd, output)}/` : resolve(cwd, output)
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return writeNamed(path, output, yaml)
  for (const [name, text] of filesOf(objects)) writeNamed(join(path, name), join(output, name), text)
}

/** Errors call the file as the person did. */
function writeNamed(path: string, name: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    if (error instanceof Error && 'path' in error) error.path = name
    throw error
  }
}

/**
 * The files of a build by name: `namespace_group_version_kind_name.yaml` in lower case, the namespace only where there are several.
 *
 * @throws SluiceError KUSTOMIZE_BUILD when a name would lead out of the folder
 */
export function filesOf(objects: Objects): Map<string, string> {
  const ids = objects.map(idOf)
  const namespaces = new Set(ids.filter((id) => !isCluster(id)).map(effectiveNamespace))
  const files = new Map<string, string>()
  for (const [index, id] of ids.entries()) {
    const parts = [id.group, id.version, id.kind].filter((part) => part !== '')
    const prefix = namespaces.size > 1 && !isCluster(id) ? `${effectiveNamespace(id)}_` : ''
    const name = `${prefix}${parts.join('_')}_${id.name}.yaml`.toLowerCase()
    if (name.includes('/'))
      throw new SluiceError('KUSTOMIZE_BUILD', `object "${id.name}" cannot be a file: its name has a slash`, {
        hint: 'name a file in -o instead of a folder',
      })
    files.set(name, writeYaml(objects[index]))
  }
  return files
}

function idOf(object: Readonly<Record<string, unknown>>): ResId {
  const metadata = isRecord(object['metadata']) ? object['metadata'] : {}
  return {
    ...splitApiVersion(textOf(object['apiVersion'])),
    kind: textOf(object['kind']),
    name: textOf(metadata['name']),
    namespace: textOf(metadata['namespace']),
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
