import type { Logger } from "../base/logger.ts";
import { revisionSuffix } from "../base/revision.ts";
import { MESH_CONFIG_KEY, MESH_CONFIG_MAP, meshConfigOf } from "../model/mesh-config.ts";
import type { KubeObject } from "../resources/object.ts";
import type { WorldChange } from "../resources/world.ts";

/**
 * Lets changes through, but a mesh configuration that cannot be read keeps the text of the last good one: defaults in its place
 * would change the trust domain and open what was closed, in every proxy at once. Of a ConfigMap that was never good there is
 * nothing to keep. `onUnreadable` is told each time.
 */
export function createLastGoodConfig(options: {
  readonly namespace: string;
  readonly revision: string;
  readonly onUnreadable: () => void;
  readonly log: Logger;
}): (changes: readonly WorldChange[]) => readonly WorldChange[] {
  const name = `${MESH_CONFIG_MAP}${revisionSuffix(options.revision)}`;
  let good: string | undefined;
  const isOurs = ({ kind, metadata }: KubeObject): boolean =>
    kind === "ConfigMap" && metadata.name === name && metadata.namespace === options.namespace;

  const check = (change: WorldChange): WorldChange => {
    if (!isOurs(change.object)) return change;
    const data = change.object["data"] as Readonly<Record<string, string>> | undefined;
    const text = change.type === "set" ? data?.[MESH_CONFIG_KEY] : undefined;
    const { error } = meshConfigOf(text ?? "", options.namespace);
    if (error === undefined) {
      good = text;
      return change;
    }
    options.onUnreadable();
    const what = good === undefined ? "the defaults stand in" : "the last good one stays";
    options.log.error(
      { configMap: `${options.namespace}/${name}`, error },
      `cannot read the mesh configuration: ${what}`,
    );
    if (good === undefined) return change;
    return { type: "set", object: { ...change.object, data: { ...data, [MESH_CONFIG_KEY]: good } } };
  };
  return (changes) => changes.map(check);
}
