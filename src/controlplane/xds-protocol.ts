import { createHash } from "node:crypto";
import type { DeltaRequest, SotwRequest } from "../grpc/ads-server.ts";
import { encodedAny, encodeMessage, type Messages } from "../wire/codec.ts";
import { spliceResponse } from "../wire/splice.ts";
import { TYPE_URLS, type XdsKind } from "../xds/types.ts";
import { KINDS, type ResourceTable } from "./resource-table.ts";
import type { Sent, Subscription, SubscriptionRequest } from "./subscription.ts";

/** What a request of either protocol says. */
export interface ReadRequest {
  readonly typeUrl: string;
  readonly node: Messages["envoy.config.core.v3.Node"] | undefined;
  /** The change to the subscription; `undefined` for a request that answers an older response and is passed over. */
  change(sub: Subscription | undefined, lastNonce: string | undefined): SubscriptionRequest | undefined;
}

/** The two ways to speak xDS. */
export interface XdsProtocol<Request> {
  readonly name: "delta" | "sotw";
  read(request: Request): ReadRequest;
  /** What really goes over the wire for a plan: state of the world sends the whole of a wildcard type. */
  widen(sub: Subscription, sent: Sent, table: ResourceTable): Sent;
  write(response: Response): Uint8Array;
}

export interface Response {
  readonly kind: XdsKind;
  readonly nonce: string;
  readonly sent: Sent;
  /** Whose words these are; Envoy shows it in its statistics. */
  readonly controlPlane: string;
}

const kindByUrl: ReadonlyMap<string, XdsKind> = new Map(KINDS.map((kind) => [TYPE_URLS[kind], kind]));

/** Our name of a type URL; undefined for a type we do not serve. */
export function kindOfUrl(typeUrl: string): XdsKind | undefined {
  return kindByUrl.get(typeUrl);
}

function errorOf(detail: { readonly message?: string } | undefined): string | undefined {
  return detail === undefined ? undefined : (detail.message ?? "refused without a reason");
}

/** Incremental xDS: differences in both directions. */
export const deltaProtocol: XdsProtocol<DeltaRequest> = {
  name: "delta",
  read: (request) => ({
    typeUrl: request.type_url ?? "",
    node: request.node,
    change: () => ({
      subscribe: request.resource_names_subscribe ?? [],
      unsubscribe: request.resource_names_unsubscribe ?? [],
      initialVersions: request.initial_resource_versions ?? {},
      nonce: request.response_nonce ?? "",
      error: errorOf(request.error_detail),
    }),
  }),
  widen: (_sub, sent) => sent,
  write({ kind, nonce, sent, controlPlane }) {
    return spliceResponse({ typeUrl: TYPE_URLS[kind], nonce, removed: sent.removed, controlPlane }, sent.set);
  },
};

/** State of the world: each request names everything wanted, each response of a wildcard type holds everything. */
export const sotwProtocol: XdsProtocol<SotwRequest> = {
  name: "sotw",
  read: (request) => ({
    typeUrl: request.type_url ?? "",
    node: request.node,
    change(sub, lastNonce) {
      const nonce = request.response_nonce ?? "";
      if (nonce !== "" && lastNonce !== undefined && nonce !== lastNonce) return undefined;
      const names = request.resource_names ?? [];
      const wanted = new Set(names);
      return {
        subscribe: sub === undefined ? names : names.filter((name) => !sub.names.has(name)),
        unsubscribe: sub === undefined ? [] : [...sub.names].filter((name) => !wanted.has(name)),
        initialVersions: {},
        nonce,
        error: errorOf(request.error_detail),
      };
    },
  }),
  widen: (sub, sent, table) => (sub.wildcard ? { set: [...table.values()], removed: sent.removed } : sent),
  write({ kind, nonce, sent, controlPlane }) {
    const typeUrl = TYPE_URLS[kind];
    return encodeMessage("envoy.service.discovery.v3.DiscoveryResponse", {
      type_url: typeUrl,
      nonce,
      version_info: hashOf(sent.set.map(({ name, version }) => [name, version])),
      resources: sent.set.map(({ bytes }) => encodedAny(typeUrl, bytes)),
      control_plane: { identifier: controlPlane },
    });
  },
};

/** One hash over names and versions, whatever their order. */
export function hashOf(versions: Iterable<readonly [string, string]>): string {
  const hash = createHash("sha256");
  for (const [name, version] of [...versions].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
    hash.update(`${name}\n${version}\n`);
  return hash.digest("hex").slice(0, 16);
}
