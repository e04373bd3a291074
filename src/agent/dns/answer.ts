import { type Answers, RCODE, type Query, rcodeOf, readQuery, writeAnswers, writeCode } from "./message.ts";
import type { KnownName, Lookup } from "./names.ts";
import type { Transport } from "./upstream.ts";

export interface AnswerDeps {
  /** The names, once the first table has come; undefined when it does not come in time. */
  readonly lookup: () => Promise<Lookup | undefined>;
  readonly upstream: (query: Query, via: Transport) => Promise<Buffer | undefined>;
  /** A number from 0 to 1, not 1. */
  readonly random: () => number;
}

const MAX_TCP = 65_535;
/** No record of a type that a known name has none of. */
const NOTHING: Answers = { type: "A", addresses: [], alias: undefined };

/**
 * One message of a client in, what to send back out; undefined for what is no query. A name of the mesh is answered here, one
 * without addresses of the family asked for by an empty answer (an error would make clients give up the other family too). All
 * other names, and other types, are the upstream's to answer; there too a name of the mesh is never said not to exist.
 */
export async function answerQuery(deps: AnswerDeps, bytes: Buffer, via: Transport): Promise<Buffer | undefined> {
  const query = readQuery(bytes);
  if (query === undefined) return undefined;
  if (typeof query === "number") return writeCode(bytes, query);
  const lookup = await deps.lookup();
  if (lookup === undefined) return writeCode(bytes, RCODE.failed);
  return answerKnown(deps, query, lookup(query.name), via);
}

async function answerKnown(
  { upstream, random }: AnswerDeps,
  query: Query,
  known: KnownName | undefined,
  via: Transport,
): Promise<Buffer> {
  const limit = via === "udp" ? query.udpSize : MAX_TCP;
  if (known !== undefined && (query.type === "A" || query.type === "AAAA")) {
    const addresses = shuffled(query.type === "A" ? known.ipv4 : known.ipv6, random);
    return writeAnswers(query, { type: query.type, addresses, alias: known.alias }, limit);
  }
  const answer = await upstream(query, via);
  const exists = answer !== undefined && rcodeOf(answer) !== RCODE.unknownName;
  if (known !== undefined && !exists) return writeAnswers(query, NOTHING, limit);
  return answer ?? writeCode(query.bytes, RCODE.failed);
}

/** In random order, so that clients that take the first spread over all. */
function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const out = [...items];
  for (let index = out.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [out[index], out[other]] = [out[other] as T, out[index] as T];
  }
  return out;
}
