/**
 * Name of the diagnostics channel on which whoever carries image content tells how many bytes it has just handled, as a number.
 *
 * The buffers are garbage by then, which V8 does not see pile up: the process may listen and collect them (docs/adr/0047).
 */
export const MOVED_BYTES = 'sluice:moved-bytes'
