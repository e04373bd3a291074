import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGzip, gunzip } from "node:zlib";
import { EnvironmentError, errorText } from "../base/errors.ts";
import { filesInTar, TAR_END, tarHeader, tarPadding } from "../images/tar.ts";

/** Files of a bundle, by their paths in it. */
export type BundleFiles = ReadonlyMap<string, Buffer>;

/** Most a bundle may unpack to, in bytes: one that comes from outside must not take all memory. */
const MOST = 2_000_000_000;

/** Writes a compressed tar archive, files in the order given. */
export async function writeArchive(path: string, files: BundleFiles): Promise<void> {
  const parts = function* (): Generator<Buffer> {
    for (const [name, bytes] of files) {
      yield tarHeader(name, bytes.length);
      yield bytes;
      yield tarPadding(bytes.length);
    }
    yield TAR_END;
  };
  await pipeline(Readable.from(parts()), createGzip(), createWriteStream(path));
}

/** Reads one; `name` is what messages call it. Throws EnvironmentError. */
export async function readArchive(path: string, name: string): Promise<BundleFiles> {
  const packed = await readFile(path).catch((error: unknown) => {
    throw new EnvironmentError("unreadable-file", `${name} cannot be read: ${errorText(error)}`);
  });
  const hint = "Name a file that meshctl bug-report wrote.";
  const bytes = await promisify(gunzip)(packed, { maxOutputLength: MOST }).catch((error: unknown) => {
    throw new EnvironmentError("bad-bundle", `${name} is no bundle: ${errorText(error)}`, { hint });
  });
  return new Map([...filesInTar(bytes)].map((file) => [file.name, file.bytes]));
}

/** A path of a bundle's file: its parts as they may stand in a path, each short enough for an archive. */
export function filePath(...parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll(/[^A-Za-z0-9._-]+/g, "_").slice(0, 80)).join("/");
}
