import type { Helpers } from '../../src/pipeline/record/wait.ts'

/** A cluster without any object that a delivery waits for. */
export const NO_HELPERS: Helpers = {
  ...{ kustomizations: [], sources: [], imageRepositories: [], policies: [], automations: [], others: [] },
  ...{ pods: [], deployments: [], unhealthy: [] },
}
