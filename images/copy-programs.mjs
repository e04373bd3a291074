// copy-programs.mjs TARGET ENTRY...: copies the files of dist/ that entries load to TARGET/dist. For the Containerfile.
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../scripts/lib/run.mjs";
import { programFiles } from "./programs.mjs";

const [target, ...entries] = process.argv.slice(2);
for (const file of (await programFiles(entries)).files) await cp(join(root, file), join(target, file));
