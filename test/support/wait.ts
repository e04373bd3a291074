/**
 * Asks again every few milliseconds until `probe` gives something other than undefined, null or false, and returns that. A probe that throws
 * counts as not yet; its last error is in the message when time is over.
 */
export async function waitFor<T>(
  probe: () => T | Promise<T>,
  options: { readonly timeoutMs?: number; readonly what: string },
): Promise<NonNullable<T>> {
  const until = Date.now() + (options.timeoutMs ?? 10_000);
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > until)
      throw new Error(`waited ${options.timeoutMs ?? 10_000} ms for ${options.what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
