import type { Command } from './command.ts'

/** A command's name and summary, known without loading it, and how to load it. */
export type CommandEntry = {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<Command>
}

/** Every command, in the order `sluice --help` lists them. Loaded lazily, so that `sluice version` stays quick. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'up',
    summary: 'Run everything on this machine and deliver a repository',
    load: async () => (await import('./servers/up.ts')).up,
  },
  {
    name: 'serve',
    summary: 'Run one embedded server alone: gitd, registryd or kubed',
    load: async () => (await import('./servers/serve.ts')).serve,
  },
  {
    name: 'down',
    summary: 'Stop what sluice up runs; the state is kept',
    load: async () => (await import('./servers/down.ts')).down,
  },
  {
    name: 'prune',
    summary: 'Remove images and workflow runs that nothing needs any more',
    load: async () => (await import('./servers/prune.ts')).prune,
  },
  {
    name: 'token',
    summary: 'Create, list and revoke tokens that git push takes as its password',
    load: async () => (await import('./servers/token.ts')).token,
  },
  {
    name: 'status',
    summary: 'Show every service in every environment: version, commit, health',
    load: async () => (await import('./deliveries/status.ts')).status,
  },
  {
    name: 'history',
    summary: 'Show the deliveries, the newest first',
    load: async () => (await import('./deliveries/history.ts')).history,
  },
  {
    name: 'trace',
    summary: 'Show the way of one commit, image or pod',
    load: async () => (await import('./deliveries/trace.ts')).trace,
  },
  { name: 'get', summary: 'List objects', load: async () => (await import('./objects/get.ts')).get },
  {
    name: 'export',
    summary: 'Print objects as they would stand in Git',
    load: async () => (await import('./objects/export.ts')).exportCommand,
  },
  {
    name: 'tree',
    summary: 'Show what a Kustomization has applied',
    load: async () => (await import('./objects/tree.ts')).tree,
  },
  {
    name: 'stats',
    summary: 'Count the objects of each kind',
    load: async () => (await import('./objects/stats.ts')).stats,
  },
  {
    name: 'debug',
    summary: 'Show what a Kustomization works with',
    load: async () => (await import('./objects/debug.ts')).debug,
  },
  {
    name: 'create',
    summary: "Create or change an object of Flux's kinds",
    load: async () => (await import('./create/create.ts')).create,
  },
  {
    name: 'delete',
    summary: 'Delete an object',
    load: async () => (await import('./objects/delete.ts')).deleteCommand,
  },
  {
    name: 'reconcile',
    summary: 'Reconcile an object now and wait for the result',
    load: async () => (await import('./objects/reconcile.ts')).reconcile,
  },
  {
    name: 'envsubst',
    summary: 'Fill in variables of standard input from the environment',
    load: async () => (await import('./build/envsubst.ts')).envsubst,
  },
  {
    name: 'migrate',
    summary: "Write the latest API versions of Flux's kinds into manifests",
    load: async () => (await import('./objects/migrate.ts')).migrate,
  },
  {
    name: 'suspend',
    summary: 'Stop reconciling an object until it is resumed',
    load: async () => (await import('./objects/suspend.ts')).suspend,
  },
  {
    name: 'resume',
    summary: 'Reconcile a suspended object again',
    load: async () => (await import('./objects/suspend.ts')).resume,
  },
  {
    name: 'events',
    summary: 'Show the events of objects',
    load: async () => (await import('./objects/events.ts')).events,
  },
  {
    name: 'logs',
    summary: 'Print the logs of a service, a pod or a workflow run',
    load: async () => (await import('./objects/logs.ts')).logs,
  },
  {
    name: 'run',
    summary: 'List, show, follow and cancel workflow runs',
    load: async () => (await import('./deliveries/workflow-run.ts')).workflowRun,
  },
  { name: 'cancel', summary: 'End a workflow run', load: async () => (await import('./deliveries/cancel.ts')).cancel },
  {
    name: 'completion',
    summary: 'Print the completion script of a shell',
    load: async () => (await import('./completion.ts')).completion,
  },
  {
    name: 'node',
    summary: 'Run pods on this machine for a Kubernetes API',
    load: async () => (await import('./servers/node.ts')).node,
  },
  {
    name: 'engine',
    summary: "Do what Flux's controllers do, on any Kubernetes",
    load: async () => (await import('./servers/engine.ts')).engine,
  },
  {
    name: 'build',
    summary: 'Build a kustomization, as kustomize build does',
    load: async () => (await import('./build/build.ts')).build,
  },
  {
    name: 'blame',
    summary: 'Show where a field of a built object comes from',
    load: async () => (await import('./build/blame.ts')).blame,
  },
  {
    name: 'diff',
    summary: 'Show what applying a folder would create, change and delete',
    load: async () => (await import('./kustomization/diff.ts')).diff,
  },
  { name: 'version', summary: 'Print the version', load: async () => (await import('./version.ts')).version },
]
