import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

/**
 * All of manifests/ as texts in one module, so that programs read no files of their own and tests see what the bundle has.
 * `generated` holds manifests that this run of the generator writes; they take the place of those on disk.
 */
export function generateEmbedded(root: string, generated: ReadonlyMap<string, string>): string {
  const folder = join(root, "manifests");
  const texts = new Map<string, string>();
  const entries = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    texts.set(relative(folder, path).split(sep).join("/"), readFileSync(path, "utf8"));
  }
  for (const [file, text] of generated)
    if (file.startsWith("manifests/")) texts.set(file.slice("manifests/".length), text);
  const lines = [...texts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, text]) => `  ${JSON.stringify(file)}: ${JSON.stringify(text)},\n`);
  return `// Generated from manifests/ by \`npm run gen\`. Do not edit.

/** The files of manifests/ by their path in it, e.g. \`base/crds/gateways.networking.istio.io.yaml\`. */
export const embedded: Readonly<Record<string, string>> = {
${lines.join("")}};
`;
}
