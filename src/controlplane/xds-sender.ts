import type { XdsKind } from "../xds/types.ts";
import { leavingEndpoints, nextPush, notePush } from "./push-plan.ts";
import { NO_RESOURCES, type ResourceTable, type Snapshot } from "./resource-table.ts";
import { createSubscription, openSubscription, type Subscription, updateSubscription } from "./subscription.ts";
import { STREAM_TIMES, type StreamDeps } from "./xds-deps.ts";
import type { ReadRequest, XdsProtocol } from "./xds-protocol.ts";

/** What a sender works on: the subscriptions of one stream, and where its bytes go. */
export interface SenderParts<Request> {
  readonly protocol: XdsProtocol<Request>;
  readonly proxy: string;
  readonly subs: Map<XdsKind, Subscription>;
  readonly snapshot: () => Snapshot | undefined;
  readonly send: (bytes: Uint8Array) => void;
  readonly deps: Pick<StreamDeps, "onEvent" | "controlPlane" | "now" | "budget">;
  readonly onFault: (error: unknown) => void;
}

/** Sends what is due, one response at a time. */
export interface Sender {
  readonly answer: (kind: XdsKind, request: ReadRequest) => void;
  /** Something may be due: looks soon, once for all that happens until then. */
  readonly wake: () => void;
  /** What the proxy is to run has changed. */
  readonly due: () => void;
  /** The transport took the last response. */
  readonly drained: () => void;
  readonly close: () => void;
}

/** The shell around nextPush: nonces, patience, and the wait for the transport. */
export function createSender<Request>(parts: SenderParts<Request>): Sender {
  const { protocol, proxy, subs, deps } = parts;
  const last = new Map<XdsKind, { readonly nonce: string; readonly at: number }>();
  let count = 0;
  let isBusy = false;
  let isAwake = false;
  let isClosed = false;
  let delivered = (): void => {};
  const times = createTimes();
  let before: { readonly snapshot: Snapshot; readonly leaving: ResourceTable } | undefined;

  const pump = (): void => {
    isAwake = false;
    const snapshot = parts.snapshot();
    if (isBusy || isClosed || snapshot === undefined) return;
    const began = performance.now();
    const leaving = before === undefined ? NO_RESOURCES : leavingEndpoints(subs, before, snapshot);
    before = { snapshot, leaving };
    const push = nextPush(subs, snapshot, { impatient: patience.isOver(), whole: protocol.name === "sotw", leaving });
    const sub = push === undefined ? undefined : subs.get(push.kind);
    if (push === undefined) times.nothingDue(subs);
    if (push === undefined || sub === undefined || !deps.budget.admit(wake)) return;
    const { kind } = push;
    const sent = protocol.widen(sub, push.sent, snapshot[kind]);
    const nonce = String(++count);
    notePush(subs, { kind, sent }, nonce);
    last.set(kind, { nonce, at: deps.now() });
    const bytes = protocol.write({ kind, nonce, sent, controlPlane: deps.controlPlane });
    isBusy = true;
    delivered = deps.budget.spend(bytes.length);
    parts.send(bytes);
    const facts = { bytes: bytes.length, resources: sent.set.length, ...times.handed(began) };
    deps.onEvent({ type: "pushed", kind, proxy, ...facts });
    patience.begin();
  };
  const wake = (): void => {
    if (isAwake || isClosed) return;
    isAwake = true;
    // What throws there would end the process.
    setImmediate(guarded(pump, parts.onFault));
  };
  const patience = createPatience(wake);
  return {
    wake,
    due() {
      times.due();
      wake();
    },
    drained() {
      if (isBusy) deps.onEvent({ type: "taken", proxy, tookMs: times.sinceHanded() });
      isBusy = false;
      delivered();
      wake();
    },
    close() {
      isClosed = true;
      delivered();
      patience.end();
    },
    answer: (kind, request) => takeAnswer(parts, kind, request, last.get(kind)),
  };
}

/** When what happened, for the measurements. */
function createTimes(): {
  readonly due: () => void;
  readonly nothingDue: (subs: ReadonlyMap<XdsKind, Subscription>) => void;
  readonly handed: (began: number) => { readonly tookMs: number; readonly queuedMs: number };
  readonly sinceHanded: () => number;
} {
  let dueSince: number | undefined;
  let handedAt = 0;
  return {
    due() {
      dueSince ??= performance.now();
    },
    nothingDue(subs) {
      for (const { inFlight } of subs.values()) if (inFlight.size > 0) return;
      dueSince = undefined;
    },
    handed(began) {
      handedAt = performance.now();
      const queuedMs = began - (dueSince ?? began);
      dueSince = undefined;
      return { tookMs: handedAt - began, queuedMs };
    },
    sinceHanded: () => performance.now() - handedAt,
  };
}

function guarded(work: () => void, onFault: (error: unknown) => void): () => void {
  return () => {
    try {
      work();
    } catch (error) {
      onFault(error);
    }
  };
}

/** How long a client may take to confirm: over, it is served without, until the next response. */
function createPatience(onOver: () => void): {
  readonly isOver: () => boolean;
  readonly begin: () => void;
  readonly end: () => void;
} {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => clearTimeout(timer);
  return {
    isOver: () => isOver,
    begin() {
      end();
      isOver = false;
      timer = setTimeout(() => {
        isOver = true;
        onOver();
      }, STREAM_TIMES.impatience);
    },
    end,
  };
}

/** Brings a subscription up to date with a request, and tells what it answered. */
function takeAnswer<Request>(
  { subs, deps, proxy }: SenderParts<Request>,
  kind: XdsKind,
  request: ReadRequest,
  last: { readonly nonce: string; readonly at: number } | undefined,
): void {
  const known = subs.get(kind);
  const change = request.change(known, last?.nonce);
  if (change === undefined) {
    deps.onEvent({ type: "expired", kind, proxy });
    return;
  }
  if (known === undefined) {
    const sub = createSubscription(kind);
    openSubscription(sub, change);
    subs.set(kind, sub);
    return;
  }
  const isAnswer = known.inFlight.has(change.nonce);
  updateSubscription(known, change, deps.now());
  if (!isAnswer) return;
  if (change.error !== undefined) deps.onEvent({ type: "refused", kind, proxy, error: change.error });
  else deps.onEvent({ type: "acked", kind, proxy, sinceMs: deps.now() - (last?.at ?? deps.now()) });
}
