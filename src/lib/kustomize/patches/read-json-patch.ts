import { during, failure } from '../failure.ts'
import { rawJson } from '../objects/json-nodes.ts'
import { jsonValue, parseJsonPatch } from './json-patch.ts'
import type { PatchArgs } from '../kustomization/kustomization.ts'
import { fileName, loadText, type Loader } from '../files/loader.ts'
import { insideOf } from '../objects/read-resources.ts'
import type { Patch } from './transform-patches.ts'

/** Reads an entry of `patchesJson6902`; unlike one of `patches` it must name its target. */
export function readJsonPatch(loader: Loader, args: PatchArgs): Patch {
  const fault = (text: string): Error => failure('KUSTOMIZE_INVALID', text, args.node)
  if (!args.target?.name) throw fault('must specify the target name')
  if (args.path === '' && args.patch === '') throw fault('empty file path and empty jsonOp')
  if (args.path !== '' && args.patch !== '') throw fault('must specify a file path or jsonOp, not both')
  const text = args.path === '' ? args.patch : loadText(loader, args.path)
  if (text === '') throw fault(`patch file '${args.path}' empty seems to be empty`)
  const { fields } = args.node
  const inline = fields.get('patch') ?? fields.get('jsonOp')
  const [file, within] = args.path === '' ? insideOf(text, inline) : [fileName(loader, args.path), undefined]
  let shown = text.startsWith('[') ? text : 'null'
  const operations = text.startsWith('[')
    ? during(`decoding ${text}`, () => parseJsonPatch(text, file, within))
    : parseJsonPatch(text, file, within, (root, step) => {
        shown = rawJson(jsonValue(root), false)
        return during(`decoding ${shown}`, step)
      })
  if (operations.length === 0) throw fault(`patch appears to be empty; file=${args.path}, JsonOp=${shown}`)
  return { kind: 'json', source: text, target: args.target, node: args.node, operations, keepsId: false }
}
