import { type CommandSpec, outputOption } from "./types.ts";

const tagArgument = { flags: "<tag>", summary: "name of the tag" };
const revisionOption = { flags: "-r, --revision <name>", summary: "revision that the tag is to name" };
const webhookName = { flags: "--webhook-name <name>", summary: "name of the webhook configuration" };
const autoInject = {
  flags: "--auto-inject-namespaces",
  summary: "tag default: also namespaces that say nothing",
  default: false,
};
const skipConfirmation = { flags: "-y, --skip-confirmation", summary: "do not ask", default: false };

/** Commands about control planes side by side: tags, and who uses whom. */
export const revisionCommands: readonly CommandSpec[] = [
  {
    name: "orphans",
    summary: "What installations left behind in the cluster",
    options: [
      outputOption,
      { flags: "--delete", summary: "remove it, after asking", default: false },
      { ...skipConfirmation, summary: "do not ask before removing" },
    ],
    examples: [
      { line: "meshctl orphans", summary: "a table; exit code 1 when there is something" },
      { line: "meshctl orphans --delete -y", summary: "remove it" },
    ],
    load: async () => (await import("../commands/orphans.ts")).run,
  },
  {
    name: "revision list",
    summary: "Control planes, their tags, and how many proxies are on each",
    options: [outputOption],
    examples: [{ line: "meshctl revision list", summary: "how far an upgrade is" }],
    load: async () => (await import("../commands/revision-list.ts")).run,
  },
  {
    name: "tag set",
    summary: "Make a tag, or move it to another revision",
    args: [tagArgument],
    options: [
      revisionOption,
      { flags: "--overwrite", summary: "the tag may name another revision now", default: false },
      webhookName,
      autoInject,
      skipConfirmation,
      { flags: "--dry-run", summary: "let the API server judge every object, change nothing", default: false },
      { flags: "--wait", summary: "wait until no pod of the tag has a proxy of another revision", default: false },
      { flags: "--timeout <duration>", summary: "how long to wait", default: "10m" },
    ],
    examples: [
      { line: "meshctl tag set prod --revision 1-0 -y", summary: "namespaces with istio.io/rev=prod get revision 1-0" },
      { line: "meshctl tag set prod --revision 1-1 --overwrite --wait", summary: "move them to 1-1" },
      { line: "meshctl tag set default --revision 1-1", summary: "istio-injection=enabled means 1-1" },
    ],
    load: async () => (await import("../commands/tag-set.ts")).run,
  },
  {
    name: "tag generate",
    summary: "Print the objects of a tag",
    args: [tagArgument],
    options: [
      revisionOption,
      { ...skipConfirmation, hidden: true },
      { flags: "--overwrite", summary: "accepted", default: false, hidden: true },
      webhookName,
      autoInject,
    ],
    examples: [{ line: "meshctl tag generate prod --revision 1-0", summary: "to apply them with other tools" }],
    load: async () => (await import("../commands/tag-set.ts")).runGenerate,
  },
  {
    name: "tag list",
    aliases: ["show"],
    summary: "Tags, what they name and the namespaces that ask by them",
    options: [outputOption],
    examples: [{ line: "meshctl tag list", summary: "every tag and revision" }],
    load: async () => (await import("../commands/tag-list.ts")).run,
  },
  {
    name: "tag remove",
    aliases: ["delete"],
    summary: "Take a tag away",
    args: [tagArgument],
    options: [skipConfirmation],
    examples: [{ line: "meshctl tag remove prod -y", summary: "without asking" }],
    load: async () => (await import("../commands/tag-remove.ts")).run,
  },
];
