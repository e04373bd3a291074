import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** Folders of what only few commands need: a module each, so that install does not carry them. */
const APART: readonly Apart[] = [
  {
    folder: "addons/",
    module: "addon-manifests",
    name: "addonManifests",
    comment: "Manifests and files of the addons by their path in manifests/, e.g. `addons/prometheus.yaml`.",
  },
  {
    folder: "gateway-api/",
    module: "gateway-api-crds",
    name: "gatewayApiCrds",
    comment: "CRDs of Gateway API by their path in manifests/: for the embedded cluster, never for a user's.",
  },
];

interface Apart {
  readonly folder: string;
  readonly module: string;
  readonly name: string;
  readonly comment: string;
}

/**
 * All of manifests/ as texts in one module, so that programs read no files of their own and tests see what the bundle has.
 * `generated` holds manifests that this run of the generator writes; they take the place of those on disk.
 */
export function generateEmbedded(root: string, generated: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return modulesOf(manifestTexts(root, generated));
}

/** The texts of manifests/ by their path in it; what this run generates counts more than what is on disk. */
export function manifestTexts(root: string, generated: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const folder = join(root, "manifests");
  const texts = new Map<string, string>();
  const entries = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const file = relative(folder, path).split(sep).join("/");
    // CRDs come from this run alone: what lies on disk may be stale
    if (!file.startsWith("gateway-api/") && !file.startsWith("base/crds/")) texts.set(file, readFileSync(path, "utf8"));
  }
  for (const [file, text] of generated)
    if (file.startsWith("manifests/")) texts.set(file.slice("manifests/".length), text);
  return texts;
}

function modulesOf(texts: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const lines = (belongs: (file: string) => boolean): string =>
    [...texts]
      .filter(([file]) => belongs(file))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([file, text]) => `  ${JSON.stringify(file)}: ${JSON.stringify(text)},\n`)
      .join("");
  const header = "// Generated from manifests/ by `npm run gen`. Do not edit.\n";
  const own = APART.map(({ folder: start, module, name, comment }): [string, string] => [
    `src/gen/${module}.ts`,
    `${header}
/** ${comment} */
export const ${name}: Readonly<Record<string, string>> = {
${lines((file) => file.startsWith(start))}};
`,
  ]);
  const isApart = (file: string): boolean => APART.some(({ folder: start }) => file.startsWith(start));
  return new Map([
    [
      "src/gen/embedded.ts",
      `${header}
/** The files of manifests/ by their path in it, e.g. \`base/crds/gateways.networking.istio.io.yaml\`; without those of addons and Gateway API. */
export const embedded: Readonly<Record<string, string>> = {
${lines((file) => !isApart(file))}};
`,
    ],
    ...own,
  ]);
}
