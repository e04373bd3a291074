import { UsageError } from "../../base/errors.ts";
import { RESPONSE_FLAGS } from "../../base/response-flags.ts";
import { listOption, textOption } from "../input.ts";
import type { CommandInput } from "../io.ts";
import type { LogEntry } from "./entry.ts";

/** Whether a line is wanted. */
export type EntryTest = (entry: LogEntry) => boolean;

/** What the flags ask for; all of them must hold, of one that is given twice any. Throws UsageError. */
export function entryTest(input: CommandInput): EntryTest {
  const tests = [
    anyOf(listOption(input, "status").map(statusTest)),
    anyOf(listOption(input, "flag").map(flagTest)),
    anyOf(listOption(input, "route").map((wanted) => textTest(wanted, ({ routeName }) => [routeName]))),
    anyOf(
      listOption(input, "path").map((wanted) => textTest(wanted, ({ path }) => [path, path?.replace(/\?.*$/s, "")])),
    ),
    anyOf(listOption(input, "peer").map((wanted) => textTest(wanted, peerNames))),
    directionTest(textOption(input, "direction")),
  ];
  return (entry) => tests.every((test) => test(entry));
}

function anyOf(tests: readonly EntryTest[]): EntryTest {
  return tests.length === 0 ? () => true : (entry) => tests.some((test) => test(entry));
}

/** `404`, `5xx`, `400-499`, `>=500`. */
function statusTest(wanted: string): EntryTest {
  const [, code, hundreds] = /^(?:(\d{1,3})|([1-5])xx)$/i.exec(wanted) ?? [];
  const [, from, to] = /^(\d{3})-(\d{3})$/.exec(wanted) ?? [];
  const [, sign, bound] = /^([<>]=?)(\d{3})$/.exec(wanted) ?? [];
  const within =
    (low: number, high: number): EntryTest =>
    ({ status }) =>
      status !== undefined && status >= low && status <= high;
  if (code !== undefined) return within(Number(code), Number(code));
  if (hundreds !== undefined) return within(Number(hundreds) * 100, Number(hundreds) * 100 + 99);
  if (from !== undefined && to !== undefined) return within(Number(from), Number(to));
  if (sign === undefined || bound === undefined)
    throw new UsageError(`--status: expected 503, 5xx, 400-499 or >=500, got "${wanted}"`);
  const exact = sign.endsWith("=") ? 0 : 1;
  return sign.startsWith(">") ? within(Number(bound) + exact, 999) : within(0, Number(bound) - exact);
}

/** A short flag; `any`: some flag. */
function flagTest(wanted: string): EntryTest {
  const flag = wanted.toUpperCase();
  if (flag === "ANY") return ({ flags }) => flags.length > 0;
  if (!Object.hasOwn(RESPONSE_FLAGS, flag))
    throw new UsageError(
      `--flag: Envoy has no response flag "${wanted}"`,
      `It has ${Object.keys(RESPONSE_FLAGS).join(", ")}; any stands for each of them.`,
    );
  return ({ flags }) => flags.includes(flag);
}

/** Equal, where `*` stands for anything. */
function textTest(wanted: string, valuesOf: (entry: LogEntry) => readonly (string | undefined)[]): EntryTest {
  const parts = wanted.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`^${parts.join(".*")}$`, "s");
  return (entry) => valuesOf(entry).some((value) => value !== undefined && pattern.test(value));
}

/** Everything that the other side may be called: pod, workload and service with and without namespace, host, address, identity. */
function peerNames(entry: LogEntry): readonly (string | undefined)[] {
  const { authority, direction, peer, peerPod, peerPrincipal, remoteAddress, upstreamHost } = entry;
  const host = direction === "outbound" ? peer?.replace(/:\d+( \(.*\))?$/, "") : peer;
  const labels = host?.split(".") ?? [];
  const address = direction === "outbound" ? upstreamHost : remoteAddress;
  return [
    host,
    labels[0],
    labels.slice(0, 2).join("."),
    peerPod,
    peerPod?.split(".")[0],
    peerPrincipal,
    address,
    address?.replace(/:\d+$/, ""),
    direction === "outbound" ? authority : undefined,
  ];
}

function directionTest(wanted: string | undefined): EntryTest {
  return wanted === undefined ? () => true : ({ direction }) => direction === wanted;
}
