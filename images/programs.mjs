// Which files of dist/ a program needs, and which npm packages are in them: by what the bundler wrote down.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../scripts/lib/run.mjs";

/** The files of dist/ that entries load, at once or later, and the npm packages that are in them. Paths are relative to the root. */
export async function programFiles(entries) {
  const { outputs } = JSON.parse(await readFile(join(root, "dist/meta.json"), "utf8"));
  const files = new Set();
  const open = entries.map((name) => `dist/${name}`);
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (files.has(file)) continue;
    if (outputs[file] === undefined) throw new Error(`dist/meta.json does not know ${file}: run npm run build`);
    files.add(file);
    for (const { path } of outputs[file].imports) if (outputs[path] !== undefined) open.push(path);
  }
  const sorted = [...files].sort((a, b) => (a < b ? -1 : 1));
  const inputs = sorted.flatMap((file) => Object.keys(outputs[file].inputs));
  return { files: sorted, packages: [...new Set(inputs.flatMap(packageOf))].sort((a, b) => (a < b ? -1 : 1)) };
}

/** `node_modules/a/node_modules/@b/c` of a file: its key in package-lock.json. */
function packageOf(input) {
  const found = /^((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
  return found === null ? [] : [found[1]];
}
