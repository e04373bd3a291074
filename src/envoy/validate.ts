import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What Envoy says of a bootstrap: undefined when it takes it, else its own words. */
export type Verdict = string | undefined;

/**
 * Has Envoy load a bootstrap (JSON form) without serving it (`--mode validate`). `sharing_name` is taken out first: with
 * it Envoy 1.40 says OK and then crashes (reference/envoy-recipes.md 1.6). Certificates in files must exist.
 */
export async function validateConfig(envoyPath: string, bootstrap: unknown): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), "meshctl-validate-"));
  const file = join(folder, "bootstrap.json");
  try {
    await writeFile(
      file,
      JSON.stringify(bootstrap, (key, value: unknown) => (key === "sharing_name" ? undefined : value)),
    );
    return await runValidate(envoyPath, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runValidate(envoyPath: string, file: string): Promise<Verdict> {
  const args = ["--mode", "validate", "-c", file, "-l", "warning", "--log-format", "%v"];
  return new Promise((resolve) => {
    execFile(envoyPath, args, { maxBuffer: 16 * 2 ** 20 }, (error, stdout, stderr) => {
      resolve(error === null ? undefined : `${stdout}${stderr}`.trim() || error.message);
    });
  });
}
