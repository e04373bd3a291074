/** What names of a revision's objects end in: nothing for the default one. */
export function revisionSuffix(revision: string): string {
  return revision === "default" || revision === "" ? "" : `-${revision}`;
}
