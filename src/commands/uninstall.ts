import { UsageError } from "../base/errors.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export function run(_input: CommandInput, _io: Io): Promise<CommandResult> {
  return Promise.reject(new UsageError("this command comes within the hour"));
}
