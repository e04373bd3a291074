// Packs what a machine outside the cluster needs into one archive for its root directory: the agent, its Node, Envoy, the unit and
// mesh-join (docs/guides/virtual-machines.md).
//   node images/machine.mjs --out mesh-agent.tar.gz
// Needs: npm run build, npm, tar. No root.

import { existsSync } from "node:fs";
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { main, root, run, Stop } from "../scripts/lib/run.mjs";
import { envoyFile, nodeBinary } from "./build.mjs";
import { programFiles } from "./programs.mjs";
import { IMAGES } from "./table.mjs";

const HOME = "opt/meshctl";

/** The agent under its name: by the Node and with the Envoy that came with it, wherever the archive was unpacked. */
function launcher(flags) {
  return `#!/bin/sh
# mesh-agent with its own Node and Envoy
here=$(dirname "$(readlink -f "$0")")
export MESHCTL_ENVOY="\${MESHCTL_ENVOY:-$here/envoy}"
exec "$here/node" ${flags.join(" ")} "$here/bin/mesh-agent.js" "$@"
`;
}

/** Writes the archive. Its paths are relative to the machine's root directory. */
export async function packMachine(out) {
  const { programs, entrypoint } = IMAGES.find(({ name }) => name === "proxy");
  const work = await mkdtemp(join(tmpdir(), "mesh-machine-"));
  try {
    const place = async (from, to, mode = 0o644) => {
      const target = join(work, to);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(from, target);
      await chmod(target, mode);
    };
    const home = join(work, HOME);
    for (const file of (await programFiles(programs)).files) await cp(join(root, file), join(home, file));
    for (const file of ["bin/mesh-agent.js", "package.json"]) await place(join(root, file), `${HOME}/${file}`);
    await place(await nodeBinary(), `${HOME}/node`, 0o755);
    await place(envoyFile(), `${HOME}/envoy`, 0o755);
    await place(join(root, "images/machine/mesh-join"), `${HOME}/mesh-join`, 0o755);
    await place(join(root, "images/mesh-agent.service"), "etc/systemd/system/mesh-agent.service");
    await writeFile(join(home, "mesh-agent"), launcher(entrypoint.slice(1, -1)), { mode: 0o755 });
    for (const [folder, name] of [
      ["bin", "mesh-agent"],
      ["sbin", "mesh-join"],
    ]) {
      await mkdir(join(work, "usr/local", folder), { recursive: true });
      await symlink(`../../../${HOME}/${name}`, join(work, "usr/local", folder, name));
    }
    const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rwX,go+rX,go-w"];
    await run("tar", [...same, "-czf", out, "-C", work, "etc", "opt", "usr"], { quiet: true });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === join(root, "images/machine.mjs")) {
  await main(async () => {
    const at = process.argv.indexOf("--out");
    const out = at === -1 ? undefined : process.argv[at + 1];
    if (out === undefined) throw new Stop("no file is named", "node images/machine.mjs --out mesh-agent.tar.gz");
    if (!existsSync(join(root, "dist/meta.json"))) throw new Stop("dist/ is not built", "run npm run build first");
    const path = resolve(out);
    await packMachine(path);
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    console.log(`${path}: mesh-agent ${version}`);
  });
}
