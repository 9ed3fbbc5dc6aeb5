import { cleanCell, widthOf } from './text-width.ts'

/** Renders rows as kubectl does: columns as wide as their widest cell on the screen, three spaces apart, no trailing blanks. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows].map((row) => row.map(cleanCell))
  const widths = header.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))))
  return all
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
}

// Colour codes take no room on the screen.
const COLOUR = /\u001b\[[0-9;]*m/g

function width(cell: string): number {
  return widthOf(cell.replace(COLOUR, ''))
}

function pad(cell: string, to: number): string {
  return cell + ' '.repeat(Math.max(0, to - width(cell)))
}
