// `tsx scripts/corpus.ts`: writes the large meshes of test/corpus anew.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { largeMeshes } from "./corpus/large.ts";

for (const [name, text] of Object.entries(largeMeshes())) {
  const folder = join(import.meta.dirname, "../test/corpus", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "mesh.yaml"), text);
}
