import { renderTemplate } from '../../lib/go-template/render.ts'
import { type ChangedObject, type ImageRef, renderImage, type SetterChange } from './setters.ts'

/** What Flux writes when an automation has no template. */
const DEFAULT_MESSAGE = 'Update from image update automation'

/** What a commit message may speak of. */
export type MessageInput = {
  readonly template: string | undefined
  /** `namespace/name`. */
  readonly automation: { readonly namespace: string; readonly name: string }
  readonly changes: readonly SetterChange[]
  /** Cleaned, '' for the whole repository: files are named as they stand below it. */
  readonly updatePath: string
  readonly values: Readonly<Record<string, string>>
}

/** Whether a template uses `.Updated`, which today's Flux has removed (and refuses). */
export function usesRemovedFields(template: string | undefined): boolean {
  return template !== undefined && /\{\{[^}]*\.Updated\b/.test(template)
}

/**
 * Renders the message of a write-back: `.AutomationObject`, `.Changed`, the older `.Updated`, and `.Values`.
 *
 * @throws SluiceError TEMPLATE_INVALID
 * @see https://fluxcd.io/flux/components/image/imageupdateautomations/#message-template
 */
export function renderCommitMessage({ template, automation, changes, updatePath, values }: MessageInput): string {
  if (template === undefined || template === '') return DEFAULT_MESSAGE
  const { namespace, name } = automation
  const named = changes.map((change) => ({ ...change, file: fileBelow(updatePath, change.file) }))
  const images = imageResult(named)
  const data = {
    AutomationObject: { Namespace: namespace, Name: name, String: () => `${namespace}/${name}` },
    Updated: images,
    Changed: changeResult(named, images),
    Values: new Map(Object.entries(values)),
  }
  return renderTemplate('commit message', template, data, (value) => typeName(data, value))
}

/** The name of a file below a path, which may be that of the file. */
function fileBelow(path: string, file: string): string {
  if (file === path) return file.slice(file.lastIndexOf('/') + 1)
  return path !== '' && file.startsWith(`${path}/`) ? file.slice(path.length + 1) : file
}

/** Go's name of a type, as its errors tell it. */
function typeName(data: { readonly AutomationObject: object; readonly Changed: object }, value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'number' ? 'int' : typeof value
  if (value === data) return 'source.TemplateData'
  if (value === data.AutomationObject) return 'types.NamespacedName'
  if (value === data.Changed) return 'update.Result'
  if ('Setter' in value) return 'update.Change'
  if ('APIVersion' in value) return 'update.ObjectIdentifier'
  return Array.isArray(value) ? '[]update.Change' : 'update.ImageRef'
}

/** `.Changed`: every change, by file, by object, and all of them once. */
function changeResult(changes: readonly SetterChange[], images: object): object {
  const fileChanges = new Map<string, Map<object, object[]>>()
  const objects = new Map<object, object[]>()
  const all = new Map<string, object>()
  const identify = identifier()
  for (const change of changes) {
    const shown = { OldValue: change.oldValue, NewValue: change.newValue, Setter: change.setter }
    const object = identify(change.object)
    const file = entry(fileChanges, change.file, () => new Map<object, object[]>())
    entry(file, object, (): object[] => []).push(shown)
    entry(objects, object, (): object[] => []).push(shown)
    all.set(JSON.stringify(shown), shown)
  }
  return promoting({ FileChanges: fileChanges }, { Objects: objects, Changes: [...all.values()], ImageResult: images })
}

/** `.Updated`: every image, by file and object. */
function imageResult(changes: readonly SetterChange[]): object {
  const files = new Map<string, { readonly Objects: Map<object, object[]> }>()
  const objects = new Map<object, object[]>()
  const images = new Map<string, object>()
  const identify = identifier()
  for (const { file, object, image, policy } of changes) {
    const known = entry(images, `${renderImage(image)} ${policy.name}`, () => imageValue(image, policy))
    const key = identify(object)
    for (const list of [
      entry(entry(files, file, () => ({ Objects: new Map() })).Objects, key, (): object[] => []),
      entry(objects, key, (): object[] => []),
    ])
      if (!list.includes(known)) list.push(known)
  }
  return { Files: files, Objects: objects, Images: [...images.values()] }
}

function imageValue(image: ImageRef, policy: SetterChange['policy']): object {
  const slash = image.name.indexOf('/')
  return {
    Registry: slash < 0 ? 'index.docker.io' : image.name.slice(0, slash),
    Repository: image.name.slice(slash + 1),
    Identifier: image.tag,
    Name: renderImage(image),
    Policy: { Namespace: policy.namespace, Name: policy.name, String: () => `${policy.namespace}/${policy.name}` },
    String: () => renderImage(image),
  }
}

/** One value for each object, so that it can be a key. Go has its fields two structs deep, prints them so, and compares them in this order. */
function identifier(): (object: ChangedObject) => object {
  const known = new Map<string, object>()
  return ({ apiVersion, kind, name, namespace }) =>
    entry(known, JSON.stringify([apiVersion, kind, namespace, name]), () => {
      const type = { APIVersion: apiVersion, Kind: kind }
      const place = { Name: name, Namespace: namespace }
      const resource = promoting({ TypeMeta: type, NameMeta: place }, { ...type, ...place })
      return promoting({ ResourceIdentifier: resource }, { TypeMeta: type, NameMeta: place, ...type, ...place })
    })
}

/** A struct with fields of the structs that are embedded in it, or methods: they can be read, and are not printed with it. */
function promoting(struct: object, fields: Readonly<Record<string, unknown>>): object {
  for (const [name, value] of Object.entries(fields)) Object.defineProperty(struct, name, { value })
  return struct
}

function entry<Key, One>(map: Map<Key, One>, key: Key, make: () => One): One {
  const found = map.get(key) ?? make()
  map.set(key, found)
  return found
}
