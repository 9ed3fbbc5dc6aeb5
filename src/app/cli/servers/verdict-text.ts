import type { Verdict } from '../../first-delivery/settled.ts'
import type { NotImported } from '../../imported.ts'
import type { PageView } from '../../page-view.ts'
import { renderStatus } from '../deliveries/status.ts'

/** What is known besides of what runs. */
export type Delivered = { readonly view: () => PageView; readonly notImported: NotImported | undefined }

/** How the first delivery went: the table, the verdict, and what the verdict alone would hide. */
export function verdictText(verdict: Verdict, { view, notImported }: Delivered, tookMs: number): string {
  const seen = view()
  const table = renderStatus(seen)
  const seconds = (tookMs / 1000).toFixed(1)
  if (verdict.state === 'healthy') {
    const known = [seen.notice, notImported?.what].filter((what) => what !== undefined)
    const buts = [...known, ...waitsOf(seen)].map((what) => `\n! but ${what}`)
    return `\n${table}\n\neverything is healthy after ${seconds} s${buts.join('')}`
  }
  const why = verdict.state === 'failed' ? verdict.causes.join('\n  ') : `still waiting for ${verdict.waitingFor}`
  return `\n${table}\n\nnot healthy after ${seconds} s:\n  ${why}`
}

/** What runs is healthy, and yet something newer does not come. */
function waitsOf({ services }: PageView): readonly string[] {
  return services.flatMap(({ name, cells }) =>
    cells.flatMap(({ environment, waitsAt }) =>
      waitsAt === undefined ? [] : [`a delivery of ${name} to ${environment} waits at ${waitsAt}: see above`],
    ),
  )
}
