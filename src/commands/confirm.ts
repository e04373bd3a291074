import { UsageError } from "../base/errors.ts";
import type { Io } from "./io.ts";

/**
 * Whether the user agrees: by a flag, or by an answer. `doing` says what would happen, for the UsageError that is thrown when nobody
 * can be asked: "upgrade changes the cluster".
 */
export async function isAgreed(
  io: Io,
  {
    byFlag,
    doing,
    question = "Proceed?",
  }: { readonly byFlag: boolean; readonly doing: string; readonly question?: string },
): Promise<boolean> {
  if (byFlag) return true;
  if (io.ask === undefined) throw new UsageError(`${doing} and nobody can be asked`, "Pass -y to agree.");
  return /^y(es)?$/i.test((await io.ask(`${question} (y/N) `)).trim());
}
