import { errorText } from "../base/errors.ts";
import type { XdsConnection, XdsHandler } from "../grpc/ads-server.ts";
import type { Refusal } from "../grpc/server.ts";
import type { XdsKind } from "../xds/types.ts";
import type { Caller } from "./caller.ts";
import { type NodeClaim, readNode } from "./node.ts";
import { KINDS, type Snapshot } from "./resource-table.ts";
import type { Subscription } from "./subscription.ts";
import { STREAM_TIMES, type StreamDeps } from "./xds-deps.ts";
import { kindOfUrl, type ReadRequest, type XdsProtocol } from "./xds-protocol.ts";
import { createSender } from "./xds-sender.ts";
import { type ProxyStatus, typeStatus } from "./xds-status.ts";

/** One served proxy. */
export interface XdsStream {
  readonly proxy: string;
  readonly claim: NodeClaim;
  readonly caller: Caller;
  readonly connectedAt: number;
  readonly address: string;
  status(): ProxyStatus;
  /** What it is to run now. */
  snapshot(): Snapshot | undefined;
  subscription(kind: XdsKind): Subscription | undefined;
  end(): void;
}

/** Types that few proxies have: only shown of those that asked. */
const ON_REQUEST: readonly XdsKind[] = ["extension", "secret", "nametable"];
/** What agents ask on streams of their own. */
const OF_AGENTS: readonly XdsKind[] = ["nametable", "extension"];
/** A word of the agent about its application, never answered; its `error_detail` says what is wrong. */
const HEALTH_TYPE = "type.googleapis.com/istio.v1.HealthInformation";

/** Requests that may wait for authentication: an honest Envoy sends one for each type. */
const MAX_WAITING = 64;

/**
 * Serves one stream: authentication, then the subscriptions of src/controlplane/subscription.ts in the order of push-plan.ts,
 * one response in the transport at a time: whatever changes meanwhile is in the next one (latest wins).
 */
export function serveStream<Request>(
  deps: StreamDeps,
  protocol: XdsProtocol<Request>,
  connection: XdsConnection,
  streams: Set<XdsStream>,
): XdsHandler<Request> {
  const waiting: ReadRequest[] = [];
  let phase: "new" | "admitting" | "open" | "closed" = "new";
  let session: Session | undefined;
  /** `reason` is for our own log where it says more than the client may know. */
  const turnAway = (status: Refusal, details: string, reason = details): void => {
    if (phase === "closed") return;
    deps.onEvent({ type: "turned-away", reason });
    connection.end({ status, details });
  };
  const silence = setTimeout(
    () => turnAway("ABORTED", "no request came within the time allowed"),
    STREAM_TIMES.firstRequest,
  );

  const admit = async (claim: NodeClaim): Promise<void> => {
    const admitted = await deps.admit(connection, claim);
    if (phase !== "admitting") return;
    if ("status" in admitted) {
      turnAway(admitted.status, admitted.details);
      return;
    }
    phase = "open";
    session = openSession({ deps, protocol, connection, streams, claim, caller: admitted.caller, turnAway });
    for (const request of waiting.splice(0)) session.request(request);
  };

  return {
    request(raw) {
      clearTimeout(silence);
      const request = protocol.read(raw);
      if (phase === "open") session?.request(request);
      else if (waiting.push(request) > MAX_WAITING) turnAway("ABORTED", "too many requests before authentication");
      if (phase !== "new") return;
      const notReady = deps.notReady();
      const claim = readNode(request.node);
      if (notReady !== undefined) turnAway("UNAVAILABLE", notReady);
      else if (typeof claim === "string") turnAway("INVALID_ARGUMENT", claim);
      else {
        phase = "admitting";
        admit(claim).catch((error: unknown) => {
          turnAway("UNAVAILABLE", "the control plane cannot serve this stream now", errorText(error));
        });
      }
    },
    drained: () => session?.drained(),
    closed() {
      phase = "closed";
      clearTimeout(silence);
      session?.close();
    },
  };
}

