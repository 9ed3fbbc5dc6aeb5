/**
 * Every error code with what it means and what to do. `docs/errors.md` is generated from this table.
 *
 * Grouped by room, in the order a commit meets them. Add a line here before throwing a new code.
 */
export const ERROR_CODES = {
  // lib
  YAML_SYNTAX: 'The text is not YAML. Fix the line that the error names.',
  YAML_LIMIT: 'The YAML document is too large, too deep or expands too many aliases. Split it.',
  // kinds
  OBJECT_INVALID: 'The object does not have the shape its kind asks for. Fix the field that the error names.',
  // app
  USAGE: 'The command line was not understood. Run the command with --help.',
  STATE_IN_USE: 'Another sluice runs on the same state folder. Stop it (sluice down) or choose another --state.',
  NOT_RUNNING: 'No sluice runs on that state folder. Start one (sluice up) or name its folder with --state.',
  PORT_IN_USE: 'Another program listens on the port. Choose another, or 0 for a free one.',
  STATE_UNWRITABLE: 'The state folder cannot be written (read-only, full disk, wrong owner). Choose another --state.',
} as const satisfies Record<string, string>

/** A code for machines; closed, so that a switch over it is checked. */
export type ErrorCode = keyof typeof ERROR_CODES
