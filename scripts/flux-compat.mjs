// Writes docs/compat/flux.md and docs/compat/advisories.md from the lists that the tests keep. `node scripts/flux-compat.mjs`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const misses = JSON.parse(readFileSync(join(root, 'tests/fixtures/flux-live-misses.json'), 'utf8'))
const tableMisses = JSON.parse(readFileSync(join(root, 'tests/fixtures/flux-table-misses.json'), 'utf8'))
const ROWS = 1272
const notPlayed = Object.entries(tableMisses).map(([table, rows]) => [table, Object.keys(rows), Object.values(rows)[0]])
const missed = notPlayed.reduce((sum, [, rows]) => sum + rows.length, 0)
const rows = Object.entries(misses).map(([name, why]) => `| \`${name}\` | ${why} |`)
const traps = [
  ['a misspelt field of kustomization.yaml', 'the build fails and names it', 'everything is pruned, Ready=True'],
  [
    "Flux's own controllers in Git (`gotk-components.yaml`), and the definitions of its kinds",
    'left as they are in the cluster, with an event: two would work on the same objects, and older definitions drop fields. Annotated `ssa: Override` they are applied',
    'the same; Flux applies them',
  ],
  [
    'the definition of a kind of Flux leaves Git',
    'stays: with it would go all objects of the kind, and all that they applied',
    'the same; Flux deletes it, with everything',
  ],
  [
    'a registry of a private network that does not answer by HTTPS, without `insecure: true`',
    'fails: plain HTTP would show what is pulled, and a login, to whoever is in between',
    'asked by plain HTTP where nobody speaks TLS and no login, authority or client certificate is given; Flux asks so after any fault of HTTPS, with the login',
  ],
  [
    'a build of nothing',
    'nothing is pruned; the status lists what would be, and the annotation `sluice.dev/prune-all: enabled` that allows it',
    'everything is pruned, Ready=True',
  ],
  [
    'an encrypted Secret without decryption, or decryption taken away later',
    'refused by name, the good Secret stays',
    'ciphertext is applied over it',
  ],
  ['a value of a Secret that is an encrypted file, without decryption', 'refused by name', 'ciphertext is applied'],
  ['a SOPS file whose MAC does not fit its content', 'refused', 'decrypted and applied'],
  ['an object of a second owner', 'refused, named on both objects', 'the last one wins, in silence'],
  ['a dependsOn cycle', 'named; all outside it go on', 'never named; the source stops telling anyone of new revisions'],
  [
    '`force` and an answer "Invalid"',
    'recreated only when a field cannot change',
    'any invalid answer deletes the object',
  ],
  ['a field that a built-in kind does not have', 'refused, in the words of the server', 'dropped in silence'],
  ['a changed `ignore` or included repository', 'takes effect at once', 'waits for the interval'],
  [
    'a signing key that was taken away',
    'counts at the next look: every look checks the signature',
    'counts for new revisions only',
  ],
  [
    'a password in the address of a repository that cannot be fetched',
    'the status and its event show `***`: Alerts carry the text out of the cluster',
    'is shown as it is written',
  ],
  [
    'a login of an OCIRepository that is not there',
    'one event, a warning',
    'two events: of the Secret and of the login',
  ],
  [
    'a Receiver whose token is empty',
    'takes no hook, in both settings',
    'takes every hook of github, bitbucket, gitlab and harbor without proof, and whatever is signed with nothing',
  ],
  [
    'a CDEvent with a `schemaUri`',
    'is refused, as in Flux; the next one counts, in both settings',
    'spoils what comes after it: all later events without one are refused until the controller starts anew',
  ],
  [
    'a submodule that cannot be fetched',
    'the status names the submodule and its address',
    'the status names the repository alone',
  ],
  ['a marker that is wrong, unknown or of another namespace', 'said in the status, with file and line', 'never said'],
  [
    'a digest marker of a policy that reflects no digest',
    'the value stays, the status says so',
    '`digest: ""` is written',
  ],
  [
    'an event told again within five minutes, wanted by an Alert that was made in between',
    'is told',
    'is discarded: nobody had wanted the first one',
  ],
  ['an include whose `toPath` is there already', 'laid over what is there', 'refused: the folder exists'],
  [
    "a slash at the end of a repository's address",
    'means nothing',
    'is asked for; most hosts then have no such repository',
  ],
  [
    'ten different texts of one reason of an object within ten minutes',
    'an Event each',
    'from the tenth on one Event, "combined from similar events"',
  ],
  [
    'pods of the revision before of a StatefulSet, which crash while what was pushed is rolled out',
    'do not count; those of the new revision do',
    'fail the Kustomization at once',
  ],
  [
    'the namespace of a Kustomization leaves Git, or the Kustomization is deleted (`targetNamespace` gives a Namespace in Git that name)',
    'stays, with all that lives in it',
    'is deleted, with the Kustomization, its sources and all else',
  ],
  ['an object whose name is a number', 'refused, in the words of the server', 'left out in silence'],
  ['`ref.name: HEAD`', 'the default branch of the remote', 'fails: HEAD has no commit of its own'],
  [
    'a file whose image changed',
    'edited in place: the commit shows the value alone',
    'printed anew: lists, blank lines and quotes move, `tag: 1.0` becomes `tag: !!float 1.1.0` (ADR 146)',
  ],
  [
    'a file that is a List, with a marker in it',
    'the List is edited',
    'its objects become files `kind_name.yaml` below the path of the update, and the List stays as it is',
  ],
  [
    '`${X:+text}` and `${X:?text}`, which a shell reads in another way',
    'refused, and what to write is said',
    'taken for `${X:-text}`',
  ],
  [
    '`healthCheckExprs` for Jobs',
    'count',
    'count only with `serviceAccountName` or `kubeConfig`; else a Job is judged by the rule for Jobs',
  ],
  [
    'a submodule that `.gitmodules` names and the commit does not have',
    'is left out, as git does',
    'fails: entry not found',
  ],
  ['`sparseCheckout: [app]` beside a folder `app2`', 'a folder is that folder', 'whatever begins with it comes along'],
  ['a changed `update.path`', 'takes effect at once', 'waits for a new revision or choice'],
  [
    'somebody else sets an image back by a commit',
    'the automation looks at every new revision of its source',
    'waits for its interval, a request or another choice',
  ],
  [
    'a new revision, when a dependency has another source',
    'the dependency stays as it is',
    'the dependency is reconciled, too',
  ],
  [
    'a login in an Opaque Secret (`username`, `password`) for an image registry',
    'is used',
    'is no login: only the form of docker is',
  ],
  [
    'a health check that names no namespace',
    'is looked for beside its Kustomization',
    'fails: the namespace is not set',
  ],
  ['one tag that is no number, in a numerical policy', 'that tag is left out, and named', 'the whole policy fails'],
  [
    'a commit message template with the removed `.Updated`',
    'rendered as Flux did when it had it',
    'stalled, RemovedTemplateField',
  ],
  [
    'a refused object in the very first apply of a Kustomization',
    'what comes before it stays and is in the inventory (ADR 79); later on a commit is all or nothing, as in Flux',
    'nothing of its stage is applied',
  ],
  ['objects that become healthy within two seconds', 'one status, when they are', 'a status before and after'],
  [
    'a new policy before the first scan',
    'waits, Ready=Unknown, and names the repository',
    'an error event, also of one that is made within a second of its repository: no tags in database',
  ],
].map((row) => `| ${row.join(' | ')} |`)
const flags = [
  ['`--no-cross-namespace-refs`', 'as in Flux, for every reference'],
  [
    '`--default-service-account`',
    'as in kustomize-controller; no meaning for sources, whose logins of clouds are refused',
  ],
  [
    '`--no-remote-bases`',
    'as in Flux; without it remote bases are fetched over HTTP(S), from where `--hook-reach` allows (ADR 135)',
  ],
  [
    '`--feature-gates`',
    '`ExternalArtifact`: with `--traps flux` a Kustomization may have such a source only with the gate, as in Flux; safe, always. Any other gate is refused by name',
  ],
  [
    '`--sops-age-secret`',
    "as in kustomize-controller; the Secret lies in the engine's own namespace (`RUNTIME_NAMESPACE`, else `kube-system`)",
  ],
  ['`--override-manager`, `--custom-apply-stage-kinds`, `--requeue-dependency`', 'as in Flux'],
  [
    '`--watch-label-selector`, `--watch-all-namespaces`',
    'as in Flux: a shard sees neither sources nor dependencies of another, and has a Lease of its own. Give each shard its own `--state`',
  ],
  ['`--enable-leader-election`, `--leader-election-…`', 'as in Flux, but on by default'],
  [
    '`--events-addr`, `--storage-addr`, `--receiverAddr`',
    'one process: `--artifact-listen`, `--receiver-listen`, and `--events-listen` for the events of other controllers',
  ],
  [
    '`--storage-adv-addr`',
    "as in Flux; without it an address of all the machine's (`0.0.0.0`, `::`) is told as `$HOSTNAME`, else the machine's name",
  ],
  ['`--storage-path`', '`--state`'],
  [
    '`--concurrent`, `--concurrent-ssa`, `--kube-api-qps`, `--kube-api-burst`, `--http-retry`, `--min-retry-delay`, `--max-retry-delay`, `--rate-limit-interval`, `--interval-jitter-percentage`',
    "no setting: waits hold no worker, artifacts are not fetched from ourselves, the other values are Flux's defaults",
  ],
  [
    '`--helm-…`, `--token-cache-…`, `--default-decryption-service-account`, `--default-kubeconfig-service-account`, `--sops-vault-configmap`',
    'what they are for is refused by name',
  ],
  [
    '`--insecure-kubeconfig-exec`, `--insecure-kubeconfig-tls`',
    'never: a kubeconfig of an object runs no program (CVE-2022-24817), and its server has to show a certificate that is trusted',
  ],
  ['`--metrics-addr`', '`--metrics-listen`; none by default'],
  ['`--health-addr`, `--log-level`, `--log-encoding`', '`-v` for longer lines of the log'],
].map((row) => `| ${row.join(' | ')} |`)
writeFileSync(
  join(root, 'docs/compat/flux.md'),
  `# Flux

Made by \`scripts/flux-compat.mjs\`. Measured with the 156 recorded scenarios of Flux 2.9, \`--traps flux\`: 154 to 156 are answered
the same on a real control plane, 152 to 154 on kubed. The others are races, and pass in some runs.

## Where we differ
What is not served is refused by name: KMS and Vault keys of SOPS, the clouds' own logins (of kubeConfig, Git, registries, buckets), keyless cosign and
notation, STS and the own protocols of Google's and Azure's buckets, proxies that are not plain HTTP or stand before SSH. HelmRepositories, HelmCharts and
HelmReleases are told that nothing is done for them, unless Flux's own helm-controller or source-controller serves them beside us: what has the finalizer of Flux, or a status
of another, is left to it (a HelmRepository of type \`oci\` has no status in Flux either). Nothing is half obeyed.

In both settings we go on where Flux waits: a newer commit or a changed object ends a health check (Flux does so behind the gate \`CancelHealthCheckOnNewRevision\`), a dependency or
an included repository that becomes ready wakes who waits for it (Flux looks again after 30 s), and a notification that was not taken is sent again for longer than a quarter of a minute.
Providers of type \`zoom\` and \`incident.io\`, which the definition of Providers lists and Flux 2.9 does not know, are served. An \`otel\` span is sent as JSON, and with the login of
its Provider also where the Secret names no headers; a \`sentry\` event does not list the modules of a Go program.

## Flux's own tables
Of the 1,272 rows of the tables of Flux's own tests ${ROWS - missed} are played and agree (${((100 * (ROWS - missed)) / ROWS).toFixed(1)} %). These are not:

| table | rows | why |
| --- | --- | --- |
${notPlayed.map(([table, rows, why]) => `| \`${table}\` | ${rows.filter(Boolean).join('; ') || '1'} | ${why} |`).join('\n')}

## Recorded scenarios
| scenario | why |
| --- | --- |
${rows.join('\n')}

## Traps
| what | \`--traps safe\` (default) | \`--traps flux\` |
| --- | --- | --- |
${traps.join('\n')}

## Flags of Flux's controllers
What \`sluice engine\` makes of them; an unknown flag is refused by name.

| flag | here |
| --- | --- |
${flags.join('\n')}
`,
)
const advisories = JSON.parse(readFileSync(join(root, 'tests/fixtures/flux-advisories.json'), 'utf8'))
const proofOf = ({ tests = [], why }) =>
  [...tests.map((one) => one.replace(/^(\S+): (.*)$/, '`$1`: $2')), ...(why ? [why] : [])].join('<br>')
writeFileSync(
  join(root, 'docs/compat/advisories.md'),
  `# Published advisories

Made by \`scripts/flux-compat.mjs\` from a list that \`tests/advisories.test.ts\` checks: what was published about Flux, Argo CD, Kargo and go-git, and which test shows that it
does not happen here.

| advisory | what happened there | test here |
| --- | --- | --- |
${advisories.map((one) => `| ${one.ids} | ${one.what} | ${proofOf(one)} |`).join('\n')}
`,
)
