import { type Answer, decode, encode, type Packet } from "dns-packet";

/** Response codes of RFC 1035. */
export const RCODE = { ok: 0, malformed: 1, failed: 2, unknownName: 3, notImplemented: 4 } as const;
export type Rcode = (typeof RCODE)[keyof typeof RCODE];

/** A query as far as answers depend on it. */
export interface Query {
  readonly bytes: Buffer;
  readonly id: number;
  /** Lower case, without the last dot. */
  readonly name: string;
  /** As RFC 1035 names types: A, AAAA, SRV; `UNKNOWN_65` for those without a name. */
  readonly type: string;
  /** Where the question ends. */
  readonly end: number;
  /** What the client takes over UDP: 512 unless it says more. */
  readonly udpSize: number;
  /** The client speaks EDNS, and so must the answer. */
  readonly edns: boolean;
}

/** One record: an address, or the alias that stands before the addresses. */
export interface Answers {
  readonly type: "A" | "AAAA";
  readonly addresses: readonly string[];
  /** The name that the addresses belong to, when it is not the one asked for. */
  readonly alias: string | undefined;
}

/** Seconds that clients may keep an answer: short, because addresses of pods change. */
const TTL = 30;
const HEADER = 12;
const MIN_UDP = 512;
/** What we let an answer over UDP grow to, whatever the client takes: larger ones are cut and come over TCP. */
const MAX_UDP = 4096;
const FLAG = {
  response: 0x8000,
  operation: 0x7800,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
} as const;

/** Reads a query; a code is what to refuse it with, undefined that it is not to be answered at all. */
export function readQuery(bytes: Buffer): Query | Rcode | undefined {
  if (bytes.length < HEADER || (bytes.readUInt16BE(2) & FLAG.response) !== 0) return undefined;
  if ((bytes.readUInt16BE(2) & FLAG.operation) !== 0) return RCODE.notImplemented;
  const end = bytes.readUInt16BE(4) === 1 ? questionEnd(bytes) : undefined;
  const packet = end === undefined ? {} : decoded(bytes);
  const question = packet.questions?.[0];
  if (question === undefined || end === undefined) return RCODE.malformed;
  if (question.class !== "IN") return RCODE.notImplemented;
  return {
    bytes,
    id: bytes.readUInt16BE(0),
    name: question.name.toLowerCase().replace(/\.$/, ""),
    type: question.type,
    end,
    ...ednsOf(packet.additionals),
  };
}

function ednsOf(additionals: readonly Answer[] = []): Pick<Query, "udpSize" | "edns"> {
  for (const record of additionals) {
    if (record.type !== "OPT") continue;
    return { edns: true, udpSize: Math.min(MAX_UDP, Math.max(MIN_UDP, record.udpPayloadSize)) };
  }
  return { edns: false, udpSize: MIN_UDP };
}

/** Empty for bytes that cannot be read. */
function decoded(bytes: Buffer): Packet {
  try {
    return decode(bytes);
  } catch {
    return {};
  }
}

/** The query back with a code and no records. */
export function writeCode(bytes: Buffer, rcode: Rcode): Buffer {
  const end = bytes.length >= HEADER && bytes.readUInt16BE(4) === 1 ? (questionEnd(bytes) ?? HEADER) : HEADER;
  const out = Buffer.from(bytes.subarray(0, end));
  writeHeader(out, rcode, { questions: end > HEADER ? 1 : 0, answers: 0, additionals: 0 });
  return out;
}

/** The answer of who knows the name; `limit` is what fits: what does not is left out, and the answer marked as cut. */
export function writeAnswers(query: Query, { type, addresses, alias }: Answers, limit: number): Buffer {
  const question = query.bytes.subarray(0, query.end);
  const opt = query.edns ? [optRecord()] : [];
  const records: Buffer[] = [];
  let size = query.end + opt.reduce((sum, record) => sum + record.length, 0);
  let owner = HEADER;
  const add = (record: Buffer): boolean => {
    if (size + record.length > limit) return false;
    records.push(record);
    size += record.length;
    return true;
  };
  let isWhole = true;
  if (alias !== undefined && addresses.length > 0) {
    const record = pointed(HEADER, { type: "CNAME", name: ".", ttl: TTL, data: alias });
    // Its data, the meant name, starts behind pointer, type, class, ttl and length.
    owner = query.end + 12;
    isWhole = add(record);
  }
  for (const data of addresses) isWhole &&= add(pointed(owner, { type, name: ".", ttl: TTL, data }));
  const out = Buffer.concat([question, ...records, ...opt]);
  writeHeader(out, RCODE.ok, { questions: 1, answers: records.length, additionals: opt.length });
  out.writeUInt16BE(out.readUInt16BE(2) | FLAG.authoritative | (isWhole ? 0 : FLAG.truncated), 2);
  return out;
}

/** The code in a response. */
export function rcodeOf(response: Buffer): number {
  return response.readUInt16BE(2) & 0xf;
}

/** Whether bytes are the response to this query: same id, same question. */
export function isResponseTo(query: Query, id: number, response: Buffer): boolean {
  if (response.length < HEADER || response.readUInt16BE(0) !== id) return false;
  if ((response.readUInt16BE(2) & FLAG.response) === 0) return false;
  // A server that refuses may leave the question out.
  if (response.readUInt16BE(4) === 0) return rcodeOf(response) !== RCODE.ok;
  const asked = query.bytes.subarray(HEADER, query.end).toString("latin1").toLowerCase();
  return response.subarray(HEADER, query.end).toString("latin1").toLowerCase() === asked;
}

/** The same message under another id. */
export function withId(message: Buffer, id: number): Buffer {
  const out = Buffer.from(message);
  out.writeUInt16BE(id, 0);
  return out;
}

function writeHeader(
  out: Buffer,
  rcode: Rcode,
  counts: { readonly questions: number; readonly answers: number; readonly additionals: number },
): void {
  const asked = out.readUInt16BE(2) & (FLAG.operation | FLAG.recursionDesired);
  out.writeUInt16BE(FLAG.response | FLAG.recursionAvailable | asked | rcode, 2);
  out.writeUInt16BE(counts.questions, 4);
  out.writeUInt16BE(counts.answers, 6);
  out.writeUInt16BE(0, 8);
  out.writeUInt16BE(counts.additionals, 10);
}

/** A record whose owner is a name that stands at an offset already: the library writes names in full each time. */
function pointed(offset: number, record: Answer): Buffer {
  const whole = encode({ type: "response", answers: [record] }).subarray(HEADER);
  const pointer = Buffer.alloc(2);
  pointer.writeUInt16BE(0xc000 | offset);
  return Buffer.concat([pointer, whole.subarray(1)]);
}

function optRecord(): Buffer {
  const opt: Answer = {
    type: "OPT",
    name: ".",
    udpPayloadSize: MAX_UDP,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  return encode({ type: "response", additionals: [opt] }).subarray(HEADER);
}

/** Where the only question ends; undefined when it does not, or points elsewhere, which a question has no reason to. */
function questionEnd(bytes: Buffer): number | undefined {
  let at = HEADER;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > 63) return undefined;
    at += 1 + length;
    if (length === 0) break;
  }
  return at + 4 <= bytes.length ? at + 4 : undefined;
}
