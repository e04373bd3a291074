import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";

const bin = join(import.meta.dirname, "../../bin");

/** Whether a program is on PATH. */
export function onPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** Why a test that needs `program` is left out here; undefined when it runs. Under CI nothing is left out: the test then fails. */
export function lacking(program: string): string | undefined {
  return onPath(program) || process.env["CI"] === "true" ? undefined : `${program} is not on PATH`;
}

/** A PATH with our programs under the names that package.json gives them; `folder` holds the links. */
export function withOurPrograms(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const names = {
    meshctl: "meshctl.js",
    "kubectl-mesh": "meshctl.js",
    "kubectl_complete-mesh": "kubectl_complete-mesh.js",
  };
  for (const [name, file] of Object.entries(names)) symlinkSync(join(bin, file), join(folder, name));
  return `${folder}${delimiter}${process.env["PATH"] ?? ""}`;
}
