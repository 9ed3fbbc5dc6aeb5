import type { Api } from './server.ts'

/** A namespace that one test has to itself. */
export type Place = { readonly api: Api; readonly namespace: string }
