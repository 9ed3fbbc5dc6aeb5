import { setFlagsFromString } from 'node:v8'

/** V8's own is 920. */
const MOST_INLINED_BYTES = 400

/**
 * Has V8's optimising compiler take less of what a function calls into its code: a server runs hundreds of functions that are all a little hot, and
 * what several of them call is compiled into each (docs/adr/0199).
 */
export function inlineLess(): void {
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${MOST_INLINED_BYTES}`)
}
