import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Manifest } from "../install/render.ts";
import { parseYaml, toYaml } from "../resources/yaml-plain.ts";
import type { Io } from "./io.ts";
import { attempt } from "./sources.ts";

const KUSTOMIZATION = "kustomization.yaml";
const HEADER =
  "# Written by meshctl manifest generate. Files that it lists are overwritten and removed by the next run.\n";

/**
 * One file per object, and a kustomization.yaml that lists them in the order of applying. Files that an earlier run listed and that
 * are no longer there to be written are removed; other files stay. Throws EnvironmentError when the folder cannot be written.
 */
export async function writeObjectFiles(
  name: string,
  manifests: readonly Manifest[],
  { cwd }: Pick<Io, "cwd">,
): Promise<{ readonly written: number; readonly removed: number }> {
  const folder = resolve(cwd, name);
  const files = manifests.map((manifest) => [fileName(manifest), manifest.text] as const);
  await attempt(folder, () => mkdir(folder, { recursive: true }));
  const left = (await listedBefore(folder)).filter((file) => !files.some(([own]) => own === file));
  for (const file of left) await attempt(join(folder, file), () => rm(join(folder, file), { force: true }));
  for (const [file, text] of files) await attempt(join(folder, file), () => writeFile(join(folder, file), text));
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: files.map(([file]) => file),
  };
  await attempt(folder, () => writeFile(join(folder, KUSTOMIZATION), HEADER + toYaml(kustomization)));
  return { written: files.length, removed: left.length };
}

/** `deployment.istio-system.istiod.yaml` */
function fileName({ kind, namespace, name }: Manifest): string {
  return `${[kind.toLowerCase(), ...(namespace === undefined ? [] : [namespace]), name].join(".")}.yaml`;
}

/** Files of the kustomization that an earlier run wrote; nobody else's. */
async function listedBefore(folder: string): Promise<readonly string[]> {
  const text = await readFile(join(folder, KUSTOMIZATION), "utf8").catch(() => "");
  if (!text.startsWith(HEADER)) return [];
  const { resources } = parseYaml(text) as { readonly resources?: readonly string[] };
  return (resources ?? []).filter((file) => /^[^/\\]+\.yaml$/.test(file));
}
