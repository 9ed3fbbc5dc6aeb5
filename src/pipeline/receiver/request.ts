/** A request at a hook, as it came. Header names are in lower case. */
export type HookCall = {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** A header; '' when it is not there. */
export function headerOf({ headers }: HookCall, name: string): string {
  return headers[name] ?? ''
}

/** What a proof came to. `body` replaces the one of the request: what is inside of an envelope. */
export type Proof =
  | { readonly isGood: true; readonly body?: Buffer; readonly claims?: Readonly<Record<string, unknown>> }
  | { readonly isGood: false; readonly reason: string }

/** A proof that failed. */
export function refused(reason: string): Proof {
  return { isGood: false, reason }
}
