/** A container's log: takes what it prints, keeps lines with their time. */
export type ContainerLog = {
  /** @param stamp when it was printed; now when it is not said */
  readonly write: (stream: 'stdout' | 'stderr', chunk: Buffer, stamp?: string) => void
  readonly end: () => void
}

/**
 * Opens a log file in the form that container runtimes keep (`TIME STREAM F|P TEXT`); when it is larger than `limitBytes` it becomes `PATH.1`
 * and a new one is begun. Runs inside the keeper: uses nothing of this module's surroundings.
 *
 * What comes together is written together: a flood of short lines must not keep the keeper from its other work.
 * A full disk loses lines, never the container.
 */
export function openLog(path: string, limitBytes: number): ContainerLog {
  const fs = process.getBuiltinModule('node:fs')
  const LONGEST_LINE = 16_384
  const rest = { stdout: '', stderr: '' }
  let file = fs.openSync(path, 'a', 0o640)
  let size = fs.fstatSync(file).size
  let isTorn = false
  const put = (lines: string): void => {
    // a full disk takes a part: the line that it tore does not go on in the next one
    const text = isTorn ? `\n${lines}` : lines
    try {
      if (size > 0 && size + text.length > limitBytes) {
        // a file that cannot be begun anew is written on: the number of a closed one is soon somebody else's
        if (fs.existsSync(path)) fs.renameSync(path, `${path}.1`)
        const fresh = fs.openSync(path, 'a', 0o640)
        fs.closeSync(file)
        file = fresh
        size = 0
      }
      const written = fs.writeSync(file, text, null, 'latin1')
      isTorn = written < text.length
      size += written
    } catch {
      // no room: the lines are lost, the container goes on
    }
  }
  return {
    write(stream, chunk, stamp = new Date().toISOString().replace('Z', '000000Z')) {
      // a character a byte, so that cutting breaks none
      const lines = (rest[stream] + chunk.toString('latin1')).split('\n')
      let last = lines.pop() ?? ''
      let text = lines.map((line) => `${stamp} ${stream} F ${line}\n`).join('')
      for (; last.length > LONGEST_LINE; last = last.slice(LONGEST_LINE))
        text += `${stamp} ${stream} P ${last.slice(0, LONGEST_LINE)}\n`
      rest[stream] = last
      if (text !== '') put(text)
    },
    end() {
      const stamp = new Date().toISOString().replace('Z', '000000Z')
      for (const stream of ['stdout', 'stderr'] as const)
        // a line that was never ended: its reader adds no end either
        if (rest[stream] !== '') put(`${stamp} ${stream} P ${rest[stream]}\n`)
      rest.stdout = rest.stderr = ''
      try {
        fs.closeSync(file)
      } catch {
        // closed already after a full disk
      }
    },
  }
}
