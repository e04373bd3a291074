import { open } from "node:fs/promises";
import { ImageError } from "./oci.ts";

const BLOCK = 512;

/** Where a file lies inside an archive. */
interface Place {
  readonly offset: number;
  readonly size: number;
}

/**
 * The regular files of an uncompressed tar archive, by name without a leading `./`. Reads headers only, so an archive of any size
 * takes milliseconds. Names as GNU tar and pax write long ones. Throws ImageError when it is no such archive.
 */
export async function readTarIndex(path: string): Promise<ReadonlyMap<string, Place>> {
  const file = await open(path);
  try {
    const { size: length } = await file.stat();
    const places = new Map<string, Place>();
    const header = Buffer.alloc(BLOCK);
    let next: { path?: string } = {};
    for (let at = 0; at + BLOCK <= length; ) {
      await file.read(header, 0, BLOCK, at);
      if (header.every((byte) => byte === 0)) break;
      const size = checkedSize(header, path, at === 0);
      const type = String.fromCharCode(header[156] ?? 0);
      const offset = at + BLOCK;
      if (offset + size > length) throw damaged(path, "it ends in the middle of a file");
      if (type === "L" || type === "x") next = readLongName(await file.read(Buffer.alloc(size), 0, size, offset), type);
      else {
        const name = next.path ?? headerName(header);
        if (type === "0" || type === "\0") places.set(name.replace(/^\.\//, ""), { offset, size });
        next = {};
      }
      at = offset + Math.ceil(size / BLOCK) * BLOCK;
    }
    return places;
  } finally {
    await file.close();
  }
}

function readLongName({ buffer }: { readonly buffer: Buffer }, type: string): { path?: string } {
  const text = buffer.toString("utf8");
  if (type === "L") return { path: text.replace(/\0.*$/s, "") };
  const path = /^\d+ path=(.*)$/m.exec(text)?.[1];
  return path === undefined ? {} : { path };
}

function headerName(header: Buffer): string {
  const field = (from: number, to: number): string => header.toString("utf8", from, to).replace(/\0.*$/s, "");
  const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? field(345, 500) : "";
  return prefix === "" ? field(0, 100) : `${prefix}/${field(0, 100)}`;
}

/** The size that a header states; its checksum tells whether it is a header at all. */
function checkedSize(header: Buffer, path: string, isFirst: boolean): number {
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  const stated = Number.parseInt(header.toString("latin1", 148, 156), 8);
  if (sum !== stated && isFirst && header[0] === 0x1f && header[1] === 0x8b)
    throw damaged(path, "it is compressed", "unpack it first: gunzip FILE");
  if (sum !== stated) throw damaged(path, "expected a tar archive");
  // beyond 8 GiB GNU tar writes the number in binary
  if (((header[124] ?? 0) & 0x80) !== 0) return Number(header.readBigUInt64BE(128));
  return Number.parseInt(header.toString("latin1", 124, 136).trim(), 8);
}

function damaged(path: string, words: string, hint = "copy or build the archive again"): ImageError {
  return new ImageError("image-archive", `${path}: ${words}`, { hint });
}

/** Header of a regular file, and the padding after it: fixed time and owner, so equal content gives equal archives. */
export function tarHeader(path: string, size: number): Buffer {
  const { prefix, name } = splitPath(path);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, width: number): void =>
    void header.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
  header.write(name, 0, "utf8");
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  header.write("        ", 148, "latin1");
  header.write("0", 156, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  header.write(prefix, 345, "utf8");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** A path in the two fields of a ustar header: at most 155 and 100 bytes, parted at a slash. */
function splitPath(path: string): { readonly prefix: string; readonly name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: "", name: path };
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { prefix, name };
  }
  throw new Error(`a name of at most 100 bytes behind a path of at most 155 is expected, got ${path}`);
}

/** What fills a file up to the next header. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** The end of an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

/** The first regular file of an uncompressed archive in memory whose name fits; undefined when there is none, or no archive. */
export function fileInTar(archive: Uint8Array, fits: (name: string) => boolean): Uint8Array | undefined {
  for (const { name, bytes } of filesInTar(archive)) if (fits(name)) return bytes;
  return undefined;
}

/** The regular files of an uncompressed archive in memory, in order; ends where it is no archive any more. Names of at most 255 bytes. */
export function* filesInTar(archive: Uint8Array): Generator<{ readonly name: string; readonly bytes: Buffer }> {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    const size = Number.parseInt(header.toString("latin1", 124, 136).trim(), 8);
    if (!Number.isSafeInteger(size)) return;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === "0" || type === "\0")
      yield { name: headerName(header), bytes: bytes.subarray(at + BLOCK, at + BLOCK + size) };
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
