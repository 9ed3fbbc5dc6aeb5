import type { ErrorCode } from '../error/codes.ts'
import { SluiceError } from '../error/sluice-error.ts'

const REMOTE = 'check the address, its ref, and the network'

/** What to do about an error of kustomize's, by its text. The first that fits; a site that knows more says so itself. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/unknown field/, 'remove the field, or check its spelling'],
  [/found multiple objects .* that could accept merge/, 'give the generators different names or namespaces'],
  [/conflicting fieldspecs/, 'let one of the two field specs go: they differ in "create" only'],
  [/must have a name/, 'add a name to the generator'],
  [/is not a valid key name/, 'use letters, digits, ".", "_" and "-" only'],
  [/illegally repeats the key/, 'let one of the two entries go, or give the file another key: key=path'],
  [/invalid literal source/, 'write key=value'],
  [/key name or file path contains '='/, 'write key=path with one "=", and rename a file that has one in its name'],
  [/missing key name for file path/, 'write key=path, or the path alone'],
  [/missing file path for key name/, 'write the path behind "="'],
  [/invalid utf8 bytes/, 'save the file as UTF-8, or list it under files'],
  [/into Go value of type jsonpatch/, 'write a list of operations: - op: replace, path: /spec/…, value: …'],
  [/Unexpected kind:/, 'use add, remove, replace, move, copy or test'],
  [/invalid index|Atoi/, 'name a position that the list has, or "-" for behind the last'],
  [
    /doc is missing (from )?(path|key)|nonexistent key|missing value/,
    'check the path against the object; "add" makes a field that is not there',
  ],
  [/test failed/, 'the object has another value there than the patch expects; change one of them'],
  [/parse requirement/, 'write key=value, key!=value, key in (a,b) or key'],
  [/must resolve to a file/, 'name a file; folders go to resources or components'],
  [/new root cannot be empty/, 'name a folder, or remove the empty item'],
  [/cannot be absolute/, 'write the path relative to this kustomization file'],
  [/cycle detected/, 'remove one of the two references'],
  [/file is not directory/, 'name a folder with a kustomization file'],
  [/list path element must contain/, 'write [name=value]'],
  [
    /wrong node kind|wrong Node Kind|must target scalar/,
    'the value at this place has another type than the configuration expects; change one of them',
  ],
  [/index \d+ specified/, 'name an index that the list has'],
  [/namespace is blank/, 'give the subject a namespace, or remove the field'],
  [/no 'name' field in node/, 'the field spec of nameReference must lead to a name'],
  [/too many links/, 'let the links lead to a file'],
  [/has more than \d+ bytes/, 'keep large files out of the build'],
  [/setRoleBindingSubjects/, 'write defaultOnly, allServiceAccounts or none'],
  [/empty file path and empty (patch content|jsonOp)/, 'give it a path or the patch itself'],
  [/patch appears to be empty/, 'fill the patch, or remove it'],
  [/must specify at least one target/, 'add targets'],
  [/fieldPath cannot be empty/, 'write the path of the field, for example spec/replicas'],
  [/legacySortOptions/, 'use order: legacy, or remove legacySortOptions'],
  [/sortOptions\.order/, 'write order: legacy or order: fifo'],
  [/expected array in/, 'make items a list'],
  [/an item of a list is no object/, 'every item of the list must be an object with apiVersion and kind'],
  [/both path and inline replacement/, 'keep either path or source and targets'],
  [/unsupported replacement type/, 'the file must hold a replacement, or a list of them'],
  [/must specify a source and at least one target/, 'add source and targets'],
  [/value and resource selectors are mutually exclusive/, 'keep either source or sourceValue'],
  [/is missing for replacement source/, 'check fieldPath against the source object'],
  [/multiple matches for selector/, 'select the source more narrowly: kind, name, namespace'],
  [/nothing selected by/, 'check kind, name and namespace of the source'],
  [/delimiter option can only/, 'options.delimiter wants a field that is a text'],
  [/out of bounds for value/, 'choose an index that the split value has'],
  [/must specify resources to select/, 'add select to the target'],
  [/in replacement target/, 'check the field path against the target; options.create: true makes what is missing'],
  [/builtin version and custom schema/, 'keep either path or version'],
  [/OpenAPI version is not built in/, 'use version v1.21.2, or path with a schema of your own'],
  [
    /does not match a config with the following GVK/,
    'check the name; replicas are set on Deployments, ReplicaSets, ReplicationControllers and StatefulSets only',
  ],
  [/must specify one of patch and path/, 'give the entry a path or a patch'],
  [/can't be set at the same time|a file path or jsonOp, not both/, 'keep one of the two'],
  [/qualifies as both/, 'write the patch either as an object or as a list of operations'],
  [
    /unable to parse SM or JSON patch/,
    'write an object with apiVersion, kind and metadata.name, or a list of operations',
  ],
  [/must specify (a|the) target/, 'add target with the kind and name of the object'],
  [/Multiple Strategic-Merge Patches/, 'make an entry of its own for each patch, or leave target out'],
  [/produces ID conflict/, 'two objects would have the same name in one namespace; rename one'],
  [/\(unable to disambiguate\)/, 'name the namespace in objref'],
  [/already encountered/, 'rename one of the two vars'],
  [/cannot be mapped to a field/, 'check objref: no object is called so'],
  [/field specified in var/, 'check fieldref.fieldPath against the object'],
  [/expect a string/, 'the field may hold a text only; quote the value'],
  [/unable to find one of/, 'add a kustomization.yaml, or name the folder that has one'],
  [/failed to run '[^']*\bgit |Get "https?:/, REMOTE],
  [/should be/, 'write apiVersion: kustomize.config.k8s.io/v1beta1 and kind: Kustomization, or leave both out'],
  [/unsupported value|control characters/, 'JSON cannot hold the value; quote it or remove it'],
]

const BY_CODE: Partial<Record<ErrorCode, string>> = {
  YAML_SYNTAX: 'fix the line',
  KUSTOMIZE_INVALID: 'fix the field',
  KUSTOMIZE_PATH: 'check the path',
  KUSTOMIZE_REMOTE: REMOTE,
  KUSTOMIZE_HTTP: REMOTE,
  KUSTOMIZE_UNSUPPORTED: 'replace it by something that is built in',
}

/** The error with a place and an advice: its own, or what is known from outside. Bugs are answered as they are. */
export function advised(error: unknown, place: string): unknown {
  if (!(error instanceof SluiceError)) return error
  const { code, message, retry, cause } = error
  const where = error.where ?? place
  const hint =
    error.hint ??
    ADVICE.find(([pattern]) => pattern.test(message))?.[1] ??
    BY_CODE[code] ??
    'fix the object at this place'
  return new SluiceError(code, message, { retry, cause, where, hint })
}
