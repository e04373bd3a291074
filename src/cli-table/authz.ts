import { type ArgumentSpec, type CommandSpec, clusterOptions, type OptionSpec, outputOption } from "./types.ts";

/** Where a mesh is read from: `readMesh` of src/commands/offline. */
export const meshSource: readonly OptionSpec[] = [
  {
    flags: "-f, --filename <file>",
    summary: "file, directory, pattern or - that the mesh is read from; without it the cluster is read",
    repeatable: true,
  },
  { flags: "--use-cluster", summary: "read the cluster too, with the files on top of it", default: false },
  {
    flags: "--remote-filename <name=file>",
    summary: "files of another cluster of the mesh, by its name",
    repeatable: true,
    complete: [],
  },
  ...clusterOptions,
];

const WORKLOAD: ArgumentSpec = {
  flags: "<workload>",
  summary: "who is called: a pod or workload, as name or name.namespace",
  complete: "workload",
};

const PORT: OptionSpec = {
  flags: "--port <number>",
  summary: "port of the workload (not of its Service)",
  complete: [],
};

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

const CALL: readonly OptionSpec[] = [
  { flags: "--from <pod>", summary: "who calls: a pod or workload of the mesh", complete: "workload" },
  { flags: "--principal <identity>", summary: "who calls, as TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT", complete: [] },
  { flags: "-X, --method <method>", summary: "HTTP method", default: "GET", complete: METHODS },
  { flags: "--host <host>", summary: "host that the request names", complete: [] },
  { flags: "--path <path>", summary: "path, with its query", default: "/" },
  {
    flags: "-H, --header <header>",
    summary: "header of the request, as name: value",
    repeatable: true,
    complete: [],
  },
  {
    flags: "--claims <json>",
    summary: "claims of the token that the request carries, signed by its issuer",
    complete: [],
  },
  { flags: "--source-ip <address>", summary: "address that the connection comes from", complete: [] },
  { flags: "--remote-ip <address>", summary: "address of the first client, as X-Forwarded-For says", complete: [] },
];

/** Questions about who may call what. */
export const authzCommands: readonly CommandSpec[] = [
  {
    name: "authz check",
    summary: "Whether a workload lets one call in and which rule decides; without a port, which policies it holds",
    args: [{ ...WORKLOAD, flags: "[workload]", summary: `${WORKLOAD.summary}; a dump of its proxy (-f) says it too` }],
    options: [...meshSource, PORT, ...CALL, outputOption],
    examples: [
      {
        line: "meshctl authz check reviews.shop -f mesh/ --from web.shop --port 9080 --path /admin",
        summary: "by the account of workload web; exit code 1 when it is refused",
      },
      {
        line: `meshctl authz check reviews.shop -f mesh/ --port 9080 --claims '{"iss":"https://issuer","sub":"ann"}'`,
        summary: "in plain text, with a token",
      },
      { line: "meshctl authz check reviews-6d5f.shop", summary: "the policies that a running proxy holds" },
      {
        line: "meshctl authz check -f dump.json --port 9080 --principal cluster.local/ns/shop/sa/web",
        summary: "by the filters in a dump of the proxy, without a cluster",
      },
    ],
    load: async () => (await import("../commands/authz/check.ts")).run,
  },
  {
    name: "authz explain",
    summary: "The same decision with every rule of the workload, and what the call lacks for each",
    args: [WORKLOAD],
    options: [...meshSource, PORT, ...CALL, outputOption],
    examples: [
      {
        line: "meshctl authz explain reviews.shop -f mesh/ --from web.shop --port 9080 -X POST",
        summary: "why it is refused: each rule, and the condition that does not hold",
      },
    ],
    load: async () => (await import("../commands/authz/check.ts")).runExplain,
  },
  {
    name: "authz affected",
    summary: "Which workloads a security policy is for, and what it means for each",
    args: [
      {
        flags: "<policy>",
        summary: "AuthorizationPolicy, RequestAuthentication or PeerAuthentication, as name or name.namespace",
        complete: [],
      },
    ],
    options: [...meshSource, outputOption],
    examples: [
      {
        line: "meshctl authz affected viewer.shop -f mesh/",
        summary: "workloads and gateways that enforce it; exit code 1 when it is for nobody",
      },
    ],
    load: async () => (await import("../commands/authz/affected.ts")).run,
  },
  {
    name: "auth can",
    summary: "Who may call a workload: each operation, and the callers that may do it",
    args: [WORKLOAD],
    options: [
      ...meshSource,
      { ...PORT, summary: "only this port of the workload", repeatable: true },
      { flags: "--from <pod>", summary: "only this caller: a pod or workload of the mesh", complete: "workload" },
      {
        flags: "-X, --method <method>",
        summary: "HTTP method; default: those that policies name",
        complete: METHODS,
        repeatable: true,
      },
      { flags: "--path <path>", summary: "path; default: those that policies name", repeatable: true },
      { flags: "--host <host>", summary: "host that the request names", complete: [] },
      outputOption,
    ],
    examples: [
      { line: "meshctl auth can reviews.shop -f mesh/", summary: "who may do what" },
      {
        line: "meshctl auth can reviews.shop -f mesh/ --from web.shop -X DELETE --path /orders/7",
        summary: "whether this caller may; exit code 1 when it may not",
      },
    ],
    load: async () => (await import("../commands/authz/can.ts")).run,
  },
  {
    name: "mtls report",
    summary: "Which ports take mutual TLS, which clients send it; of a cluster also what was seen, and who trusts whom",
    options: [
      ...meshSource,
      { flags: "--strict", summary: "exit code 1 when anything takes plain text", default: false },
      outputOption,
    ],
    examples: [
      { line: "meshctl mtls report -f mesh/", summary: "by files" },
      { line: "meshctl mtls report", summary: "of the cluster, with its proxies' counters and roots" },
    ],
    load: async () => (await import("../commands/mtls/report.ts")).run,
  },
];
