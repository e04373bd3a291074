import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseYaml } from "../resources/yaml-plain.ts";
import type { Candidate, Question } from "./question.ts";

/** Names of the contexts of the kubeconfigs that a command would read; files that cannot be read have none. */
export async function contextNames({ flag, env, cwd }: Question): Promise<readonly Candidate[]> {
  const named = flag("kubeconfig");
  const listed = (env["KUBECONFIG"] ?? "").split(":").filter((file) => file !== "");
  const standard = join(env["HOME"] ?? "", ".kube/config");
  const files = named === undefined ? (listed.length > 0 ? listed : [standard]) : [named];
  const texts = await Promise.all(files.map((file) => readFile(resolve(cwd, file), "utf8").catch(() => "")));
  const names = texts.flatMap((text) => {
    const { contexts = [] } = (readable(text) ?? {}) as { readonly contexts?: readonly { readonly name?: string }[] };
    return contexts.map(({ name }) => name ?? "");
  });
  return [...new Set(names)].filter((name) => name !== "").map((value) => ({ value }));
}

function readable(text: string): unknown {
  try {
    return parseYaml(text);
  } catch {
    return undefined;
  }
}
