import type { KubeObject } from "../resources/object.ts";
import { proxyImageName, type ProxyImageValues } from "./proxy-image.ts";

/** The hub of images that nobody named another one for. No registry serves them: they are built from this repository. */
export const OWN_HUB = "docker.io/meshctl";

/** An image that a mesh needs on its nodes. */
export interface NeededImage {
  readonly image: string;
  /** `Deployment istio-system/istiod`, `sidecars` */
  readonly usedBy: readonly string[];
}

/** The images that the objects of an installation run, and the one that pods get from it, by name. */
export function imagesOf(objects: readonly KubeObject[]): readonly NeededImage[] {
  const users = new Map<string, string[]>();
  const add = (image: string, user: string): void => {
    const known = users.get(image) ?? [];
    if (!known.includes(user)) users.set(image, [...known, user]);
  };
  const proxy = objects.map(proxyOf).find((image) => image !== undefined);
  for (const object of objects) {
    const user = `${object.kind} ${object.metadata.namespace ?? ""}/${object.metadata.name}`;
    for (const image of containerImages(object)) {
      // `auto` is filled in by injection
      if (image !== "auto") add(image, user);
      else if (proxy !== undefined) add(proxy, user);
    }
  }
  if (proxy !== undefined) add(proxy, "sidecars");
  return [...users].map(([image, usedBy]) => ({ image, usedBy })).sort((a, b) => (a.image < b.image ? -1 : 1));
}

function containerImages({ spec }: KubeObject): readonly string[] {
  const pod = (spec as { template?: { spec?: PodSpec } } | undefined)?.template?.spec;
  return [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])].flatMap(({ image }) => image ?? []);
}

interface PodSpec {
  readonly initContainers?: readonly { readonly image?: string }[];
  readonly containers?: readonly { readonly image?: string }[];
}

/** The proxy's image by the injector's ConfigMap. */
function proxyOf({ kind, data }: KubeObject): string | undefined {
  const values = kind === "ConfigMap" ? (data as { values?: string } | undefined)?.values : undefined;
  if (values === undefined) return undefined;
  const { global } = JSON.parse(values) as { global?: ProxyImageValues };
  return global?.proxy === undefined ? undefined : proxyImageName(global);
}

/** A node as far as its images count. */
export interface NodeStatus {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: { readonly images?: readonly { readonly names?: readonly string[] }[] };
}

/** A node of which it is known what images it has. */
export interface NodeImages {
  readonly node: string;
  readonly images: ReadonlySet<string>;
}

/** The kubelet names no more images than this, the largest first. */
const LISTED = 50;

/**
 * What the nodes that run pods have, by their own status. Nodes that list nothing, or so much that the list may be cut, are left
 * out: of them it is not known. A kubelet tells of a new image within 40 seconds.
 */
export function imagesOnNodes(nodes: readonly NodeStatus[]): readonly NodeImages[] {
  return nodes.flatMap(({ metadata, spec, status }) => {
    const images = status?.images ?? [];
    if (images.length === 0 || images.length >= LISTED || spec?.unschedulable === true) return [];
    return [{ node: metadata.name, images: new Set(images.flatMap(({ names = [] }) => names)) }];
  });
}

/** An image that no registry has and that a node lacks. */
export interface MissingImage {
  readonly image: string;
  /** Names of the nodes that lack it. */
  readonly without: readonly string[];
  readonly isNowhere: boolean;
}

/** What of a mesh's own images is missing where; undefined when no node tells what it has. */
export function missingImages(
  objects: readonly KubeObject[],
  nodes: readonly NodeStatus[],
): readonly MissingImage[] | undefined {
  const known = imagesOnNodes(nodes);
  if (known.length === 0) return undefined;
  const own = imagesOf(objects).filter(({ image }) => image.startsWith(`${OWN_HUB}/`));
  return own.flatMap(({ image }) => {
    const without = known.filter(({ images }) => !images.has(image)).map(({ node }) => node);
    return without.length === 0 ? [] : [{ image, without, isNowhere: without.length === known.length }];
  });
}

/** What to do about images that nodes lack: the two ways, as commands. */
export const HOW_TO_BRING_IMAGES =
  "run `meshctl images load BUNDLE` on each node, or `meshctl images push REGISTRY BUNDLE` and install with `--set hub=REGISTRY` (docs/guides/images.md)";
