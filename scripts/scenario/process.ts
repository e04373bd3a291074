import { readdir, readFile } from "node:fs/promises";

/**
 * Processes of this machine that belong to a pod: those whose environment names it. Pods of the embedded cluster and of a real
 * node on this machine are ordinary processes here. Needs to be root, or the pod's user.
 */
export async function processesOfPod(pod: string, program: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const [commandLine, environment] = await Promise.all([
      read(`/proc/${entry}/cmdline`),
      read(`/proc/${entry}/environ`),
    ]);
    const words = commandLine.split("\0");
    // the program itself, not a shell or setpriv that started it
    const isProgram = words.slice(0, 3).some((word) => word.endsWith(program)) && words[0]?.endsWith("node") === true;
    if (isProgram && environment.split("\0").includes(`POD_NAME=${pod}`)) found.push(Number(entry));
  }
  return found;
}

function read(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}
