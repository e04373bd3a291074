import type { Finding } from "../../diagnostics/finding.ts";
import { isClusterScoped } from "../../resources/files-world.ts";
import { documentReader, type SourcedObject, type SourceText, withNamespace } from "../../resources/manifests.ts";
import { validateObject } from "../../validation/index.ts";
import type { Io } from "../io.ts";

/** What the thread gets. */
export interface SharedRequest {
  readonly texts: readonly SourceText[];
  /** Of objects that name none. */
  readonly namespace: string;
  /** How many blocks were taken, by either side. */
  readonly taken: Int32Array;
}

/** What is wrong with objects of the blocks the thread took, by `keyOf`; what is not here is sound. */
export type SharedAnswer = ReadonlyMap<string, readonly Finding[]>;

/** What this side read: objects in the order of their documents, and how many documents there are. */
interface Read {
  readonly objects: readonly SourcedObject[];
  readonly documents: number;
}

/** Documents that are taken at once. */
const BLOCK = 64;

/** Characters from which a second thread is worth its start (a tenth of a second of work). */
const WORTH = 1_000_000;

/**
 * Begins to validate in a second thread, while this one still reads: the thread takes blocks of documents from the back, the
 * returned function from the front, until they meet. The thread reads its documents itself: handing objects over would cost
 * what reading them costs. Undefined where it is not worth it or there is no thread; one that fails leaves all to this side.
 */
export function shareValidation(
  texts: readonly SourceText[],
  namespace: string,
  io: Pick<Io, "thread">,
): ((read: Read) => Promise<readonly (readonly Finding[])[]>) | undefined {
  const size = texts.reduce((sum, { text }) => sum + text.length, 0);
  if (size < WORTH || io.thread === undefined) return undefined;
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const request: SharedRequest = { texts, namespace, taken };
  const answer = io.thread("validation-worker", request).then(
    (told) => told as SharedAnswer,
    () => undefined,
  );
  return (read) => validateFromFront(read, taken, answer);
}

async function validateFromFront(
  { objects, documents }: Read,
  taken: Int32Array,
  answer: Promise<SharedAnswer | undefined>,
): Promise<readonly (readonly Finding[])[]> {
  const blocks = Math.ceil(documents / BLOCK);
  const alone: (readonly Finding[])[] = [];
  let own = 0;
  for (const { object, nth } of objects) {
    // what is of no document is this side's in any case
    while (own * BLOCK <= nth && own < blocks && take(taken, blocks)) own += 1;
    if (nth >= own * BLOCK && own < blocks) break;
    alone.push(validateObject(object));
  }
  const told = alone.length === objects.length ? undefined : await answer;
  for (const sourced of objects.slice(alone.length))
    alone.push(
      told === undefined || sourced.nth >= documents
        ? validateObject(sourced.object)
        : (told.get(keyOf(sourced)) ?? NONE),
    );
  return alone;
}

const NONE: readonly Finding[] = [];

/** The thread's side: validates blocks from the last one on, while there are any that nobody took. */
export function validateFromBack({ texts, namespace, taken }: SharedRequest): SharedAnswer {
  const { count, read } = documentReader(texts);
  const blocks = Math.ceil(count / BLOCK);
  const told = new Map<string, readonly Finding[]>();
  for (let block = blocks - 1; block >= 0 && take(taken, blocks); block -= 1) {
    for (const sourced of read(block * BLOCK, (block + 1) * BLOCK)) {
      const { object } = sourced;
      const findings = validateObject(isClusterScoped(object) ? object : withNamespace(object, namespace));
      if (findings.length > 0) told.set(keyOf(sourced), findings);
    }
  }
  return told;
}

/** Takes one more block, unless all are taken. */
function take(taken: Int32Array, blocks: number): boolean {
  return Atomics.add(taken, 0, 1) < blocks;
}

/** An object's document, and its place in it when it is a member of a List. */
function keyOf({ nth, place }: SourcedObject): string {
  return [nth, ...place().path].join("/");
}
