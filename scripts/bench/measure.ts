import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** One run of a program. */
export interface Run {
  readonly ms: number;
  /** Peak memory in MB; undefined where /proc does not tell. */
  readonly mb: number | undefined;
  readonly code: number | null;
  readonly stdout: string;
}

/** Runs a program to its end. Its peak memory is a high-water mark of the kernel, read while it lives. */
export async function measure(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const start = performance.now();
  const child = spawn(program, [...args], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { PATH: process.env["PATH"], ...env },
  });
  let mb: number | undefined;
  const parts: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => void parts.push(part));
  const watch = setInterval(() => {
    mb = peakOf(child.pid) ?? mb;
  }, 10);
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  const ms = performance.now() - start;
  clearInterval(watch);
  return { ms, mb, code, stdout: Buffer.concat(parts).toString("utf8") };
}

function peakOf(pid: number | undefined): number | undefined {
  try {
    const kb = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kb === undefined ? undefined : Number(kb) / 1024;
  } catch {
    return undefined;
  }
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
