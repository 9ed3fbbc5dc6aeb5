/**
 * The package `sluice/kustomize`: `kustomize build` as a function. See docs/kustomize.md.
 *
 * Nothing here keeps state: builds may run interleaved, and in worker threads.
 */
export { diskTree } from '../adapters/files/disk-tree.ts'
export type { ErrorCode } from '../lib/error/codes.ts'
export { describeError, SluiceError } from '../lib/error/sluice-error.ts'
export { renderWithOrigins } from '../lib/kustomize/explain/annotate.ts'
export { build, renderBuild, type BuildOptions, type BuildResult } from '../lib/kustomize/build.ts'
export { findInObjects } from '../lib/kustomize/explain/find-in-objects.ts'
export { renderFinding, type Finding, type FindingCode } from '../lib/kustomize/findings.ts'
export {
  origin,
  origins,
  type FieldOrigin,
  type FilePlace,
  type ObjectName,
  type OriginStep,
} from '../lib/kustomize/explain/field-origin.ts'
export { treeOfFiles, type FileTree, type TreeEntry } from '../lib/kustomize/files/tree.ts'
export { watchTree, type Looks } from '../lib/kustomize/files/watch-tree.ts'
