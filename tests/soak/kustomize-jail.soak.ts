// The random trees of tests/kustomize/jail.test.ts, many more of them.
process.env['SLUICE_JAIL_TREES'] ??= '2000'
process.env['SLUICE_SEED'] ??= '4'
await import('../kustomize/jail.test.ts')
