import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { generateAddonSamples } from "./gen/addons.ts";
import { generateCommands } from "./gen/commands.ts";
import { generateCrds } from "./gen/crds.ts";
import { generateDashboards } from "./gen/dashboards/index.ts";
import { generateEditor } from "./gen/editor.ts";
import { generateEmbedded, manifestTexts } from "./gen/embedded.ts";
import { generateExplain } from "./gen/explain.ts";
import { generateHelp } from "./gen/help.ts";
import { generateInjectorDefaults } from "./gen/injector.ts";
import { generateReference } from "./gen/reference.ts";
import { readSchemas } from "./gen/schema-source.ts";
import { generateKindTable, generateTypes } from "./gen/types.ts";
import { generateValidators } from "./gen/validators.ts";

/**
 * The generator: schemas/ -> types, validators, CRD manifests, reference pages; manifests/ -> embedded texts.
 * `--check` writes nothing and fails when a file is not what its sources say. Folders that hold only generated files are
 * swept of stale ones.
 */
const root = join(import.meta.dirname, "..");
const check = process.argv.includes("--check");

/** Folders whose files all come from here (a file that is no longer generated is removed). */
const swept: readonly string[] = [
  "src/gen/validators",
  "manifests/base/crds",
  "manifests/gateway-api",
  "docs/man",
  "docs/reference/kinds",
  "samples/addons",
  "schemas/editor",
];

function generate(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const sources = readSchemas(root);
  files.set("src/gen/schema-types.ts", generateTypes(sources));
  files.set("src/gen/mesh-kinds.ts", generateKindTable(sources));
  for (const generator of [generateValidators, generateCrds, generateReference, generateEditor])
    for (const [file, text] of generator(sources)) files.set(file, text);
  for (const [file, text] of [...generateHelp(root), ...generateExplain(sources, root), ...generateCommands(root)])
    files.set(file, text);
  for (const [file, text] of generateDashboards()) files.set(file, text);
  for (const [file, text] of generateAddonSamples(manifestTexts(root, files))) files.set(file, text);
  for (const [file, text] of generateEmbedded(root, files)) files.set(file, text);
  for (const [file, text] of generateInjectorDefaults(root)) files.set(file, text);
  return files;
}

const files = generate();
const stale = swept.flatMap((folder) => {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !files.has(file));
});
const changed = [...files].filter(([file, text]) => {
  const path = join(root, file);
  return !existsSync(path) || readFileSync(path, "utf8") !== text;
});
if (check) {
  for (const file of [...changed.map(([name]) => name), ...stale])
    console.error(`out of step with its source: ${file}`);
  if (changed.length + stale.length > 0) {
    console.error("run `npm run gen` and commit the result");
    process.exitCode = 1;
  }
} else {
  for (const [file, text] of changed) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  for (const file of stale) rmSync(join(root, file));
  console.log(`generated ${files.size} files, ${changed.length} changed, ${stale.length} removed`);
}
