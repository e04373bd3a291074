import type { KindTypes } from "../../resources/kinds.ts";
import type { Facts } from "../types.ts";

type EnvoyFilter = KindTypes["EnvoyFilter"];

/** The EnvoyFilters that hold for the facts' proxy, in the order in which they are applied. */
export function patchesOf({ model, proxy }: Pick<Facts, "model" | "proxy">): readonly EnvoyFilter[] {
  return model.envoyFilters.of(proxy).flatMap((id) => {
    const [namespace = "", name = ""] = id.replace(/:[\d,]*$/, "").split("/");
    return model.world.get("EnvoyFilter", namespace, name) ?? [];
  });
}

/** The last of them that writes a field, or names something: it is what Envoy has in the end. */
export function patchThatSays(
  facts: Pick<Facts, "model" | "proxy">,
  says: (texts: readonly string[]) => boolean,
): EnvoyFilter | undefined {
  return patchesOf(facts).findLast(({ spec }) => says(JSON.stringify(spec ?? {}).split('"')));
}
