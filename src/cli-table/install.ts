import { type CommandSpec, type OptionSpec, outputOption } from "./types.ts";

const renderOptions: readonly OptionSpec[] = [
  { flags: "--profile <name>", summary: "default, demo, minimal or empty" },
  { flags: "-s, --set <path=value>", summary: "set one value of the profile", repeatable: true },
];

const readinessTimeout: OptionSpec = {
  flags: "--readiness-timeout <duration>",
  summary: "how long to wait until everything is ready",
  default: "300s",
};

/** Commands that put the mesh into a cluster, look at it and take it out. */
export const installCommands: readonly CommandSpec[] = [
  {
    name: "install",
    aliases: ["apply"],
    summary: "Install or upgrade the mesh in the cluster and wait until it is ready",
    options: [
      ...renderOptions,
      { flags: "-y, --skip-confirmation", summary: "do not ask before changing the cluster", default: false },
      { flags: "--dry-run", summary: "let the API server judge every object, change nothing", default: false },
      { flags: "--skip-precheck", summary: "do not look at the cluster first", default: false },
      readinessTimeout,
    ],
    examples: [
      { line: "meshctl install --profile demo -y", summary: "everything a first look needs" },
      {
        line: "meshctl install --set meshConfig.accessLogFile=/dev/stdout -y",
        summary: "the default profile, one value changed",
      },
    ],
    load: async () => (await import("../commands/install.ts")).run,
  },
  {
    name: "manifest generate",
    summary: "Print the objects that install would apply",
    options: renderOptions,
    examples: [{ line: "meshctl manifest generate --profile demo", summary: "all objects of the demo profile" }],
    load: async () => (await import("../commands/manifest-generate.ts")).run,
  },
  {
    name: "precheck",
    summary: "Look whether the mesh can be installed into this cluster",
    options: [outputOption],
    examples: [{ line: "meshctl precheck", summary: "check the cluster of the current context" }],
    load: async () => (await import("../commands/precheck.ts")).run,
  },
  {
    name: "uninstall",
    summary: "Take the mesh out of the cluster",
    options: [
      { flags: "--purge", summary: "everything, including CRDs and with them all mesh configuration", default: false },
      { flags: "-y, --skip-confirmation", summary: "do not ask before changing the cluster", default: false },
      { flags: "--dry-run", summary: "list what would go, change nothing", default: false },
      { flags: "--timeout <duration>", summary: "how long to wait until everything is gone", default: "120s" },
    ],
    examples: [{ line: "meshctl uninstall --purge -y", summary: "leave the cluster as it was before install" }],
    load: async () => (await import("../commands/uninstall.ts")).run,
  },
  {
    name: "version",
    summary: "Versions of this program and of the control plane",
    options: [
      {
        flags: "-o, --output <format>",
        summary: "how to print",
        default: "text",
        choices: ["text", "json", "yaml"],
      },
      { flags: "--no-remote", summary: "do not ask the cluster" },
    ],
    examples: [{ line: "meshctl version", summary: "client, and control plane when there is a kubeconfig" }],
    load: async () => (await import("../commands/version.ts")).run,
  },
];
