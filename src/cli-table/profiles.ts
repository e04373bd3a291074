import type { CommandSpec, OptionSpec } from "./types.ts";

/** Flags of every command that makes objects out of settings. */
export const settingsOptions: readonly OptionSpec[] = [
  { flags: "--profile <name>", summary: "what to start from (meshctl profile list); default: default" },
  {
    flags: "-f, --filename <file>",
    summary: "IstioOperator document with what differs; - is standard input, later ones win",
    repeatable: true,
  },
  {
    flags: "-s, --set <path=value>",
    summary: "set one value, e.g. components.ingressGateways[0].enabled=false",
    repeatable: true,
  },
  { flags: "-r, --revision <name>", summary: "revision of the control plane, to run beside others" },
];

const dataOption: OptionSpec = {
  flags: "-o, --output <format>",
  summary: "how to print: text for people, or data",
  default: "text",
  choices: ["text", "json", "yaml"],
};

/** Commands about what an installation consists of; none asks a cluster. */
export const profileCommands: readonly CommandSpec[] = [
  {
    name: "manifest diff",
    summary: "Compare two sets of manifests object by object",
    args: [
      { flags: "<before>", summary: "file or folder", complete: "file" },
      { flags: "<after>", summary: "file or folder, or - for standard input", complete: "file" },
    ],
    options: [],
    examples: [
      {
        line: "meshctl manifest diff installed manifests",
        summary: "two folders that manifest generate wrote; exit code 1 when they differ",
      },
    ],
    load: async () => (await import("../commands/manifest-diff.ts")).run,
  },
  {
    name: "manifest generate",
    summary: "Print the objects that install would apply",
    options: [
      ...settingsOptions,
      { flags: "-o, --output <folder>", summary: "write a file per object and a kustomization into this folder" },
      {
        flags: "--component <name>",
        summary: "only this part, to be applied apart from the others",
        choices: ["Base", "Pilot", "IstiodRemote", "IngressGateways", "EgressGateways"],
        repeatable: true,
      },
    ],
    examples: [
      { line: "meshctl manifest generate --profile demo", summary: "all objects of the demo profile" },
      { line: "meshctl manifest generate --component Base -o crds", summary: "the definitions of kinds alone" },
      { line: "meshctl manifest generate -f mesh.yaml -o manifests", summary: "a file each, to be committed" },
    ],
    load: async () => (await import("../commands/manifest-generate.ts")).run,
  },
  {
    name: "profile diff",
    summary: "Compare the settings of two profiles",
    args: [
      { flags: "<before>", summary: "name of a profile", complete: "profile" },
      { flags: "<after>", summary: "name of a profile", complete: "profile" },
    ],
    options: [],
    examples: [{ line: "meshctl profile diff default demo", summary: "exit code 1 when they differ" }],
    load: () => view("diff"),
  },
  {
    name: "profile dump",
    summary: "Print every setting with its value",
    args: [{ flags: "[profile]", summary: "name of a profile; default: default" }],
    options: [
      ...settingsOptions,
      { flags: "-p, --config-path <path>", summary: "only what stands there, e.g. components.pilot.k8s" },
      { flags: "--helm-values", summary: "in the form of Istio's Helm values", default: false },
      {
        flags: "-o, --output <format>",
        summary: "how to print",
        default: "yaml",
        choices: ["yaml", "json"],
      },
    ],
    examples: [
      { line: "meshctl profile dump demo --helm-values", summary: "all values of the demo profile" },
      { line: "meshctl profile dump -f mesh.yaml", summary: "what a file of one's own makes of the default profile" },
    ],
    load: () => view("dump"),
  },
  {
    name: "profile list",
    summary: "Profiles, and what each is for",
    options: [dataOption],
    examples: [{ line: "meshctl profile list", summary: "what --profile takes" }],
    load: () => view("list"),
  },
  {
    name: "profile show",
    summary: "What a profile installs, and what it sets on top of default",
    args: [{ flags: "[profile]", summary: "name of a profile; default: default" }],
    options: [dataOption],
    examples: [{ line: "meshctl profile show production", summary: "what production means" }],
    load: () => view("show"),
  },
];

async function view(name: "diff" | "dump" | "list" | "show"): ReturnType<CommandSpec["load"]> {
  const { runView } = await import("../commands/profile.ts");
  return (input, io) => runView(name, input, io);
}
