/** What the page uses of its browser; the rest of the DOM is left to preact. */
interface Browser {
  readonly document: { getElementById(id: string): object | null; title: string };
  readonly location: { hash: string };
  addEventListener(event: "hashchange", listener: () => void): void;
  removeEventListener(event: "hashchange", listener: () => void): void;
}

/** The browser that the page runs in. */
export const browser = globalThis as unknown as Browser;

/** What a question came to: data, or why there is none. */
export type Answer<T> = { readonly data: T } | { readonly error: string; readonly status: number };

/** JSON that the control plane, or the dashboard command before it, answers. Never rejects. */
export async function ask<T>(path: string): Promise<Answer<T>> {
  try {
    const response = await fetch(path, { headers: { accept: "application/json" }, credentials: "omit" });
    if (response.ok) return { data: (await response.json()) as T };
    return { error: (await response.text()).trim().slice(0, 200), status: response.status };
  } catch {
    return { error: "the control plane does not answer", status: 0 };
  }
}
