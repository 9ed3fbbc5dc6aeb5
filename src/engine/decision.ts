/**
 * What a pure `decide(seen)` answers: change something, wait for something, or nothing left to do.
 *
 * The engine loops observe -> decide -> act until the answer is `wait` or `done`.
 */
export type Decision<Change, Status> =
  | { readonly kind: 'act'; readonly changes: readonly Change[] }
  | { readonly kind: 'wait'; readonly afterMs: number; readonly status: Status }
  | { readonly kind: 'done'; readonly status: Status; readonly againAfterMs?: number }
