import { expect, test } from "vitest";
import { ClusterError } from "../../src/base/errors.ts";
import { createWatches } from "../../src/controlplane/watch.ts";
import type { ClusterReader, WatchEvent } from "../../src/resources/cluster.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { recordingLogger } from "../support/controlplane/recorder.ts";
import { waitFor } from "../support/wait.ts";

const service: KubeObject = { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "shop" } };

/** A cluster in which Gateways of Gateway API may not be listed. */
function guarded() {
  const asked: string[] = [];
  const watch = async (
    ref: { kind: string },
    _: unknown,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ) => {
    asked.push(ref.kind);
    if (ref.kind === "Gateway") throw new ClusterError("forbidden", "may not list gateways");
    if (ref.kind === "Service") onEvent({ type: "ADDED", object: service });
    onEvent({ type: "SYNCED" });
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  };
  return { cluster: { watch } as unknown as ClusterReader, asked };
}

test("a kind that may not be seen holds up nobody when it is optional, and is waited for when it is not", async () => {
  for (const optional of [true, false]) {
    const { cluster, asked } = guarded();
    const log = recordingLogger();
    const applied: string[] = [];
    let synced = 0;
    const watches = createWatches({
      cluster,
      watched: [{ kind: "Service" }, { kind: "KubernetesGateway", optional }],
      apply: (changes) => applied.push(...changes.map(({ object }) => object.metadata.name)),
      onSynced: () => {
        synced += 1;
      },
      log,
    });
    await watches.start();
    await waitFor(() => asked.includes("Gateway") && log.lines.length > 0, { what: "the refusal to be told" });
    expect(synced).toBe(optional ? 1 : 0);
    expect(log.lines.map(({ message }) => message)).toEqual([
      optional ? "may not be listed: it counts as none" : "cannot list; trying again",
    ]);
    await waitFor(() => applied.includes("web"), { what: "what may be seen" });
    await watches.close();
  }
});
