import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** Full path of a program, or undefined. Looks where administrators' programs are even when PATH does not. */
export function findTool(name: string, path: string | undefined): string | undefined {
  const folders = [...(path ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];
  for (const folder of folders) {
    if (!folder.startsWith("/")) continue;
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // the next folder
    }
  }
  return undefined;
}
