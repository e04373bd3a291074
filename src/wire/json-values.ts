// The JSON spellings of values that are not plain objects: durations, timestamps, 64-bit numbers, bytes. Pure functions.

/** Seconds and nanoseconds of a `google.protobuf.Duration` in JSON form ("1.5s"); undefined when it is not one. */
export function parseDuration(text: string): { seconds: number; nanos: number } | undefined {
  const match = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(text);
  if (match === null) return undefined;
  const sign = match[1] === "-" ? -1 : 1;
  const seconds = sign * Number(match[2]);
  const nanos = sign * Number((match[3] ?? "").padEnd(9, "0"));
  return { seconds: seconds === 0 ? 0 : seconds, nanos: nanos === 0 ? 0 : nanos };
}

/** The JSON form of a duration, with no, 3, 6 or 9 decimals as the proto JSON rules say. */
export function formatDuration(seconds: number, nanos: number): string {
  const sign = seconds < 0 || nanos < 0 ? "-" : "";
  return `${sign}${Math.abs(seconds)}${fraction(Math.abs(nanos))}s`;
}

/** Seconds since 1970 and nanoseconds of an RFC 3339 time; undefined when it is not one. */
export function parseTimestamp(text: string): { seconds: number; nanos: number } | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return undefined;
  const ms = Date.parse(`${match[1] ?? ""}${match[3] ?? ""}`);
  if (Number.isNaN(ms)) return undefined;
  return { seconds: Math.floor(ms / 1000), nanos: Number((match[2] ?? "").padEnd(9, "0")) };
}

/** The RFC 3339 form of a time. */
export function formatTimestamp(seconds: number, nanos: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction(nanos)}Z`;
}

function fraction(nanos: number): string {
  if (nanos === 0) return "";
  const digits = String(nanos).padStart(9, "0");
  if (digits.endsWith("000000")) return `.${digits.slice(0, 3)}`;
  return digits.endsWith("000") ? `.${digits.slice(0, 6)}` : `.${digits}`;
}

/** A 64-bit integer as the two halves that protobufjs writes; undefined when the text is not one that fits. */
export function parseInt64(value: number | string, unsigned: boolean): { low: number; high: number } | undefined {
  if (typeof value === "number" ? !Number.isSafeInteger(value) : !/^-?\d{1,20}$/.test(value)) return undefined;
  const big = BigInt(value);
  if (BigInt.asIntN(64, big) !== big && !unsigned) return undefined;
  if (BigInt.asUintN(64, big) !== big && unsigned) return undefined;
  const bits = BigInt.asUintN(64, big);
  return { low: Number(bits & 0xffffffffn) | 0, high: Number(bits >> 32n) | 0 };
}

/** A number where it is exact, else decimal text. Takes what protobufjs reads: a number, or the two halves. */
export function formatInt64(value: unknown, unsigned: boolean): number | string {
  if (typeof value === "number") return value;
  const { low, high } = value as { low: number; high: number };
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  const big = unsigned ? bits : BigInt.asIntN(64, bits);
  const number = Number(big);
  return Number.isSafeInteger(number) ? number : big.toString();
}

/** Bytes of base64 text, plain or URL-safe; undefined when it holds other characters. */
export function parseBase64(text: string): Uint8Array | undefined {
  return /^[A-Za-z0-9+/_-]*={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
}

/** Base64 of bytes, as the JSON form prints them. */
export function formatBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  sint32: [-(2 ** 31), 2 ** 31 - 1],
  sfixed32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  fixed32: [0, 2 ** 32 - 1],
};

/** Is this an integer that the 32-bit type holds. */
export function fits32(value: unknown, type: string): value is number {
  const range = RANGES[type];
  return range !== undefined && Number.isInteger(value) && Number(value) >= range[0] && Number(value) <= range[1];
}
