import { commandGroups, commandTable, globalOptions } from "./cli-table.ts";
import type { CompletionKind } from "./cli-table/types.ts";
import type { Candidate, Candidates, Question } from "./complete/question.ts";
import { completionOf, type Flag } from "./complete/flags.ts";
import { childrenOf, nextArgument, type Place, placeOf } from "./complete/words.ts";
import type { Io } from "./commands/io.ts";

/** How long the cluster may take: a shell stands still meanwhile. */
const PATIENCE_MS = 1500;

const COMMANDS = { table: commandTable, groups: commandGroups, globals: globalOptions };

/** What completion needs of the world; `cluster` opens the one that the flags on the line name. */
export interface CompleteIo extends Pick<Io, "out" | "env" | "cwd"> {
  readonly cluster: (flags: { readonly kubeconfig?: string; readonly context?: string }) => ReturnType<Io["cluster"]>;
}

/**
 * `meshctl __complete WORD... CURRENT`: what can stand for the last word, one `value<TAB>about` a line, and a last line `:BITS` as
 * the completion of kubectl and its plugins has it: 2 no space behind the value, 4 no files, 16 folders. It never fails: where
 * nothing is known, nothing is offered.
 */
export async function complete(words: readonly string[], io: CompleteIo): Promise<void> {
  const found = await answer(words.slice(0, -1), words.at(-1) ?? "", io);
  const lines = found.list.map(({ value, about }) => `${value}${about === undefined ? "" : `\t${oneLine(about)}`}\n`);
  const bits = (found.isOpen === true ? 2 : 0) + (found.files === undefined ? 4 : found.files === "folders" ? 16 : 0);
  io.out(`${lines.join("")}:${bits}\n`);
}

async function answer(before: readonly string[], current: string, io: CompleteIo): Promise<Candidates> {
  const place = placeOf(before, COMMANDS);
  const ask = async (kind: CompletionKind | readonly string[] | undefined, word: string): Promise<Candidates> => {
    const { candidatesOf } = await import("./complete/candidates.ts");
    return bounded((signal) => candidatesOf(kind, questionOf(place, word, io, signal)));
  };
  if (place.awaits !== undefined) return ask(completionOf(place.awaits.spec), current);
  if (!place.isPlain && current.startsWith("-")) {
    const [name = "", value] = current.split(/=(.*)/s, 2);
    if (value === undefined) return { list: flagsThat(place, current) };
    const flag = place.flags.find(({ long }) => long === name);
    const found = flag === undefined ? { list: [] } : await ask(completionOf(flag.spec), value);
    return { ...found, list: found.list.map((each) => ({ ...each, value: `${name}=${each.value}` })) };
  }
  const argument = nextArgument(place);
  const found = argument === undefined ? { list: [] } : await ask(completionOf(argument), current);
  return { ...found, list: [...commandsThat(place, current), ...found.list] };
}

function commandsThat({ path, args }: Place, current: string): readonly Candidate[] {
  if (args.length > 0) return [];
  const children = childrenOf(path, COMMANDS).filter(({ name }) => name.startsWith(current));
  return children.map(({ name, summary }) => ({ value: name, about: summary }));
}

/** Flags that can still be given; short ones as long as the word may be one. */
function flagsThat({ flags, given }: Place, current: string): readonly Candidate[] {
  const isLeft = ({ long = "", spec }: Flag): boolean => spec.repeatable === true || !given.has(long.slice(2));
  return flags.filter(isLeft).flatMap(({ long, short, spec }) => {
    const names = [
      ...(current.length <= 2 && short !== undefined ? [short] : []),
      ...(long === undefined ? [] : [long]),
    ];
    return names.filter((name) => name.startsWith(current)).map((value) => ({ value, about: spec.summary }));
  });
}

function questionOf(place: Place, word: string, io: CompleteIo, signal: AbortSignal): Question {
  const flag = (name: string): string | undefined => place.given.get(name)?.at(-1);
  const [kubeconfig, context] = [flag("kubeconfig"), flag("context")];
  const flags = { ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(context === undefined ? {} : { context }) };
  return { word, flag, env: io.env, cwd: io.cwd, cluster: () => io.cluster(flags), signal };
}

/** What was found in time; an error is as good as nothing here. */
async function bounded(find: (signal: AbortSignal) => Promise<Candidates>): Promise<Candidates> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Candidates>((resolve) => {
    timer = setTimeout(() => resolve({ list: [] }), PATIENCE_MS);
  });
  try {
    return await Promise.race([find(abort.signal).catch(() => ({ list: [] })), late]);
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
