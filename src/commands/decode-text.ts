import { isUtf8 } from "node:buffer";
import { EnvironmentError } from "../base/errors.ts";

/**
 * The text of a file, which has to be UTF-8, as kubectl's are. `name` is what messages call the file. Throws EnvironmentError for
 * UTF-16 (editors of Windows write it), other encodings and binary files.
 */
export function decodeText(bytes: Buffer, name: string): string {
  const problem = problemOf(bytes);
  if (problem === undefined) return bytes.toString("utf8");
  throw new EnvironmentError("no-text", `${name} ${problem.words}`, { hint: problem.hint });
}

function problemOf(bytes: Buffer): { readonly words: string; readonly hint: string } | undefined {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return {
      words: "is UTF-16, expected UTF-8",
      hint: "Save it as UTF-8; editors call this the encoding of the file.",
    };
  if (bytes.includes(0))
    return {
      words: "is a binary file, expected YAML or JSON",
      hint: "Name text files only; packed ones must be unpacked.",
    };
  if (!isUtf8(bytes))
    return { words: "is not UTF-8", hint: "Save it as UTF-8; editors call this the encoding of the file." };
  return undefined;
}
