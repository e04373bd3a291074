import { type CommandSpec, type OptionSpec, outputOption } from "./types.ts";

const filename: OptionSpec = {
  flags: "-f, --filename <file>",
  summary: "file, directory, pattern, address or - for stdin",
  repeatable: true,
};

const textOptions: readonly OptionSpec[] = [
  filename,
  { flags: "-o, --output <file>", summary: "write to a file instead of stdout" },
  { flags: "--in-place", summary: "write each file back", default: false },
  {
    flags: "--template-path <kind.group=path>",
    summary: "where a custom kind has its pod template: Rollout.argoproj.io=spec.template",
    repeatable: true,
  },
  {
    flags: "--report <format>",
    summary: "text, json or none on stderr, or FORMAT=FILE",
    default: "text",
    complete: ["text", "json", "none"],
  },
];

const settingsOptions: readonly OptionSpec[] = [
  {
    flags: "--use-cluster",
    summary: "take mesh and injector configuration from the cluster instead of the bundled defaults",
    default: false,
  },
  { flags: "-r, --revision <name>", summary: "take the configuration of this control plane in the cluster" },
  { flags: "--meshConfigFile <file>", summary: "mesh configuration (key mesh of ConfigMap istio)" },
  { flags: "--valuesFile <file>", summary: "values (key values of ConfigMap istio-sidecar-injector)" },
  {
    flags: "--injectConfigFile <file>",
    summary: "injector configuration (key config of ConfigMap istio-sidecar-injector)",
  },
  { flags: "--meshConfigMapName <name>", summary: "ConfigMap of the mesh configuration", hidden: true },
  { flags: "--injectConfigMapName <name>", summary: "ConfigMap of the injector", hidden: true },
];

const files = { flags: "[files...]", summary: "YAML or JSON files, directories, addresses, or - for stdin" };

/** Commands about putting the sidecar into pods. */
export const injectCommands: readonly CommandSpec[] = [
  {
    name: "inject",
    aliases: ["kube-inject"],
    summary: "Print YAML with the sidecar added to every workload",
    args: [files],
    options: [...textOptions, ...settingsOptions],
    examples: [
      { line: "meshctl inject -f deploy.yaml | kubectl apply -f -", summary: "inject without a webhook" },
      { line: "kubectl get deploy web -o yaml | meshctl inject -f -", summary: "see what injection would do" },
      {
        line: "meshctl inject -f mesh/ --in-place --report json=report.json",
        summary: "change files, keeping comments",
      },
    ],
    load: async () => (await import("../commands/inject.ts")).run,
  },
  {
    name: "inject explain",
    summary: "Tell why a pod is injected or not, rule by rule, and what would change it",
    args: [{ flags: "[target]", summary: "name[.namespace], deploy/name[.namespace], or a file with workloads" }],
    options: [filename, outputOption, ...settingsOptions.filter(({ hidden }) => hidden !== true)],
    examples: [
      { line: "meshctl inject explain web-6d5f.shop", summary: "a pod of the cluster; exit code 1: not injected" },
      { line: "meshctl inject explain deploy/web -n shop", summary: "pods that a Deployment would make now" },
      { line: "meshctl inject explain -f deploy.yaml -o json", summary: "a file, for programs; needs no cluster" },
    ],
    load: async () => (await import("../commands/inject-explain.ts")).run,
  },
  {
    name: "inject list",
    summary: "List injectors, their revisions and tags, and the namespaces they serve",
    options: [outputOption],
    examples: [{ line: "meshctl inject list", summary: "who injects what" }],
    load: async () => (await import("../commands/inject-list.ts")).run,
  },
  {
    name: "uninject",
    summary: "Print YAML with the sidecar taken out of every workload",
    args: [files],
    options: textOptions,
    examples: [
      { line: "kubectl get deploy web -o yaml | meshctl uninject -f -", summary: "see the workload without it" },
    ],
    load: async () => (await import("../commands/uninject.ts")).run,
  },
];
