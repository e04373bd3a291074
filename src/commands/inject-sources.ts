import { EnvironmentError, errorText } from "../base/errors.ts";
import type { SourceText } from "../resources/manifests.ts";
import type { Io } from "./io.ts";
import { readSources } from "./sources.ts";

const FETCH_TIMEOUT_MS = 30_000;

/** Whether a name is the address of a manifest. */
export function isUrl(name: string): boolean {
  return /^https?:\/\//i.test(name);
}

/** The texts behind names: what readSources takes, and addresses. In the order given. Throws EnvironmentError. */
export async function readNamed(names: readonly string[], io: Io): Promise<readonly SourceText[]> {
  const sources: SourceText[] = [];
  for (const name of names) {
    if (isUrl(name)) sources.push({ file: name, text: await fetchText(name, io.signal) });
    else for (const source of await readSources([name], io)) sources.push(source);
  }
  const seen = new Set<string>();
  return sources.filter(({ file }) => !seen.has(file) && seen.add(file));
}

async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const fail = (words: string): EnvironmentError =>
    new EnvironmentError("unreadable-url", `${url} cannot be read: ${words}`, {
      hint: "Check the address, or fetch it yourself and name the file.",
    });
  try {
    const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]) });
    if (answer.ok) return await answer.text();
    throw fail(`the server answered ${answer.status} ${answer.statusText}`.trim());
  } catch (error) {
    if (error instanceof EnvironmentError || signal.aborted) throw error;
    throw fail(errorText((error as Error).cause ?? error));
  }
}
