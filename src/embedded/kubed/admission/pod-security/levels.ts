import { equal, type JsonObject, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { invalidValue } from '../../validation/fault-list.ts'

/** How much a pod may: everything, what is harmless, or what is best practice. */
export type Level = 'privileged' | 'baseline' | 'restricted'

/** A level as one version of Kubernetes had it; undefined is the latest. */
export type LevelVersion = { readonly level: Level; readonly minor: number | undefined }

/** What a namespace asks of its pods: which of them are refused, and of which its users are warned. */
export type PodPolicy = { readonly enforce: LevelVersion; readonly warn: LevelVersion }

const PREFIX = 'pod-security.kubernetes.io/'
const LEVELS: readonly Level[] = ['privileged', 'baseline', 'restricted']
const VERSION = /^v1\.([0-9]|[1-9][0-9]*)$/

/**
 * The policy that the labels of a namespace set. A level that is none is taken for the strictest where pods are refused, for none where
 * users are warned.
 *
 * @see https://kubernetes.io/docs/concepts/security/pod-security-admission/
 */
export function podPolicyOf(labels: JsonObject, errors: FieldError[] = []): PodPolicy {
  const enforce = levelOf('enforce', labels, 'restricted', errors)
  levelOf('audit', labels, 'privileged', errors)
  const warn = levelOf('warn', labels, 'privileged', errors)
  // Who names only what is refused is warned of the same.
  const follows = !has(labels, 'warn') && isLevel(labels[`${PREFIX}enforce`]) && isStricter(enforce.level, warn.level)
  if (!follows) return { enforce, warn }
  return { enforce, warn: { level: enforce.level, minor: has(labels, 'warn-version') ? warn.minor : enforce.minor } }
}

const has = (labels: JsonObject, name: string): boolean => labels[`${PREFIX}${name}`] !== undefined
const isLevel = (value: unknown): value is Level => LEVELS.some((level) => level === value)

/** True when a level lets less through than another. */
export const isStricter = (level: Level, other: Level): boolean => LEVELS.indexOf(level) > LEVELS.indexOf(other)

/** True for the same level in the same version. */
export const isSameLevel = (level: LevelVersion, other: LevelVersion): boolean => equal(text(level), text(other))

/** A level with its version, as messages name it: `baseline:v1.30`. */
export const text = ({ level, minor }: LevelVersion): string =>
  `${level}:${minor === undefined ? 'latest' : `v1.${minor}`}`

function levelOf(mode: string, labels: JsonObject, fallback: Level, errors: FieldError[]): LevelVersion {
  const [named, version] = [labels[`${PREFIX}${mode}`], labels[`${PREFIX}${mode}-version`]]
  if (named !== undefined && !isLevel(named))
    invalidValue(errors, `metadata.labels[${PREFIX}${mode}]`, named, `must be one of ${LEVELS.join(', ')}`)
  const minor = VERSION.exec(stringOf(version))?.[1]
  if (version !== undefined && version !== 'latest' && minor === undefined)
    invalidValue(errors, `metadata.labels[${PREFIX}${mode}-version]`, version, 'must be "latest" or "v1.x"')
  const level = isLevel(named) ? named : named === undefined ? 'privileged' : fallback
  return { level, minor: minor === undefined ? undefined : Number(minor) }
}
