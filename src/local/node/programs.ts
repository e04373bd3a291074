import { chmod, cp, mkdir, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Programs } from "./images.ts";
import { runProgram } from "./run.ts";

export interface ProgramSources {
  readonly packageRoot: string;
  readonly node: string;
  readonly envoy: string | undefined;
  /** The node's own folder. */
  readonly directory: string;
  /** Mount what other users could not reach: the package may lie below a home that is closed to them. */
  readonly mount: boolean;
}

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const PARTS = ["bin", "dist", "samples", "package.json"];

/** Puts the programs that images stand for where containers find them. */
export async function preparePrograms(sources: ProgramSources): Promise<Programs> {
  const { directory, mount } = sources;
  const bin = join(directory, "bin");
  await mkdir(bin, { recursive: true, mode: 0o755 });
  const packageDir = mount ? await reachablePackage(sources) : sources.packageRoot;
  for (const [name, source] of Object.entries({ node: sources.node, envoy: sources.envoy })) {
    if (source === undefined) continue;
    if (mount) await reachableFile(source, join(bin, name));
    else await symlink(source, join(bin, name));
  }
  for (const [name, entry] of Object.entries({
    meshd: "meshd",
    "mesh-agent": "mesh-agent",
    "pilot-agent": "mesh-agent",
  })) {
    const script = `#!/bin/sh\nexec "${join(bin, "node")}" "${join(packageDir, "bin", `${entry}.js`)}" "$@"\n`;
    await writeFile(join(bin, name), script, { mode: 0o755 });
  }
  return { packageDir, path: `${bin}:${SYSTEM_PATH}` };
}

async function reachablePackage({ packageRoot, directory }: ProgramSources): Promise<string> {
  const target = join(directory, "package");
  await mkdir(target, { mode: 0o755 });
  if (await allReadable(packageRoot)) {
    await runProgram("mount", ["--bind", packageRoot, target]);
    return target;
  }
  for (const part of PARTS) {
    if (existsSync(join(packageRoot, part))) await cp(join(packageRoot, part), join(target, part), { recursive: true });
  }
  await runProgram("chmod", ["-R", "a+rX", target]);
  return target;
}

/** Others may read the folder and the built files (a clone under umask 077 says no). */
async function allReadable(root: string): Promise<boolean> {
  const dist = join(root, "dist");
  const files = await readdir(dist).catch(() => []);
  const paths = [root, join(root, "bin"), dist, ...files.map((file) => join(dist, file))];
  const modes = await Promise.all(paths.map((path) => stat(path).then(({ mode }) => mode)));
  return modes.every((mode) => (mode & 0o004) !== 0);
}

async function reachableFile(source: string, target: string): Promise<void> {
  if (((await stat(source)).mode & 0o005) === 0o005) {
    await writeFile(target, "");
    await runProgram("mount", ["--bind", source, target]);
  } else {
    await cp(source, target);
    await chmod(target, 0o755);
  }
}
