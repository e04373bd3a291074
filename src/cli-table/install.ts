import { settingsOptions } from "./profiles.ts";
import { type CommandSpec, clusterOptions, type OptionSpec } from "./types.ts";

const readinessTimeout: OptionSpec = {
  flags: "--readiness-timeout <duration>",
  summary: "how long to wait until everything is ready",
  default: "300s",
};

const checkOptions = (fallback: "table" | "brief"): readonly OptionSpec[] => [
  {
    flags: "-o, --output <format>",
    summary: "every check, one line per category and what is wrong, or data",
    default: fallback,
    choices: ["table", "brief", "json", "yaml", "junit", "sarif"],
  },
  { flags: "--list", summary: "print what there is to check, ask nothing", default: false },
  { flags: "--category <name>", summary: "only this category", repeatable: true },
  { flags: "--check <name>", summary: "only this check, with those that it needs", repeatable: true },
  { flags: "--wait", summary: "ask again until nothing fails", default: false },
  { flags: "--timeout <duration>", summary: "how long to wait", default: "5m" },
  { flags: "--request-timeout <duration>", summary: "how long one question may take", default: "10s" },
  { flags: "--no-external", summary: "do not run the meshctl-check-* programs on PATH" },
  ...clusterOptions,
];

const precheck: CommandSpec = {
  name: "precheck",
  summary: "Look whether the mesh can be installed into this cluster",
  options: [
    ...settingsOptions.filter(({ flags }) => /--(profile|set|revision) /.test(flags)),
    ...checkOptions("brief"),
    { flags: "-f, --from-version <version>", summary: "version to upgrade from; without it the one in the cluster" },
  ],
  examples: [
    { line: "meshctl precheck", summary: "check the cluster of the current context" },
    { line: "meshctl precheck -o table", summary: "with every check that holds" },
  ],
  load: async () => (await import("../commands/precheck.ts")).run,
};

const upgrade: CommandSpec = {
  name: "upgrade",
  summary: "Bring the installed mesh to this version, in place or as a second revision",
  options: [
    ...settingsOptions.map((option) =>
      option.flags.startsWith("-r, --revision")
        ? { ...option, summary: "revision to upgrade; one that is not there is made beside the other" }
        : option,
    ),
    { flags: "--from <revision>", summary: "revision that a second one starts from, where there are several" },
    { flags: "--gateways", summary: "a second revision takes the gateways over too", default: false },
    { flags: "--force", summary: "also a step that is not supported: back, or over a minor version", default: false },
    { flags: "-y, --skip-confirmation", summary: "do not ask before changing the cluster", default: false },
    { flags: "--dry-run", summary: "let the API server judge every object, change nothing", default: false },
    { flags: "--diff", summary: "show what would change in the cluster before asking", default: false },
    { flags: "--skip-precheck", summary: "do not look at the cluster first", default: false },
    readinessTimeout,
    { flags: "--wait", summary: "wait until no pod has a proxy of before", default: false },
    { flags: "--timeout <duration>", summary: "how long to wait for them", default: "10m" },
  ],
  examples: [
    { line: "meshctl upgrade -y", summary: "in place, with the settings of the installation" },
    { line: "meshctl upgrade --revision 1-1 -y", summary: "a second control plane beside the first" },
    { line: "meshctl upgrade --revision 1-1 --gateways -y", summary: "later: it takes the gateways over" },
  ],
  load: async () => (await import("../commands/upgrade.ts")).run,
};

/** Commands that put the mesh into a cluster, look at it and take it out. */
export const installCommands: readonly CommandSpec[] = [
  {
    name: "install",
    aliases: ["apply"],
    summary: "Install the mesh in the cluster and wait until it is ready",
    options: [
      ...settingsOptions,
      { flags: "-y, --skip-confirmation", summary: "do not ask before changing the cluster", default: false },
      { flags: "--dry-run", summary: "let the API server judge every object, change nothing", default: false },
      { flags: "--diff", summary: "show what would change in the cluster before asking", default: false },
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
  upgrade,
  {
    name: "check",
    summary: "Look whether the installed mesh is as it should be",
    options: checkOptions("table"),
    examples: [
      { line: "meshctl check", summary: "everything" },
      { line: "meshctl check --wait --timeout 2m -o brief", summary: "after an installation, until all holds" },
      { line: "meshctl check --category certificates -o json", summary: "one category, for a program" },
    ],
    load: async () => (await import("../commands/check.ts")).run,
  },
  precheck,
  {
    name: "rollback",
    summary: "Bring back what was installed before the last install",
    options: [
      { flags: "-r, --revision <name>", summary: "revision of the control plane", default: "default" },
      { flags: "-y, --skip-confirmation", summary: "do not ask before changing the cluster", default: false },
      { flags: "--dry-run", summary: "let the API server judge every object, change nothing", default: false },
      { flags: "--diff", summary: "show what would change in the cluster before asking", default: false },
      readinessTimeout,
    ],
    examples: [{ line: "meshctl rollback -y", summary: "undo the last install or upgrade" }],
    load: async () => (await import("../commands/rollback.ts")).run,
  },
  {
    name: "uninstall",
    summary: "Take the mesh out of the cluster",
    options: [
      { flags: "-r, --revision <name>", summary: "only this revision; refused while proxies use it" },
      { flags: "--force", summary: "remove a revision that is in use", default: false },
      { flags: "--purge", summary: "everything, including CRDs and with them all mesh configuration", default: false },
      { flags: "-y, --skip-confirmation", summary: "do not ask before changing the cluster", default: false },
      { flags: "--dry-run", summary: "list what would go, change nothing", default: false },
      { flags: "--timeout <duration>", summary: "how long to wait until everything is gone", default: "120s" },
    ],
    examples: [{ line: "meshctl uninstall --purge -y", summary: "leave the cluster as it was before install" }],
    load: async () => (await import("../commands/uninstall.ts")).run,
  },
];
