import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { mergeKubeconfig, unmergeKubeconfig } from "../local/kubeconfig.ts";
import { parseYaml, toYaml } from "../resources/yaml-plain.ts";
import type { Io } from "./io.ts";

type Config = Readonly<Record<string, unknown>>;

/** The user's own kubeconfig: the first file of KUBECONFIG, or `~/.kube/config`. */
export function ownKubeconfig(env: Io["env"]): string {
  const first = env["KUBECONFIG"]?.split(":").find((path) => path !== "");
  return first ?? join(env["HOME"] ?? "/", ".kube", "config");
}

/** Adds the entries of a kubeconfig text to the user's file. */
export async function mergeInto(file: string, kubeconfig: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await replace(file, mergeKubeconfig(await read(file), parseYaml(kubeconfig) as Config));
}

/** Takes them out again; a file that holds nothing more is removed. */
export async function removeFrom(file: string, kubeconfig: string): Promise<void> {
  const own = await read(file);
  const left = unmergeKubeconfig(own, parseYaml(kubeconfig) as Config);
  const empty = ["clusters", "contexts", "users"].every((list) => (left[list] as readonly unknown[]).length === 0);
  if (empty) await rm(file, { force: true });
  else await replace(file, left);
}

async function read(file: string): Promise<Config> {
  const text = await readFile(file, "utf8").catch(() => "");
  return (parseYaml(text) ?? {}) as Config;
}

async function replace(file: string, config: Config): Promise<void> {
  const next = `${file}.meshctl-new`;
  await writeFile(next, toYaml(config), { mode: 0o600 });
  await rename(next, file);
}
