import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import type { ServiceEntry } from "./types.ts";

const DOMAIN = "cluster.local";

/** The pod for which a hosts file is written. */
export interface HostsSubject {
  readonly namespace: string;
  readonly hostname: string;
  readonly ip: string;
}

/**
 * `/etc/hosts` of a pod: every Service by the names that cluster DNS would answer, its own namespace's also by the short one.
 * Members of a headless Service stand behind its name, and each by its own host name.
 */
export function hostsFile(services: readonly ServiceEntry[], pod: HostsSubject): string {
  const lines = [
    "# Written by meshctl: names of the local cluster.",
    "127.0.0.1 localhost",
    "::1 localhost ip6-localhost",
  ];
  lines.push(`${pod.ip} ${pod.hostname}`);
  for (const service of services) {
    const suffixes = [`.${service.namespace}`, `.${service.namespace}.svc`, `.${service.namespace}.svc.${DOMAIN}`];
    if (service.namespace === pod.namespace) suffixes.unshift("");
    const names = suffixes.map((suffix) => service.name + suffix).join(" ");
    if (service.clusterIp !== undefined) {
      lines.push(`${service.clusterIp} ${names}`);
      continue;
    }
    for (const { ip, hostname } of service.members) {
      lines.push(`${ip} ${names}`);
      if (hostname !== undefined) {
        lines.push(`${ip} ${suffixes.map((suffix) => `${hostname}.${service.name}${suffix}`).join(" ")}`);
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Rewrites a file in place: it may be mounted. The length is cut last, so that a reader never finds it empty. */
export function overwrite(path: string, text: string): void {
  const file = openSync(path, "r+");
  try {
    const bytes = Buffer.from(text);
    writeSync(file, bytes, 0, bytes.length, 0);
    ftruncateSync(file, bytes.length);
  } finally {
    closeSync(file);
  }
}
