import { delay } from "../base/delay.ts";
import { HOW_TO_BRING_IMAGES, missingImages, type NodeStatus } from "../model/mesh-images.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import type { Io } from "./io.ts";

/** A kubelet keeps its list of images for 30 s and reports every 10 s. */
const NODES_TELL_WITHIN_MS = 45_000;
const PAUSE_MS = 1_000;

/**
 * Gives nodes the time to tell of images that were loaded just now: says at once what is missing and how to bring it, and returns as
 * soon as it is there or when no node can be late any more. The check `images-on-nodes` decides.
 */
export async function letImagesAppear(
  cluster: Cluster,
  rendered: readonly KubeObject[],
  io: Pick<Io, "err" | "signal">,
  limitMs: number = NODES_TELL_WITHIN_MS,
): Promise<void> {
  const end = Date.now() + limitMs;
  for (let isFirst = true; !io.signal.aborted; isFirst = false) {
    const nodes = await cluster.list({ apiVersion: "v1", kind: "Node" });
    const missing = (missingImages(rendered, nodes as readonly NodeStatus[]) ?? []).filter(
      ({ isNowhere }) => isNowhere,
    );
    if (missing.length === 0 || Date.now() >= end) return;
    const names = missing.map(({ image }) => image).join(", ");
    if (isFirst)
      io.err(
        `No node has ${names}: ${HOW_TO_BRING_IMAGES}.\nWaiting ${limitMs / 1000} s: nodes tell of new images late.\n`,
      );
    await delay(Math.min(PAUSE_MS, limitMs), io.signal);
  }
}
