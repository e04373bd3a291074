import { UsageError } from "../base/errors.ts";
import { textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

/** A flag as the command table has it. */
export interface ReferenceFlag {
  /** `--output`, or `-x` for one that has no long form. */
  readonly name: string;
  readonly short?: string;
  /** What its value is called; absent for switches. */
  readonly value?: string;
  readonly valueOptional?: boolean;
  readonly summary: string;
  /** As it would be written. */
  readonly default?: string;
  readonly choices?: readonly string[];
  readonly repeatable?: boolean;
}

/** A command as the command table has it. */
export interface ReferenceCommand {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly usage: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly required: boolean;
    readonly repeatable: boolean;
    readonly summary: string;
  }[];
  readonly flags: readonly ReferenceFlag[];
  readonly examples: readonly { readonly line: string; readonly summary: string }[];
}

/** Data of `meshctl reference`. */
export interface CommandReference {
  readonly program: string;
  readonly version: string;
  readonly exitCodes: Readonly<Record<string, string>>;
  readonly globalFlags: readonly ReferenceFlag[];
  readonly commands: readonly ReferenceCommand[];
}

/** `meshctl reference`: every command with its arguments, flags and examples, for programs; with words, only those commands. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const { COMMAND_REFERENCE } = await import("../gen/command-reference.ts");
  const whole = JSON.parse(COMMAND_REFERENCE) as CommandReference;
  const name = input.args.join(" ");
  const commands = whole.commands.filter(
    (each) => name === "" || each.name === name || each.name.startsWith(`${name} `),
  );
  if (commands.length === 0) throw new UsageError(`there is no command ${name}`, "Run meshctl --help for the list.");
  const data: CommandReference = { ...whole, commands };
  if (textOption(input, "output") === "yaml") io.out((await import("../resources/yaml-plain.ts")).toYaml(data));
  else io.out(`${JSON.stringify(data, undefined, 2)}\n`);
  return { exitCode: 0 };
}
