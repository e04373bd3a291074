import { open } from "node:fs/promises";
import { EnvironmentError } from "../base/errors.ts";
import type { SourceText } from "../resources/manifests.ts";
import { decodeText } from "./decode-text.ts";
import type { Io } from "./io.ts";
import { countLines } from "../resources/yaml-documents.ts";
import { attempt, readInput, type SourceFile } from "./sources.ts";

/** Bytes that are taken from a file at a time; a block ends at the last `---` line among them. */
const READ = 128 * 1024;

/** Bytes of one document: a cluster takes 1.5 MB for an object, and a List is made of objects. */
const MOST = 64 * 1024 * 1024;

function tooLarge(file: string): EnvironmentError {
  const words = `${file} holds a document of more than ${MOST >> 20} MB`;
  return new EnvironmentError("too-large", words, {
    hint: "Put its objects in documents of their own, between --- lines.",
  });
}

/**
 * The text of a file in blocks of whole documents, so that memory holds a part of it at a time. A document larger than a block
 * makes its block larger. `line` counts the lines before the block. Throws EnvironmentError for what is no text.
 */
export async function* textBlocks(source: SourceFile, io: Pick<Io, "readStdin">): AsyncGenerator<Required<SourceText>> {
  const { file, path } = source;
  let line = 0;
  const chunks = path === undefined ? [Buffer.from(await readInput(io))] : pieces(path);
  let rest: Buffer[] = [];
  let held = 0;
  for await (const bytes of chunks) {
    const at = lastSeparator(bytes);
    if (at <= 0) {
      rest.push(bytes);
      held += bytes.length;
      if (held > MOST) throw tooLarge(file);
      continue;
    }
    const text = decodeText(Buffer.concat([...rest, bytes.subarray(0, at)]), file);
    rest = [bytes.subarray(at)];
    held = bytes.length - at;
    yield { file, text, line };
    line += countLines(text);
  }
  const text = decodeText(Buffer.concat(rest), file);
  if (text !== "") yield { file, text, line };
}

async function* pieces(path: string): AsyncGenerator<Buffer> {
  const handle = await attempt(path, () => open(path));
  try {
    for (;;) {
      const { bytesRead, buffer } = await attempt(path, () => handle.read(Buffer.allocUnsafeSlow(READ), 0, READ));
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

const LINE_END = 10;

/** Where the last line begins that holds `---` alone and is whole; -1 for none. */
function lastSeparator(bytes: Buffer): number {
  for (let at = bytes.length; at > 0; ) {
    at = bytes.lastIndexOf("\n---", at - 1);
    if (at === -1) return -1;
    const end = bytes.indexOf(LINE_END, at + 4);
    if (end !== -1 && /^[ \t]*(?:#.*)?\r?$/.test(bytes.toString("latin1", at + 4, end))) return at + 1;
  }
  return -1;
}
