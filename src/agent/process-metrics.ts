import { readFileSync } from "node:fs";
import type { Exposition } from "./exposition.ts";

/** Hundredths of a second: what Linux counts processor time of processes in, for every program. */
const TICKS_PER_SECOND = 100;
const PAGE = 4096;

/** What a process has used so far. */
export interface ProcessUse {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** What Linux tells of a process; undefined for one that is gone, and elsewhere. */
export function processUse(pid: number, read: (file: string) => string = readText): ProcessUse | undefined {
  try {
    return readStat(read(`/proc/${pid}/stat`));
  } catch {
    return undefined;
  }
}

function readText(file: string): string {
  return readFileSync(file, "utf8");
}

/** Fields of proc(5): after the name, which may hold blanks and brackets, utime is the 12th, stime the 13th, rss the 22nd. */
function readStat(text: string): ProcessUse {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): number => Number(fields[number - 1]);
  return { cpuSeconds: (field(12) + field(13)) / TICKS_PER_SECOND, residentBytes: field(22) * PAGE };
}

/**
 * What the agent and its Envoy use of processors and memory: the part of a pod's cost that is the mesh's, where nobody scrapes the
 * kubelet. `envoyPid` is asked at each scrape.
 */
export function addProcessMetrics(
  all: Exposition,
  { version, envoyPid }: { readonly version: string; readonly envoyPid: () => number | undefined },
): void {
  all.reading("istio_agent_process_cpu_seconds_total", "Processor time of the agent.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  all.gauge("istio_agent_process_resident_memory_bytes", "Resident memory of the agent.", {}, () =>
    process.memoryUsage.rss(),
  );
  const started = Date.now() / 1000 - process.uptime();
  all.gauge("istio_agent_process_start_time_seconds", "Unix time at which the agent started.", {}, () => started);
  const envoy = (): ProcessUse | undefined => {
    const pid = envoyPid();
    return pid === undefined ? undefined : processUse(pid);
  };
  all.reading("istio_agent_envoy_cpu_seconds_total", "Processor time of Envoy.", () => envoy()?.cpuSeconds);
  all.gauge("istio_agent_envoy_resident_memory_bytes", "Resident memory of Envoy.", {}, () => envoy()?.residentBytes);
  const build = { component: "agent", tag: version };
  all.gauge("istio_build", "Always 1; the label tells the version.", build, () => 1);
}
