/** How the answer of another reader compares with that of the living mesh. */
export type Answer =
  /** The same words; data in any order. */
  | "same"
  /** The same words where numbers, times and ages are left out: they move on. */
  | "words"
  /** The same first line: what is below moves on, or depends on chance. */
  | "title"
  /** Says plainly that it cannot tell: exit code 2, nothing on stdout. */
  | "refused";

/** One line of a read-only command, and what each reader answers. `{pod}`: a sidecar of the shop; `{dump}`: a dump of it; `{gateway}`: the ingress. */
export interface Question {
  readonly line: string;
  /** From a bug report: `--bundle`. */
  readonly bundle: Answer;
  /** With the control plane asked over xDS: `--xds-address`. Default: "same", or "words" where the bundle's is. */
  readonly xds?: Answer;
  /** The same asked of a dump alone, without any cluster. */
  readonly dump?: { readonly line: string; readonly answer: Answer };
  /** Why a reader refuses. */
  readonly because?: string;
  /** It may have a finding about this mesh, with exit code 1, which the others make too. */
  readonly finds?: boolean;
  /** It may have nothing to say on stdout. */
  readonly quiet?: boolean;
}

const proxyConfig = (
  view: string,
  { answer = "same", flags = "" }: { answer?: Answer; flags?: string } = {},
): Question => ({
  line: `proxy-config ${view} {pod}${flags}`,
  bundle: answer,
  dump: { line: `proxy-config ${view} --file {dump}${flags}`, answer },
});

/** Every command that looks into a running mesh; the contract test holds the list to the command table. */
export const QUESTIONS: readonly Question[] = [
  { line: "addons list", bundle: "same" },
  { line: "admin log", bundle: "same" },
  { line: "analyze -A", bundle: "same", quiet: true },
  { line: "analyze -n shop --live-status -o json", bundle: "same", quiet: true },
  { line: "auth can {pod} --port 8080", bundle: "same" },
  { line: "authz affected default.istio-system", bundle: "same" },
  { line: "authz check {pod}", bundle: "same" },
  { line: "authz check {pod} --port 8080 --from client-v1.shop", bundle: "same" },
  { line: "authz explain {pod} --port 8080 --from client-v1.shop", bundle: "same" },
  { line: "ca status", bundle: "same", finds: true },
  // keys and connections are not in a bug report: those checks are skipped there
  { line: "check --no-external --check control-plane-ready --check webhooks-reachable", bundle: "same" },
  { line: "check-inject {pod}", bundle: "same" },
  { line: "describe pod {pod}", bundle: "same" },
  { line: "describe service catalog.shop", bundle: "same" },
  { line: "edges -n shop", bundle: "words" },
  { line: "envoy-stats {pod}", bundle: "title" },
  { line: "envoy-stats {pod} -t clusters", bundle: "words" },
  { line: "envoy-stats {pod} -o prom-merged", bundle: "title" },
  { line: "graph -n shop -o dot", bundle: "words" },
  { line: "graph --static -n shop -o mermaid", bundle: "same" },
  { line: "images list --nodes --profile demo", bundle: "same" },
  { line: "inject explain {pod}", bundle: "same" },
  { line: "inject list", bundle: "same" },
  { line: "internal-debug --list", bundle: "same" },
  { line: "internal-debug registryz", bundle: "same" },
  { line: "internal-debug config_dump?proxyID={pod}", bundle: "same" },
  { line: "logs {pod} --tail 5", bundle: "words", quiet: true },
  { line: "metrics web-v1.shop -d 0s", bundle: "words" },
  { line: "mtls report", bundle: "words", finds: true },
  { line: "orphans", bundle: "same" },
  { line: "precheck --no-external --check kubernetes-version", bundle: "same" },
  proxyConfig("all", { answer: "words" }),
  proxyConfig("bootstrap"),
  proxyConfig("clusters"),
  proxyConfig("clusters", { flags: " --why" }),
  proxyConfig("ecds"),
  proxyConfig("eds"),
  proxyConfig("endpoints"),
  proxyConfig("listeners"),
  proxyConfig("listeners", { flags: " --why" }),
  { line: "proxy-config log {pod}", bundle: "same" },
  proxyConfig("routes"),
  proxyConfig("routes", { flags: " --summary" }),
  proxyConfig("routes", { flags: " -o json" }),
  { line: "proxy-config rootca-compare {pod} deploy/catalog-v1.shop", bundle: "same" },
  proxyConfig("secret", { flags: " --chain" }),
  { line: "proxy-status", bundle: "same" },
  { line: "proxy-status -v 1 --why", bundle: "words" },
  { line: "proxy-status {pod}", bundle: "words", dump: { line: "proxy-status --file {dump}", answer: "words" } },
  { line: "remote-clusters", bundle: "same" },
  { line: "revision list", bundle: "same" },
  { line: "stat deploy -n shop -t 0s", bundle: "words" },
  { line: "stat route -n shop -t 0s", bundle: "words", quiet: true },
  { line: "tag list", bundle: "same" },
  { line: "trace-route --from {pod} http://catalog.shop:8000/", bundle: "same" },
  {
    line: "trace-route --live --from {gateway} http://shop.example.com/",
    bundle: "refused",
    xds: "title",
    because: "a real request takes a living mesh",
  },
  { line: "version --short=false -o json", bundle: "same" },
  { line: "wait vs catalog.shop", bundle: "refused", because: "nothing moves in a record" },
  { line: "why --from {pod} http://catalog.shop:12345/", bundle: "words", finds: true },
];

/** Commands that look into a running mesh and have no line above, each with who runs them in its place. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  "bug-report": "makes the bundle that the questions are asked of",
  "dashboard controlz": "a port-forward; the step of the page looks at the same page",
  "dashboard grafana": "a port-forward; test/commands and the scenario of Prometheus open one",
  "dashboard istiod-debug": "a port-forward",
  "dashboard jaeger": "a port-forward",
  "dashboard kiali": "a port-forward",
  "dashboard mesh": "a port-forward; the step of the page looks at it in a browser",
  "dashboard prometheus": "a port-forward",
  "dashboard proxy": "a port-forward",
  "dashboard skywalking": "a port-forward",
  "dashboard zipkin": "a port-forward",
  tap: "shows what goes on from now on; the step of traffic waits for a request",
  top: "shows what goes on from now on; the step of traffic has some",
  trace: "reads a tracing backend; test/addons asks a real Jaeger",
};

/** Commands that change something: a cluster, files or this machine. */
export const CHANGING: readonly string[] = [
  "addons install",
  "addons remove",
  "ca revoke",
  "ca rotate",
  "create-remote-secret",
  "down",
  "drain",
  "fix",
  "images bundle",
  "images load",
  "images push",
  "install",
  "rollback",
  "tag generate",
  "tag remove",
  "tag set",
  "uninstall",
  "up",
  "upgrade",
  "workload entry configure",
];

/** Commands of files and of the program itself: no mesh is looked into, or as a base of the files alone. */
export const OF_FILES: readonly string[] = [
  "ca create",
  "completion",
  "explain",
  "images sbom",
  "images verify",
  "inject",
  "manifest diff",
  "manifest generate",
  "profile diff",
  "profile dump",
  "profile list",
  "profile show",
  "reference",
  "translate",
  "uninject",
  "validate",
  "workload group create",
];
