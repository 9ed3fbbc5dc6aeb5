import { SluiceError } from '../../error/sluice-error.ts'
import { isRecord } from '../../value/is-record.ts'
import { goSyntax } from '../../yaml/write/go-syntax.ts'
import type { YamlMap } from '../../yaml/nodes.ts'
import { reprintedValue } from '../../yaml/write/reprint.ts'

/**
 * The plain value of an object, as kustomize's last step makes it.
 *
 * @throws SluiceError KUSTOMIZE_BUILD with kustomize's text where Go cannot make JSON of it
 */
export function objectValue(node: YamlMap): Record<string, unknown> {
  try {
    const value = reprintedValue(node)
    return isRecord(value) ? value : {}
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'YAML_SYNTAX') throw error
    const subject = /^json: |control characters|found a tab/.test(error.message)
      ? goSyntax(node, true)
      : 'map[string]interface {}(nil)'
    const { where, hint } = error
    throw new SluiceError('KUSTOMIZE_BUILD', `${subject}: ${error.message}`, {
      cause: error,
      ...(where ? { where } : {}),
      ...(hint ? { hint } : {}),
    })
  }
}
