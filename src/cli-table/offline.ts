import { meshSource } from "./authz.ts";
import { type CommandSpec, type OptionSpec, outputOption } from "./types.ts";

const files: OptionSpec = {
  flags: "-f, --filename <file>",
  summary: "file, directory, pattern or - that the mesh is read from",
  repeatable: true,
};

/** Commands that run the control plane's generator on files, without a cluster. */
export const offlineCommands: readonly CommandSpec[] = [
  {
    name: "trace-route",
    summary: "Which way a request takes through the mesh: each decision, why, and what lost",
    args: [
      {
        flags: "<url>",
        summary: "what the client asks for, as it would write it; tcp://HOST:PORT: a connection of other bytes",
      },
    ],
    options: [
      ...meshSource,
      {
        flags: "--from <pod>",
        summary: "who asks: a pod or workload, as name or name.namespace; a gateway is asked from outside",
        complete: "workload",
      },
      { flags: "--labels <pairs>", summary: "who asks, by labels (a=b,c=d) in the namespace of -n" },
      {
        flags: "-X, --method <method>",
        summary: "HTTP method",
        default: "GET",
        complete: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
      },
      { flags: "-H, --header <header>", summary: "header of the request, as name: value", repeatable: true },
      {
        flags: "--claims <json>",
        summary: "claims of the token that the request carries, signed by its issuer",
        complete: [],
      },
      { flags: "--live", summary: "walk what the proxies run now, send the request, and compare", default: false },
      {
        flags: "-y, --skip-confirmation",
        summary: "with --live: do not ask before a container is put into the client's pod, to send from there",
        default: false,
      },
      {
        flags: "--data <text>",
        summary: "with --live and tcp: what is sent first; default: an empty line",
        complete: [],
      },
      { flags: "--request-id <id>", summary: "with --live: of a request that was sent already", complete: [] },
      { flags: "--proxy-admin-port <port>", summary: "with --live: Envoy's admin port", default: "15000" },
      outputOption,
    ],
    examples: [
      {
        line: "meshctl trace-route -f web-dump.json -f reviews-dump.json http://reviews.shop:9080/",
        summary: "through dumps of the proxies of both pods, the client's first",
      },
      {
        line: "meshctl trace-route -f mesh/ --from web.shop http://reviews:9080/",
        summary: "through the sidecar of workload web; exit code 1 when it arrives nowhere",
      },
      {
        line: "meshctl trace-route --live --from web.shop tcp://ledger.shop:9000",
        summary: "a connection that the pod of web really makes, beside what should become of it",
      },
      {
        line: 'meshctl trace-route -f mesh/ --from ingressgateway.istio-system -H "x-user: ann" http://shop.example/',
        summary: "from outside, through a gateway",
      },
    ],
    load: async () => (await import("../commands/trace-route.ts")).run,
  },
  {
    name: "why",
    summary: "Why a request failed: the object and field at fault, what speaks for it, and the fix",
    args: [
      {
        flags: "[failure]",
        summary: "line of an access log, a pod with failures, or a URL to ask for; - or nothing: lines of stdin",
        complete: "workload",
      },
    ],
    options: [
      ...meshSource,
      { flags: "--pod <pod>", summary: "whose log the line is of; default: by its addresses", complete: "workload" },
      { flags: "--flag <flag>", summary: "of a pod's failures those with this response flag, e.g. UH", complete: [] },
      { flags: "--from <pod>", summary: "who asks for the URL: a pod or workload, or a gateway", complete: "workload" },
      {
        flags: "-X, --method <method>",
        summary: "HTTP method of the URL's request",
        default: "GET",
        complete: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
      },
      { flags: "-H, --header <header>", summary: "header of the URL's request, as name: value", repeatable: true },
      {
        flags: "--probe [bool]",
        summary: "ask applications what they speak, where that matters",
        default: "true",
        complete: ["true", "false"],
      },
      { flags: "--proxy-admin-port <port>", summary: "Envoy's admin port", default: "15000" },
      outputOption,
    ],
    examples: [
      { line: "meshctl why web-6d5f.shop", summary: "the latest failures in the log of the pod's proxy" },
      {
        line: "kubectl logs web-6d5f -c istio-proxy -n shop | tail -1 | meshctl why",
        summary: "the last line of a log",
      },
      { line: "meshctl why --from web.shop http://reviews:9080/", summary: "a request that nobody has sent yet" },
    ],
    load: async () => (await import("../commands/why.ts")).run,
  },
  {
    name: "translate",
    summary: "What the control plane makes of files: its own form, or what Envoy is sent",
    args: [{ flags: "[files...]", summary: "YAML or JSON files, directories, or - for stdin" }],
    options: [
      files,
      { flags: "--to <form>", summary: "form to print", default: "xds", choices: ["ir", "xds"] },
      {
        flags: "--proxy <pod>",
        summary: "only this proxy: a pod or workload, as name or name.namespace; default: all",
        repeatable: true,
        complete: "workload",
      },
      { flags: "-o, --output <format>", summary: "how to print", default: "yaml", choices: ["json", "yaml"] },
    ],
    examples: [
      { line: "meshctl translate -f mesh/ --proxy web.shop", summary: "what the sidecar of workload web is sent" },
      { line: "meshctl translate -f mesh/ --to ir -o json", summary: "the same before it is put into Envoy's words" },
    ],
    load: async () => (await import("../commands/translate.ts")).run,
  },
];
