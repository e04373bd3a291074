import { toYaml } from "../resources/yaml-plain.ts";
import { textOption } from "./input.ts";
import type { CommandInput, Io } from "./io.ts";

/** Prints data for programs, or text for people, as -o says. */
export function print(
  input: CommandInput,
  io: Pick<Io, "out">,
  { data, text }: { readonly data: unknown; readonly text: string },
): void {
  const output = textOption(input, "output");
  if (output === "json") io.out(`${JSON.stringify(data, undefined, 2)}\n`);
  else if (output === "yaml") io.out(toYaml(JSON.parse(JSON.stringify(data))));
  else io.out(text);
}
