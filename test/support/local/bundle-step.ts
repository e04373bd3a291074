import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";

/** Makes a bug report of a living mesh and finds nothing secret in it. Resolves with its file. */
export async function bugReportOf(scenario: Scenario): Promise<string> {
  const { stdout } = await scenario.meshctl(["bug-report", "--output-dir", scenario.work, "--tail", "200"]);
  const file = stdout.trim();
  noSecrets(file, scenario);
  return file;
}

/** Neither the private keys of the mesh nor a token of an account stands in any file of the bundle. */
function noSecrets(file: string, { work }: Scenario): void {
  const folder = join(work, "unpacked");
  execFileSync("mkdir", ["-p", folder]);
  execFileSync("tar", ["-xzf", file, "-C", folder]);
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  must(names.length > 30, `only ${names.length} files`);
  for (const { parentPath, name } of names) {
    const text = readFileSync(join(parentPath, name), "utf8");
    for (const secret of [
      /PRIVATE KEY-----\s*[A-Za-z0-9+/=]{20}/,
      /\beyJ[\w-]{8,}\.eyJ/,
      /LS0tLS1CRUdJTiB(?!DRVJUSUZJQ0FURS|SU1NQ)[A-Za-z0-9+/]*S0VZ/,
    ])
      must(!secret.test(text), `${name} holds what looks like a secret: ${secret.exec(text)?.[0].slice(0, 40)}`);
  }
}
