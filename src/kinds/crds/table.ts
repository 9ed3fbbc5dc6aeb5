/**
 * One Flux kind as a compact table, from which its CustomResourceDefinition is made.
 *
 * `fields` is a line a field, nested by two spaces: `name[!] type [limits]`; `!` means required.
 * - types: `string integer boolean any object intorstring`, `[t]` a list, `{t}` a map, `string duration` and `string timeout` Go durations
 *   (with and without hours below zero digits as Flux checks them), `@conditions` and `@artifact` shared shapes
 * - limits: a JSON object of OpenAPI keywords; `each` holds those of a list's or map's items
 * - `# text` at the end says what the field is for: `kubectl explain` shows it
 * - `? "rule" : "message"` below a field is a CEL rule of it, `?each` of its items
 */
export type KindTable = {
  readonly group: string
  readonly kind: string
  /** What `kubectl explain` says of the kind. */
  readonly about: string
  readonly plural: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  /** Every version that Flux ever served, oldest first; the last one is stored. */
  readonly versions: readonly string[]
  /** `Name type[/priority] jsonPath`, the columns of `kubectl get`. */
  readonly columns: readonly string[]
  /** Has a status subresource. */
  readonly hasStatus: boolean
  readonly fields: string
}
