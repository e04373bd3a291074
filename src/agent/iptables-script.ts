import type { RuleSet, TableName } from "./iptables.ts";

/** What `iptables-save` prints of one table, as far as it is ours. */
interface SavedTable {
  readonly name: TableName;
  readonly chains: readonly string[];
  /** Rules in our chains, by chain. */
  readonly rules: ReadonlyMap<string, readonly string[]>;
  /** Jumps from built-in chains to ours. */
  readonly jumps: readonly string[];
}

const TABLES: readonly TableName[] = ["raw", "mangle", "nat"];

/**
 * The input of `iptables-restore --noflush` that leaves exactly `rules`, whatever an earlier run left; each table is one
 * transaction. `saved` is the output of `iptables-save`.
 */
export function applyScript(rules: RuleSet, saved: string): string {
  const before = readSaved(saved);
  const tables = TABLES.map((name) => {
    const wanted = rules.find(({ table }) => table === name);
    const chains = wanted?.chains ?? [];
    // A chain's declaration empties it; declarations come first in a restore file, and only name chains that stay.
    const lines = [
      ...chains.map((chain) => `:${chain} - [0:0]`),
      ...removalLines(
        before.find((table) => table.name === name),
        chains,
      ),
      ...(wanted?.rules ?? []),
      ...(wanted?.jumps ?? []),
    ];
    return tableText(name, lines);
  });
  return tables.join("");
}

/** The input that removes what an earlier run left; undefined when there is nothing. */
export function cleanScript(saved: string): string | undefined {
  const text = readSaved(saved)
    .map((table) => tableText(table.name, removalLines(table, [])))
    .join("");
  return text === "" ? undefined : text;
}

/**
 * Whether `saved` holds these rules, these alone and in this order. Tools print rules in their own way (options in another
 * order, marks in base 16, modules named); a rule in words that we do not know counts as different, and is applied again.
 */
export function isInPlace(rules: RuleSet, saved: string): boolean {
  const before = readSaved(saved);
  return TABLES.every((name) => {
    const wanted = rules.find(({ table }) => table === name);
    const found = before.find((table) => table.name === name);
    if (wanted === undefined) return found === undefined || (found.chains.length === 0 && found.jumps.length === 0);
    if (found === undefined) return false;
    const chains = [...wanted.chains].toSorted();
    return (
      same(chains, [...found.chains].toSorted()) &&
      chains.every((chain) => {
        const own = wanted.rules.filter((rule) => rule.startsWith(`-A ${chain} `));
        return same(own.map(canonical), (found.rules.get(chain) ?? []).map(canonical));
      }) &&
      same(wanted.jumps.map(canonical).toSorted(), found.jumps.map(canonical).toSorted())
    );
  });
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

const JUMP = /^-A (?:PREROUTING|OUTPUT|INPUT|FORWARD|POSTROUTING) .*-j ISTIO_\S+/;

function readSaved(saved: string): readonly SavedTable[] {
  return saved.split(/^\*/m).flatMap((text): readonly SavedTable[] => {
    const lines = text.split("\n").map((line) => line.trim());
    const name = TABLES.find((table) => table === lines[0]);
    if (name === undefined) return [];
    const rules = new Map<string, string[]>();
    for (const line of lines) {
      const chain = /^-A (ISTIO_\S+) /.exec(line)?.[1];
      if (chain !== undefined) rules.set(chain, [...(rules.get(chain) ?? []), line]);
    }
    const chains = lines.flatMap((line) => /^:(ISTIO_\S+) /.exec(line)?.[1] ?? []);
    return [{ name, chains, rules, jumps: lines.filter((line) => JUMP.test(line)) }];
  });
}

/** Lines that take away our jumps and chains, but not the chains of `keep`. */
function removalLines(saved: SavedTable | undefined, keep: readonly string[]): readonly string[] {
  const gone = (saved?.chains ?? []).filter((chain) => !keep.includes(chain));
  return [
    ...(saved?.jumps ?? []).map((line) => line.replace(/^-A/, "-D")),
    ...gone.map((chain) => `-F ${chain}`),
    ...gone.map((chain) => `-X ${chain}`),
  ];
}

function tableText(name: TableName, lines: readonly string[]): string {
  return lines.length === 0 ? "" : [`*${name}`, ...lines, "COMMIT", ""].join("\n");
}

/** Modules that a rule need not name, because its options say it. */
const IMPLIED = /^(tcp|udp|owner|multiport|conntrack|mark|connmark)$/;
const NUMERIC = /^--(set-mark|set-xmark|mark|tproxy-mark|zone)$/;
const SAME: Readonly<Record<string, string>> = { "--to-port": "--to-ports", "--set-xmark": "--set-mark" };
/** What tools print though nobody asked: masks of all bits, the address of a target that has none. */
const DEFAULTS: ReadonlySet<string> = new Set([
  "--nfmask 0xffffffff",
  "--ctmask 0xffffffff",
  "--on-ip 0.0.0.0",
  "--on-ip ::",
]);

/** A rule in one way of writing it: the chain, then its options sorted. */
function canonical(rule: string): string {
  const words = rule.split(/\s+/);
  const options: string[] = [];
  let negated = "";
  for (let at = 2; at < words.length; ) {
    const word = words[at] ?? "";
    if (word === "!") {
      negated = "! ";
      at += 1;
      continue;
    }
    const next = words[at + 1];
    const hasValue = next !== undefined && !next.startsWith("-") && next !== "!";
    at += hasValue ? 2 : 1;
    const option = optionText(word, hasValue ? next : "");
    if (option !== undefined) options.push(negated + option);
    negated = "";
  }
  return [words[1], ...options.toSorted()].join(" | ");
}

function optionText(name: string, value: string): string | undefined {
  if (name === "-m" && IMPLIED.test(value)) return undefined;
  const plain = NUMERIC.test(name)
    ? markText(value)
    : name === "-d" || name === "-s"
      ? hostText(value)
      : name === "--ctstate"
        ? value.split(",").toSorted().join(",")
        : value;
  const text = `${SAME[name] ?? name} ${plain}`.trim();
  return DEFAULTS.has(text) ? undefined : text;
}

function markText(value: string): string {
  const [mark, mask] = value.split("/").map(Number);
  return mask === undefined || mask === 0xffff_ffff ? String(mark) : `${mark}/${mask}`;
}

/** An address alone is a range of one. */
function hostText(value: string): string {
  return value.replace(/\/(32|128)$/, "");
}
