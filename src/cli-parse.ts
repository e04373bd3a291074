import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { nearest } from "./base/nearest.ts";
import { UsageError } from "./base/errors.ts";
import { exampleText, groupHelp } from "./cli-help.ts";
import { commandGroups, commandTable, globalOptions } from "./cli-table.ts";
import type { CommandSpec, OptionSpec } from "./cli-table/types.ts";
import type { CommandInput, OptionValue } from "./commands/io.ts";

/** What a command line asks for: a text to print (help), or a command with its input. */
export type Parsed =
  | { readonly type: "help"; readonly text: string }
  | { readonly type: "run"; readonly spec: CommandSpec; readonly input: CommandInput };

/** Reads a command line by the table. Throws UsageError with the usage line of the command meant, as far as it is known. */
export function parse(argv: readonly string[]): Parsed {
  const words = argv[0] === "help" ? [...argv.slice(1), "--help"] : argv;
  const found = findCommand(words);
  if (found.type === "help") return found;
  const { spec, rest } = found;
  const output: string[] = [];
  const command = build(spec, (text) => output.push(text));
  try {
    command.parse([...rest], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return { type: "help", text: output.join("") };
    throw new UsageError(error.message.replace(/^error: /, ""), `Usage: meshctl ${spec.name} ${command.usage()}`);
  }
  const options = command.opts<Record<string, OptionValue | undefined>>();
  return { type: "run", spec, input: { args: command.args, options } };
}

type Found =
  | { readonly type: "help"; readonly text: string }
  | { readonly type: "command"; readonly spec: CommandSpec; readonly rest: readonly string[] };

/** Commands that istioctl has in another place: the words there, and the ones here. */
const RENAMED: readonly (readonly [theirs: readonly [string, string], ours: readonly string[]])[] = [
  [
    ["injector", "list"],
    ["inject", "list"],
  ],
  [["manifest", "install"], ["install"]],
];

const EXPERIMENTAL: readonly string[] = ["experimental", "exp", "x"];

/** Finds the command's words between global flags: `meshctl -n shop proxy-config clusters web` works as in istioctl. */
function findCommand(argv: readonly string[]): Found {
  const at = nextWord(argv, 0);
  const word = argv[at];
  if (word === undefined) throw new UsageError("no command given", "Run meshctl --help for the list of commands.");
  const ours = inOurWords(argv, at);
  if (ours !== undefined) return findCommand(ours);
  const group = Object.entries(commandGroups).find(
    ([name, about]) => name === word || about.aliases.includes(word),
  )?.[0];
  if (group === undefined) {
    const spec = lookUp(word, "");
    // a command may have commands below it: their word comes right behind
    const below = commandTable.find(({ name }) => name === `${spec.name} ${argv[at + 1] ?? ""}`);
    if (below !== undefined) return { type: "command", spec: below, rest: without(argv, [at, at + 1]) };
    return { type: "command", spec, rest: without(argv, [at]) };
  }
  const subAt = nextWord(argv, at + 1);
  const sub = argv[subAt];
  if (sub === undefined) {
    if (argv.includes("--help") || argv.includes("-h")) return { type: "help", text: groupHelp(group, commandTable) };
    throw new UsageError(`${group} needs a command`, `Run meshctl ${group} --help for the list.`);
  }
  const leafAt = nextWord(argv, subAt + 1);
  const leaf = commandTable.find(({ name }) => name === `${group} ${sub} ${argv[leafAt] ?? ""}`);
  if (leaf !== undefined) return { type: "command", spec: leaf, rest: without(argv, [at, subAt, leafAt]) };
  return { type: "command", spec: lookUp(sub, `${group} `), rest: without(argv, [at, subAt]) };
}

/** The command line in our words, where istioctl's at `at` are others. What it calls experimental is found without that word, and with it. */
function inOurWords(argv: readonly string[], at: number): readonly string[] | undefined {
  const [first = "", second] = [argv[at], nextWord(argv, at + 1)];
  if (EXPERIMENTAL.includes(first) && second < argv.length) return without(argv, [at]);
  const renamed = RENAMED.find(([theirs]) => theirs[0] === first && theirs[1] === argv[second])?.[1];
  return renamed === undefined ? undefined : [...renamed, ...without(argv, [at, second])];
}

function lookUp(word: string, prefix: string): CommandSpec {
  const inGroup = commandTable.filter((spec) =>
    prefix === "" ? !spec.name.includes(" ") : spec.name.startsWith(prefix),
  );
  const spec = inGroup.find(
    (candidate) => candidate.name === prefix + word || candidate.aliases?.includes(word) === true,
  );
  if (spec !== undefined) return spec;
  const names = inGroup.map((candidate) => candidate.name.slice(prefix.length));
  const groups = prefix === "" ? Object.keys(commandGroups) : [];
  const close = nearest(word, [...names, ...groups]);
  const hint =
    close === undefined ? `Run meshctl ${prefix}--help for the list.` : `Did you mean meshctl ${prefix}${close}?`;
  throw new UsageError(`unknown command: meshctl ${prefix}${word}`, hint);
}

/** Index of the next word that is neither a flag nor the value of a global flag. */
function nextWord(argv: readonly string[], from: number): number {
  let at = from;
  for (; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (!word.startsWith("-") || word === "-") break;
    if (takesValue(word)) at += 1;
  }
  return at;
}

function takesValue(word: string): boolean {
  return globalOptions.some((option) => option.flags.includes("<") && option.flags.split(/[ ,]+/).includes(word));
}

function without(argv: readonly string[], indexes: readonly number[]): string[] {
  return argv.filter((_, index) => !indexes.includes(index));
}

function build(spec: CommandSpec, write: (text: string) => void): Command {
  const command = new Command(`meshctl ${spec.name}`)
    .description(`${spec.summary}.`)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => undefined })
    .helpOption("-h, --help", "show this text")
    .addHelpText("after", exampleText(spec, commandTable));
  for (const argument of spec.args ?? []) command.argument(argument.flags, argument.summary);
  for (const option of spec.options) command.addOption(toOption(option));
  command.optionsGroup("Flags of every command:");
  for (const option of globalOptions) command.addOption(toOption(option));
  return command;
}

function toOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.summary);
  if (spec.default !== undefined && spec.default !== false) option.default(spec.default, String(spec.default));
  if (spec.choices !== undefined) option.choices(spec.choices);
  if (spec.hidden === true) option.hideHelp();
  if (spec.repeatable === true) option.argParser(appendOneOf(spec.choices));
  if (typeof spec.default === "number") option.argParser(parseNumber);
  return option;
}

/** Collects the values of a flag; commander checks choices only of flags that are given once. */
function appendOneOf(choices: readonly string[] | undefined) {
  return (value: string, before: readonly string[] | undefined): readonly string[] => {
    if (choices?.includes(value) === false)
      throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}.`);
    return [...(before ?? []), value];
  };
}

function parseNumber(value: string): number {
  const number = Number(value);
  if (value.trim() === "" || Number.isNaN(number)) throw new InvalidArgumentError(`expected a number, got ${value}`);
  return number;
}
