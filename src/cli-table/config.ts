import type { CommandSpec } from "./types.ts";

/** Commands about the mesh's configuration: files and what is in the cluster. */
export const configCommands: readonly CommandSpec[] = [];
