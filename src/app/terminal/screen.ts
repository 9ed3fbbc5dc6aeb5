import { BORDERS } from '../../pipeline/record/delivery.ts'
import type { BorderState, CellView, PageView, ServiceView, StopView } from '../page-view.ts'
import { cleanText, fitText, widthOf, wrapText } from './text-width.ts'

/** What the live screen is drawn for. */
export type ScreenSize = { readonly columns: number; readonly rows: number; readonly hasColour: boolean }

type Cell = { readonly text: string; readonly state: BorderState }

const COLOURS: Readonly<Record<BorderState, string>> = { done: '32', running: '33', failed: '31', waiting: '2' }
const GAP = 3
const MOST_LINES = 12

/**
 * The screen of a delivery under way: a title, the table service x environment with the border that each has reached, the newest lines below.
 * At most `rows - 1` lines of at most `columns`; what does not fit is cut, healthy services first.
 */
export function renderScreen(view: PageView, title: string, size: ScreenSize): readonly string[] {
  const room = Math.max(1, size.rows - 1)
  const table = renderServices(view, size, Math.max(2, Math.floor(room / 2)))
  const head = [fitText(cleanText(title), size.columns), ...table]
  const stops = renderStops(view.stops, size, Math.floor((room - head.length) / 2))
  head.push(...stops)
  const lines = view.lines.slice(0, Math.max(0, Math.min(MOST_LINES, room - head.length - 1))).reverse()
  const below = lines.map((line) => paint(fitText(cleanText(line), size.columns), '2', size))
  return [...head, ...(below.length > 0 ? ['', ...below] : [])].slice(0, room)
}

/** Each cause whole where there is room, over as many lines as it takes. */
function renderStops(stops: readonly StopView[], size: ScreenSize, room: number): string[] {
  const texts = stops.map(({ services, environment, commit, cause, next }) => {
    const who = services.length === 0 ? environment : `${services.join(', ')} in ${environment}`
    return `✗ ${who}${commit === '' ? '' : `, commit ${commit}`}: ${cause.replaceAll('\n', ' · ')}${next === undefined ? '' : ` (${next})`}`
  })
  const lines = texts.flatMap((text) => wrapText(cleanText(text), size.columns)).slice(0, Math.max(0, room - 1))
  return lines.length === 0 ? [] : ['', ...lines.map((line) => paint(line, COLOURS.failed, size))]
}

function renderServices(view: PageView, size: ScreenSize, room: number): string[] {
  const rows = view.services.map((service) => ({
    service,
    isDone: service.cells.every(({ state }) => state === 'done'),
  }))
  const fits = rows.length + 1 <= room
  const shown = fits
    ? rows
    : [...rows].sort((a, b) => Number(a.isDone) - Number(b.isDone)).slice(0, Math.max(0, room - 2))
  const more = fits ? [] : [`… and ${rows.length - shown.length} more services`]
  const services = shown.map(({ service }) => service)
  return [...renderRows(view.environments, services, size), ...more.map((line) => fitText(line, size.columns))]
}

/** The widest form that the terminal has room for: with a bar and the version, with the bar, the border alone, or a line for each environment. */
function renderRows(environments: readonly string[], services: readonly ServiceView[], size: ScreenSize): string[] {
  if (services.length === 0) return [fitText('no service yet', size.columns)]
  const forms = [wide, middle, narrow].map((form) => layOut(environments, services, form))
  const fitting = forms.find((rows) => widthOfRows(rows) <= size.columns) ?? stack(services)
  const widths =
    fitting[0]?.map((_, column) => Math.max(...fitting.map((row) => widthOf(row[column]?.text ?? '')))) ?? []
  return fitting.map((row, index) => renderRow(row, widths, index === 0, size))
}

function layOut(
  environments: readonly string[],
  services: readonly ServiceView[],
  form: (cell: CellView) => string,
): Cell[][] {
  const head = ['SERVICE', ...environments.map((name) => name.toUpperCase())]
  return [
    head.map((text) => ({ text: cleanText(text), state: 'waiting' })),
    ...services.map(({ name, cells }): Cell[] => [
      { text: cleanText(name), state: 'waiting' },
      ...environments.map((environment): Cell => {
        const cell = cells.find((each) => each.environment === environment)
        return cell === undefined ? { text: '-', state: 'waiting' } : { text: cleanText(form(cell)), state: cell.state }
      }),
    ]),
  ]
}

/** A line for each service in each environment. */
function stack(services: readonly ServiceView[]): Cell[][] {
  const head: Cell[] = [
    { text: 'SERVICE', state: 'waiting' },
    { text: 'REACHED', state: 'waiting' },
  ]
  const rows = services.flatMap(({ name, cells }) =>
    cells.map((cell): Cell[] => [
      { text: cleanText(`${name} ${cell.environment}`), state: 'waiting' },
      { text: narrow(cell), state: cell.state },
    ]),
  )
  return [head, ...rows]
}

function wide(cell: CellView): string {
  return [middle(cell), cell.version].filter(Boolean).join(' ')
}

function middle(cell: CellView): string {
  const passed = BORDERS.findIndex((name) => name === reached(cell)) + 1
  const before = BORDERS.findIndex((name) => name === cell.stoppedAt)
  const bar = cell.state === 'done' ? BORDERS.length : before < 0 ? passed : before
  return `${'●'.repeat(bar)}${'○'.repeat(BORDERS.length - bar)} ${narrow(cell)}`
}

function narrow(cell: CellView): string {
  if (cell.state === 'done') return 'healthy'
  const border = cell.stoppedAt ?? reached(cell)
  if (cell.state === 'failed') return border === undefined ? 'stopped' : `stopped at ${border}`
  return border ?? 'waiting'
}

/** The last border that a delivery has come to. */
function reached(cell: CellView): string | undefined {
  return cell.borders.findLast(({ state }) => state !== 'waiting')?.name
}

function widthOfRows(rows: readonly (readonly Cell[])[]): number {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column]?.text ?? '')))) ?? []
  return widths.reduce((sum, width) => sum + width + GAP, -GAP)
}

// Cut before it is painted: a colour has no width, and half of one is none.
function renderRow(row: readonly Cell[], widths: readonly number[], isHead: boolean, size: ScreenSize): string {
  let left = size.columns
  const cells = row.map(({ text, state }, column) => {
    const width = Math.min(widths[column] ?? 0, Math.max(0, left))
    const fitted = fitText(text, width)
    left -= (widths[column] ?? 0) + GAP
    const padding =
      column === row.length - 1 || left <= 0 ? '' : ' '.repeat((widths[column] ?? 0) - widthOf(fitted) + GAP)
    const colour = isHead ? '1' : column === 0 ? undefined : COLOURS[state]
    return `${colour === undefined || fitted === '' ? fitted : paint(fitted, colour, size)}${padding}`
  })
  return cells.join('')
}

function paint(text: string, colour: string, { hasColour }: ScreenSize): string {
  return hasColour ? `\u001b[${colour}m${text}\u001b[0m` : text
}
