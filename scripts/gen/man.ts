import type { CommandReference, ReferenceCommand, ReferenceFlag } from "../../src/commands/reference.ts";
import { aboutFlag, flagText } from "./flag-text.ts";

/** The day of the version, which a manual names. */
const DATE = "2026-11-21";

type Groups = Readonly<Record<string, { readonly summary: string }>>;

/** A manual for the program and one for every command: docs/man/meshctl-proxy-config-clusters.1. In man(7), as every man reads it. */
export function manPages(reference: CommandReference, groups: Groups): ReadonlyMap<string, string> {
  return new Map([
    ["docs/man/meshctl.1", mainPage(reference, groups)],
    ...reference.commands.map(
      (command) => [`docs/man/${pageName(command.name)}.1`, commandPage(command, reference)] as const,
    ),
  ]);
}

function mainPage(reference: CommandReference, groups: Groups): string {
  const { commands, globalFlags } = reference;
  const words = Object.entries(groups).filter(([name]) =>
    commands.some((command) => command.name.startsWith(`${name} `)),
  );
  return [
    head("meshctl", reference.version),
    section("NAME", `meshctl \\- a service mesh in the language of Istio\n`),
    section("SYNOPSIS", `.B meshctl\n.I command\n[flags]\n`),
    section(
      "DESCRIPTION",
      line("Installs the mesh, looks into it and checks its configuration. Each command has a manual of its own.") +
        words.map(([name, { summary }]) => item(`meshctl ${name}`, `${summary}.`)).join(""),
    ),
    section("COMMANDS", commands.map(({ name, summary }) => item(name, `${summary}.`)).join("")),
    section("OPTIONS", flagItems(globalFlags)),
    exitStatus(reference),
    section(
      "ENVIRONMENT",
      item("KUBECONFIG", "Kubeconfig files of the cluster, unless --kubeconfig names one.") +
        item("NO_COLOR", "When set, nothing is coloured."),
    ),
    section(
      "SEE ALSO",
      commands
        .map(({ name }, index) => `.BR ${escaped(pageName(name))} (1)${index === commands.length - 1 ? "" : ","}\n`)
        .join(""),
    ),
  ].join("");
}

function commandPage(command: ReferenceCommand, reference: CommandReference): string {
  const { name, aliases = [], summary, usage, arguments: args, flags, examples } = command;
  const rest = usage.slice(`meshctl ${name}`.length).trim();
  const below = reference.commands.filter((other) => other.name.startsWith(`${name} `));
  const about = [`${summary}.`, ...(aliases.length === 0 ? [] : [`Other names: ${aliases.join(", ")}.`])];
  return [
    head(pageName(name), reference.version),
    section("NAME", line(`${pageName(name)} - ${summary.charAt(0).toLowerCase()}${summary.slice(1)}`)),
    section("SYNOPSIS", `.B ${escaped(`meshctl ${name}`)}\n${line(rest)}`),
    section("DESCRIPTION", about.map(line).join("") + args.map((each) => item(each.name, `${each.summary}.`)).join("")),
    below.length === 0 ? "" : section("COMMANDS", below.map((other) => item(other.name, `${other.summary}.`)).join("")),
    flags.length === 0 ? "" : section("OPTIONS", flagItems(flags)),
    section("OPTIONS OF EVERY COMMAND", flagItems(reference.globalFlags)),
    exitStatus(reference),
    section("EXAMPLES", examples.map((each) => item(each.line, `${each.summary}.`)).join("")),
    section("SEE ALSO", ".BR meshctl (1)\n"),
  ].join("");
}

function pageName(command: string): string {
  return `meshctl-${command.replaceAll(" ", "-")}`;
}

function head(name: string, version: string): string {
  return `.\\" Generated from src/cli\\-table/ by npm run gen.\n.TH ${escaped(name.toUpperCase())} 1 ${DATE} "meshctl ${version}"\n`;
}

function section(title: string, body: string): string {
  return `.SH ${title}\n${body}`;
}

/** A term and, below it, what it means. */
function item(term: string, about: string): string {
  return `.TP\n.B ${escaped(term)}\n${line(about)}`;
}

function flagItems(flags: readonly ReferenceFlag[]): string {
  return flags.map((flag) => item(flagText(flag), `${aboutFlag(flag)}.`)).join("");
}

function exitStatus({ exitCodes }: CommandReference): string {
  return section(
    "EXIT STATUS",
    Object.entries(exitCodes)
      .map(([code, words]) => item(code, `${words}.`))
      .join(""),
  );
}

/** Text on lines of its own, each sentence on a new one, none longer than mandoc likes. */
function line(text: string): string {
  const sentences = text.split(/(?<=[.:;]) (?=[A-Z])/);
  return sentences.flatMap(wrapped).join("");
}

function wrapped(sentence: string): readonly string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of escaped(sentence).split(" ")) {
    const longer = current === "" ? word : `${current} ${word}`;
    if (current !== "" && longer.length > 76) {
      lines.push(current);
      current = word;
    } else current = longer;
  }
  // what begins a line with a dot or an apostrophe would be a request
  return [...lines, current].map((each) => `${/^(?:\.|\\\(aq)/.test(each) ? "\\&" : ""}${each}\n`);
}

/** Signs that man(7) reads as more than themselves. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll('"', "\\(dq")
    .replaceAll("…", "\\&...")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .replaceAll("`", "\\(ga")
    .replaceAll("'", "\\(aq");
}
