import { delay } from "../../base/delay.ts";
import { errorText, MeshError } from "../../base/errors.ts";
import type { CommandResult, Io } from "../io.ts";
import { briefWords, fleetTable, refusals } from "./fleet-text.ts";
import type { ProxyState } from "./states.ts";

/** What stands for one proxy, or for one of its types, has become something else; `from` is absent for what is new, `to` for what is gone. */
export interface StateChange {
  /** ISO time when it was seen. */
  readonly time: string;
  readonly name: string;
  readonly namespace: string;
  /** `LDS`; absent: the proxy as a whole. */
  readonly type?: string;
  readonly from?: string;
  readonly to?: string;
  readonly lastError?: string;
}

/** How it is told. */
export interface WatchOptions {
  readonly output: "table" | "json" | "yaml";
  readonly verbose: boolean;
  /** Milliseconds; the watch ends then. */
  readonly timeoutMs: number | undefined;
}

/** Asking costs the control plane time: it is asked for a tenth of it at most. */
const PAUSE_MS = 1000;
const SHARE = 10;
/** The cursor goes home; what the new text does not cover is wiped. */
const HOME = "\u001B[H";
const REST_OF_LINE = "\u001B[K";
const REST_OF_SCREEN = "\u001B[J";

/** Asks again and again until Ctrl-C or the timeout. A terminal sees the table anew; a pipe gets a line for each change. */
export async function watchStates(
  read: () => Promise<readonly ProxyState[]>,
  { output, verbose, timeoutMs }: WatchOptions,
  io: Io,
): Promise<CommandResult> {
  const end = timeoutMs === undefined ? io.signal : AbortSignal.any([io.signal, AbortSignal.timeout(timeoutMs)]);
  let before: readonly ProxyState[] = [];
  let problem = "";
  while (!end.aborted) {
    const began = performance.now();
    const now = await read().catch((error: unknown) => {
      if (!(error instanceof MeshError)) throw error;
      return errorText(error);
    });
    if (typeof now === "string") {
      if (now !== problem) io.err(`${now}\n`);
      problem = now;
    } else {
      if (output === "table" && io.isTTY) redraw(now, verbose, io);
      else for (const change of changesOf(before, now, io.now())) io.out(changeText(change, output));
      before = now;
      problem = "";
    }
    await delay(Math.max(PAUSE_MS, SHARE * (performance.now() - began)), end);
  }
  return { exitCode: before.some(({ status }) => status !== "SYNCED") ? 1 : 0 };
}

function redraw(proxies: readonly ProxyState[], verbose: boolean, io: Io): void {
  const text = `${fleetTable(proxies, { verbose, now: io.now() })}${refusals(proxies)}`;
  io.out(`${HOME}${text.replaceAll("\n", `${REST_OF_LINE}\n`)}${REST_OF_SCREEN}`);
}

/** What is different of each proxy and each of its types, proxies in their order. */
export function changesOf(
  before: readonly ProxyState[],
  now: readonly ProxyState[],
  time: Date,
): readonly StateChange[] {
  const old = new Map(before.map((state) => [nameOf(state), state]));
  const present = new Set(now.map(nameOf));
  const at = time.toISOString();
  const gone = before
    .filter((state) => !present.has(nameOf(state)))
    .map(({ name, namespace, status }) => ({ time: at, name, namespace, from: status }));
  return [...now.flatMap((state) => changesOfOne(old.get(nameOf(state)), state, at)), ...gone];
}

function changesOfOne(before: ProxyState | undefined, now: ProxyState, time: string): readonly StateChange[] {
  const { name, namespace } = now;
  const change = (type: string | undefined, from: string | undefined, to: string | undefined): StateChange[] => {
    if (from === to) return [];
    const lastError = type === undefined || to !== "NACK" ? undefined : now.types[type]?.lastError;
    return [
      {
        time,
        name,
        namespace,
        ...(type === undefined ? {} : { type }),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(lastError === undefined ? {} : { lastError }),
      },
    ];
  };
  const whole = change(undefined, before?.status, now.status);
  // of a proxy that is new its whole state says enough
  if (before === undefined) return whole;
  const types = new Set([...Object.keys(before.types), ...Object.keys(now.types)]);
  return [...whole, ...[...types].flatMap((type) => change(type, before.types[type]?.status, now.types[type]?.status))];
}

function changeText(change: StateChange, output: WatchOptions["output"]): string {
  if (output !== "table") return `${JSON.stringify(change)}\n`;
  const { time, name, namespace, type, from, to, lastError } = change;
  const what = type === undefined ? "" : ` ${type}`;
  const how = from === undefined ? `is ${to ?? ""}` : `${from} -> ${to ?? "gone"}`;
  return `${time} ${name}.${namespace}${what} ${how}${lastError === undefined ? "" : `: ${briefWords(lastError)}`}\n`;
}

function nameOf({ name, namespace }: ProxyState): string {
  return `${name}.${namespace}`;
}
