import { commandGroups, globalOptions } from "./cli-table.ts";
import type { CommandSpec, OptionSpec } from "./cli-table/types.ts";

/**
 * Text of `meshctl --help`. Written to src/gen/root-help.ts by `npm run gen`, so that printing it loads neither the table nor
 * commander; a contract test holds the two together.
 */
export function rootHelp(table: readonly CommandSpec[]): string {
  const groups = Object.entries(commandGroups).filter(([name]) =>
    table.some((spec) => spec.name.startsWith(`${name} `)),
  );
  const rows = [
    ...table.filter((spec) => spec.hidden !== true && !spec.name.includes(" ")).map((spec) => row(spec.name, spec)),
    ...groups.map(([name, group]) => row(name, group)),
  ].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return [
    "Usage: meshctl <command> [flags]",
    "",
    "A service mesh in the language of Istio: install it, look into it, check its configuration.",
    "",
    "Commands:",
    ...columns(rows),
    "",
    "Flags of every command:",
    ...columns(globalOptions.filter(({ hidden }) => hidden !== true).map(optionRow)),
    "",
    "Run meshctl <command> --help for flags and examples of a command.",
    "",
  ].join("\n");
}

/** Text of `meshctl <group> --help`, e.g. of proxy-config. */
export function groupHelp(group: string, table: readonly CommandSpec[]): string {
  const rows = table
    .filter((spec) => spec.name.startsWith(`${group} `) && spec.hidden !== true)
    .map((spec) => row(spec.name.slice(group.length + 1), spec));
  return [
    `Usage: meshctl ${group} <command> [flags]`,
    "",
    `${commandGroups[group]?.summary ?? ""}.`,
    "",
    "Commands:",
    ...columns(rows),
    "",
  ].join("\n");
}

/** The blocks below the flags of a command's help: commands below it, and examples. */
export function exampleText(spec: CommandSpec, table: readonly CommandSpec[]): string {
  const below = table.filter(({ name, hidden }) => name.startsWith(`${spec.name} `) && hidden !== true);
  const commands =
    below.length === 0 ? [] : ["", "Commands:", ...columns(below.map(({ name, summary }) => [name, summary]))];
  const examples = spec.examples.flatMap((example) => [`  # ${example.summary}`, `  ${example.line}`]);
  return [...commands, "", "Examples:", ...examples].join("\n");
}

function row(
  name: string,
  about: { readonly summary: string; readonly aliases?: readonly string[] },
): [string, string] {
  const aliases = about.aliases ?? [];
  return [aliases.length === 0 ? name : `${name}, ${aliases.join(", ")}`, about.summary];
}

function optionRow(option: OptionSpec): [string, string] {
  const value = option.default === undefined ? "" : ` (default ${String(option.default)})`;
  return [option.flags, `${option.summary}${value}`];
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`);
}
