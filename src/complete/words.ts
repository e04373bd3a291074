import type { ArgumentSpec, CommandSpec, OptionSpec } from "../cli-table/types.ts";
import { type Flag, flagOf } from "./flags.ts";

/** The command table, as completion needs it. */
export interface Commands {
  readonly table: readonly CommandSpec[];
  readonly groups: Readonly<Record<string, { readonly summary: string; readonly aliases: readonly string[] }>>;
  readonly globals: readonly OptionSpec[];
}

/** What the words before the cursor say. */
export interface Place {
  /** The command so far, in the words of the table: `proxy-config clusters`; empty at the start. */
  readonly path: string;
  readonly spec?: CommandSpec;
  /** Flags that can follow. */
  readonly flags: readonly Flag[];
  /** Values given so far by the flag's long name, without dashes. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  /** Positional arguments given so far. */
  readonly args: readonly string[];
  /** The flag whose value comes next. */
  readonly awaits?: Flag;
  /** After `--`: no more flags. */
  readonly isPlain: boolean;
}

/** Words in front of commands that istioctl calls experimental; they change nothing here. */
const EXPERIMENTAL: readonly string[] = ["experimental", "exp", "x", "help"];

/** Reads the words before the one under the cursor. Unknown words count as arguments; nothing is an error here. */
export function placeOf(words: readonly string[], commands: Commands): Place {
  const reading: Reading = { path: "", awaits: undefined, isPlain: false, args: [], given: new Map() };
  for (const [index, word] of words.entries())
    if (index > 0 || !EXPERIMENTAL.includes(word)) readWord(reading, word, commands);
  const { path, awaits, isPlain, args, given } = reading;
  const spec = specOf(path, commands);
  return {
    path,
    given,
    args,
    isPlain,
    flags: flagsOf(spec, commands),
    ...(spec === undefined ? {} : { spec }),
    ...(awaits === undefined ? {} : { awaits }),
  };
}

interface Reading {
  path: string;
  awaits: Flag | undefined;
  isPlain: boolean;
  readonly args: string[];
  readonly given: Map<string, readonly string[]>;
}

function readWord(reading: Reading, word: string, commands: Commands): void {
  const { path, awaits, isPlain, args, given } = reading;
  const add = (flag: Flag, value: string): void => {
    const name = (flag.long ?? flag.short ?? "").replace(/^-+/, "");
    given.set(name, [...(given.get(name) ?? []), value]);
  };
  if (awaits !== undefined) {
    add(awaits, word);
    reading.awaits = undefined;
  } else if (!isPlain && word === "--") {
    reading.isPlain = true;
  } else if (!isPlain && word.startsWith("-") && word !== "-") {
    reading.awaits = readFlag(word, flagsOf(specOf(path, commands), commands), add);
  } else {
    const children = args.length === 0 ? childrenOf(path, commands) : [];
    const next = children.find((child) => child.words.includes(word));
    if (next === undefined) args.push(word);
    else reading.path = next.path;
  }
}

/** Takes note of a flag; gives it back when the next word is its value. */
function readFlag(word: string, flags: readonly Flag[], add: (flag: Flag, value: string) => void): Flag | undefined {
  const [name = "", value] = word.split(/=(.*)/s, 2);
  const flag = flags.find(({ long, short }) => name === long || name === short);
  if (flag === undefined) return undefined;
  if (flag.placeholder !== undefined && !flag.isOptional && value === undefined) return flag;
  add(flag, value ?? "");
  return undefined;
}

function specOf(path: string, { table }: Commands): CommandSpec | undefined {
  return table.find(({ name }) => name === path);
}

function flagsOf(spec: CommandSpec | undefined, { globals }: Commands): readonly Flag[] {
  const help: OptionSpec = { flags: "-h, --help", summary: "show help" };
  return [...(spec?.options ?? []), ...globals, help].filter(({ hidden }) => hidden !== true).map(flagOf);
}

/** A word that can follow a command's path. */
export interface Child {
  readonly path: string;
  readonly name: string;
  /** The name and its other names. */
  readonly words: readonly string[];
  readonly summary: string;
}

/** The words that can follow `path`, sorted, hidden commands left out. */
export function childrenOf(path: string, { table, groups }: Commands): readonly Child[] {
  const start = path === "" ? "" : `${path} `;
  const below = table.filter(({ name, hidden }) => hidden !== true && name.startsWith(start) && name !== path);
  const names = [...new Set(below.map(({ name }) => name.slice(start.length).split(" ")[0] ?? ""))];
  return names.toSorted().map((name) => {
    const own = start + name;
    const about = below.find((spec) => spec.name === own) ?? groups[own];
    return {
      path: own,
      name,
      words: [name, ...(about?.aliases ?? [])],
      summary: about?.summary ?? `Commands of ${own}`,
    };
  });
}

/** The positional argument that comes next; the last one may be repeated. */
export function nextArgument({ spec, args }: Place): ArgumentSpec | undefined {
  const list = spec?.args ?? [];
  const last = list.at(-1);
  return list[args.length] ?? (last?.flags.includes("...") === true ? last : undefined);
}
