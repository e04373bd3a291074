import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { type HostPort, PATHS } from "./config.ts";

/**
 * The target with its address from `./etc/hosts`, when that file names its host; otherwise unchanged, for DNS. In an
 * image this is the system's own file; a local node without name service writes one below each container's root.
 */
export async function resolveHost(target: HostPort): Promise<HostPort> {
  if (isIP(target.host) !== 0) return target;
  const text = await readFile(PATHS.hosts, "utf8").catch(() => "");
  const address = lookUp(text, target.host);
  return address === undefined ? target : { ...target, host: address };
}

/** The first address that a hosts file gives the name; comments and malformed lines are passed over. */
export function lookUp(text: string, name: string): string | undefined {
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (isIP(address) !== 0 && names.includes(name)) return address;
  }
  return undefined;
}
