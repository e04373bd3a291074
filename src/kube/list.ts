import type { KindRef, ListOptions } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import type { ApiClient } from "./http.ts";
import { query, type ResourceInfo, resourcePath } from "./paths.ts";

const PAGE = 500;

/** All objects of a kind and the version of the collection they were read at. */
export interface Listed {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
}

/** Reads a collection in pages of 500; a continue token that expired half way starts over without pages. */
export async function listAll(
  client: ApiClient,
  info: ResourceInfo,
  kind: KindRef,
  options: ListOptions & { readonly signal?: AbortSignal },
): Promise<Listed> {
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const page = async (limit: number | undefined, token: string | undefined): Promise<Record<string, unknown>> => {
    const { labelSelector, fieldSelector } = options;
    const path =
      resourcePath(info, options.namespace) + query({ labelSelector, fieldSelector, limit, continue: token });
    return (await client.json({ method: "GET", path, ...signal })) ?? {};
  };
  const items: KubeObject[] = [];
  let token: string | undefined;
  for (;;) {
    let answer: Record<string, unknown>;
    try {
      answer = await page(PAGE, token);
    } catch (error) {
      if (token === undefined || (error as { code?: string }).code !== "gone") throw error;
      items.length = 0;
      answer = await page(undefined, undefined);
    }
    for (const item of (answer["items"] ?? []) as KubeObject[]) items.push(typed(item, kind));
    const metadata = (answer["metadata"] ?? {}) as { continue?: string; resourceVersion?: string };
    token = metadata.continue;
    if (token === undefined || token === "") return { items, resourceVersion: metadata.resourceVersion ?? "" };
  }
}

/** List items come without their kind: put it back, so that an object is the same from get, list and watch. */
function typed(item: KubeObject, kind: KindRef): KubeObject {
  return { ...item, apiVersion: kind.apiVersion, kind: kind.kind };
}
