import type { CommandSpec } from "./types.ts";

/** Commands of the embedded cluster. */
export const localCommands: readonly CommandSpec[] = [];
