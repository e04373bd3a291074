// `tsx scripts/big-mesh.ts OBJECTS [SEED] [MISTAKES]`: writes the mesh of the benches to standard output, and what was planted
// in it to standard error as JSON.
import { bigMesh } from "./bench/big-mesh.ts";

const [objects = "10000", seed = "1", mistakes = "0.02"] = process.argv.slice(2);
const mesh = bigMesh({ objects: Number(objects), seed: Number(seed), mistakes: Number(mistakes) });
process.stdout.write(mesh.yaml);
process.stderr.write(`${JSON.stringify(mesh.planted)}\n`);
