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
    args: [{ flags: "<url>", summary: "what the client asks for, as it would write it" }],
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
      outputOption,
    ],
    examples: [
      {
        line: "meshctl trace-route -f mesh/ --from web.shop http://reviews:9080/",
        summary: "through the sidecar of workload web; exit code 1 when it arrives nowhere",
      },
      {
        line: 'meshctl trace-route -f mesh/ --from ingressgateway.istio-system -H "x-user: ann" http://shop.example/',
        summary: "from outside, through a gateway",
      },
    ],
    load: async () => (await import("../commands/trace-route.ts")).run,
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
