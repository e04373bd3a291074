import { TOLD_TRUST } from "../base/agent-sds.ts";
import type { TypedAny } from "../wire/codec.ts";
import { type FollowDeps, followResources } from "./delta-follow.ts";

const SECRET_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

/** Whether this is a workload outside of a cluster, where no ConfigMap is mounted: by what it says of itself, as meshd reads it. */
export function isOutside(metadata: Readonly<Record<string, unknown>>): boolean {
  return [metadata["AUTO_REGISTER_GROUP"], metadata["WORKLOAD_ENTRY"]].some(
    (name) => typeof name === "string" && name !== "",
  );
}

/** Follows what the control plane tells a workload outside to trust, as `Trust.told` takes it. Returns how to end it. */
export function followTrust(
  deps: Pick<FollowDeps, "config" | "certificate" | "log"> & { readonly onTold: (text: string) => void },
): () => void {
  const { onTold, ...more } = deps;
  if (!isOutside(deps.config.metadata)) return () => undefined;
  return followResources({
    ...more,
    typeUrl: SECRET_TYPE,
    names: [TOLD_TRUST],
    what: "what is to be trusted",
    onResource: (_name, resource) => onTold(textOf(resource)),
    // what was told last goes on counting
    onRemoved: () => undefined,
  });
}

/** Of another control plane the Secret may have another form. */
function textOf(resource: TypedAny): string {
  const { generic_secret: told } = resource as { readonly generic_secret?: { secret?: { inline_string?: string } } };
  return told?.secret?.inline_string ?? "";
}
