/** That an Alert's notifications do not get through to its Provider, since when and why. */
export type DispatchFault = {
  /** `namespace/name`. */
  readonly alert: string
  readonly provider: string
  readonly sinceMs: number
  readonly cause: string
}

/** Told of every notification that got through (`undefined`), and of every one that did not, once it is worth telling people. */
export type OnDispatch = (alert: string, fault: Omit<DispatchFault, 'alert'> | undefined) => void
