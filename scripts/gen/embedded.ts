import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** Folder of CRDs that only the embedded cluster gets: a module of their own, so that install does not carry them. */
const APART = "gateway-api/";

/**
 * All of manifests/ as texts in one module, so that programs read no files of their own and tests see what the bundle has.
 * `generated` holds manifests that this run of the generator writes; they take the place of those on disk.
 */
export function generateEmbedded(root: string, generated: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const folder = join(root, "manifests");
  const texts = new Map<string, string>();
  const entries = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const file = relative(folder, path).split(sep).join("/");
    // CRDs come from this run alone: what lies on disk may be stale
    if (!file.startsWith(APART) && !file.startsWith("base/crds/")) texts.set(file, readFileSync(path, "utf8"));
  }
  for (const [file, text] of generated)
    if (file.startsWith("manifests/")) texts.set(file.slice("manifests/".length), text);
  const lines = (apart: boolean): string =>
    [...texts]
      .filter(([file]) => file.startsWith(APART) === apart)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([file, text]) => `  ${JSON.stringify(file)}: ${JSON.stringify(text)},\n`)
      .join("");
  const header = "// Generated from manifests/ by `npm run gen`. Do not edit.\n";
  return new Map([
    [
      "src/gen/embedded.ts",
      `${header}
/** The files of manifests/ by their path in it, e.g. \`base/crds/gateways.networking.istio.io.yaml\`; without those of Gateway API. */
export const embedded: Readonly<Record<string, string>> = {
${lines(false)}};
`,
    ],
    [
      "src/gen/gateway-api-crds.ts",
      `${header}
/** CRDs of Gateway API by their path in manifests/: for the embedded cluster, never for a user's. */
export const gatewayApiCrds: Readonly<Record<string, string>> = {
${lines(true)}};
`,
    ],
  ]);
}