interface SessionParts<Request> {
  readonly deps: StreamDeps;
  readonly protocol: XdsProtocol<Request>;
  readonly connection: XdsConnection;
  readonly streams: Set<XdsStream>;
  readonly claim: NodeClaim;
  readonly caller: Caller;
  readonly turnAway: (status: Refusal, details: string) => void;
}

interface Session {
  request(request: ReadRequest): void;
  drained(): void;
  close(): void;
}

function openSession<Request>(parts: SessionParts<Request>): Session {
  const { deps, connection, claim, caller } = parts;
  const proxy = `${claim.name}.${claim.namespace}`;
  const subs = new Map<XdsKind, Subscription>();
  let snapshot: Snapshot | undefined;
  const sender = createSender({
    protocol: parts.protocol,
    proxy,
    subs,
    snapshot: () => snapshot,
    send: (bytes) => connection.send(bytes),
    deps,
    onFault(error) {
      deps.onFault(error);
      parts.turnAway("INTERNAL", "the stream met an error of the control plane");
    },
  });
  const unknown = setTimeout(
    () => parts.turnAway("UNAVAILABLE", `pod ${proxy} is not known to the control plane`),
    STREAM_TIMES.unknownPod,
  );
  const age = setTimeout(() => connection.end(), lifetime(caller, deps.now()));
  const stream = describe(parts, { proxy, subs, snapshot: () => snapshot });
  deps.onEvent({ type: "opened", proxy });
  let isOpen = true;
  let unfollow = (): void => {};
  const close = (): void => {
    clearTimeout(unknown);
    clearTimeout(age);
    sender.close();
    unfollow();
    parts.streams.delete(stream);
    if (isOpen) deps.onEvent({ type: "closed", proxy });
    isOpen = false;
  };
  try {
    unfollow = deps.follow(claim, caller, (next) => {
      clearTimeout(unknown);
      snapshot = next;
      sender.due();
    });
  } catch (error) {
    close();
    throw error;
  }
  return {
    request(request) {
      const kind = kindOfUrl(request.typeUrl);
      if (request.typeUrl === HEALTH_TYPE) deps.onHealth(claim, request.change(undefined, undefined)?.error);
      // A type that we do not serve is never answered, as Envoy expects of servers older than itself.
      if (kind === undefined) return;
      // What the agent asks on a stream of its own is not what the proxy runs.
      if (!OF_AGENTS.includes(kind)) parts.streams.add(stream);
      sender.answer(kind, request);
      sender.wake();
    },
    drained: sender.drained,
    close,
  };
}

/** Milliseconds until a stream ends by itself: the certificate's end, or the greatest age less up to a tenth. */
function lifetime(caller: Caller, now: number): number {
  const age = STREAM_TIMES.maxAge * (1 - Math.random() / 10);
  return caller.expiresAt === undefined ? age : Math.max(0, Math.min(age, caller.expiresAt.getTime() - now));
}

function describe<Request>(
  { deps, connection, claim, caller }: SessionParts<Request>,
  state: {
    readonly proxy: string;
    readonly subs: ReadonlyMap<XdsKind, Subscription>;
    readonly snapshot: () => Snapshot | undefined;
  },
): XdsStream {
  const connectedAt = deps.now();
  const status = (): ProxyStatus => {
    const snapshot = state.snapshot();
    const shown = KINDS.filter((kind) => !ON_REQUEST.includes(kind) || state.subs.has(kind));
    const types = shown.map((kind) => [kind, typeStatus(state.subs.get(kind), snapshot?.[kind] ?? new Map())]);
    return {
      proxy: state.proxy,
      proxy_type: claim.type,
      cluster_id: claim.clusterId,
      istio_version: claim.version,
      control_plane: deps.controlPlane,
      connected_at: new Date(connectedAt).toISOString(),
      ...(caller.expiresAt === undefined ? {} : { certificate_expires: caller.expiresAt.toISOString() }),
      types: Object.fromEntries(types) as ProxyStatus["types"],
    };
  };
  return {
    proxy: state.proxy,
    claim,
    caller,
    connectedAt,
    address: connection.peer.address,
    status,
    snapshot: state.snapshot,
    subscription: (kind) => state.subs.get(kind),
    end: () => connection.end(),
  };
}
