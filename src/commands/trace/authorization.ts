import { type AuthorizationWalk, walkAuthorization } from "../../simulate/authorization.ts";
import type { SimulatedToken } from "../../simulate/jwt.ts";
import type { SimulatedCall } from "../../simulate/rbac.ts";
import { type Headers, headerValue, type SimulatedRequest } from "../../simulate/request.ts";
import type { Entered } from "../../simulate/walk.ts";
import type { Messages } from "../../wire/codec.ts";
import { reasonsOf } from "../authz/decide.ts";
import { reasonText } from "../authz/text.ts";
import type { Source } from "../../why/source.ts";
import { type Ending, failed, nameOf, type Step, type Walk } from "./types.ts";
import type { ProxyView } from "./view.ts";

type Manager = Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"];
type Jwt = Messages["envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"];

/** What became of a call at the filters that may refuse it. */
export interface Authorized {
  /** None where nothing is asked. */
  readonly steps: readonly Step[];
  /** Where it ends; undefined: it goes on. */
  readonly refused: Ending | undefined;
  /** With what tokens left for the choice of the route. */
  readonly call: SimulatedCall;
}

/** The way of a call through the filters of a chain that may refuse it. */
export function authorize(
  { positionOf, asked }: Pick<Walk, "positionOf" | "asked">,
  view: ProxyView,
  { entered, call }: { readonly entered: Entered; readonly call: SimulatedCall },
): Authorized {
  const { leads, chosen } = entered;
  const filters = leads.kind === "http" ? (leads.manager.http_filters ?? []) : (chosen.chain?.filters ?? []);
  const walk = walkAuthorization(filters, call, asked.now);
  if (walk.steps.length === 0) return { steps: [], refused: undefined, call: walk.call };
  const reasons = reasonsOf(walk, view.config, positionOf);
  const decisive = reasons.filter(({ dryRun }) => dryRun !== true).at(-1);
  const step: Step = {
    step: "authorization",
    proxy: nameOf(view.proxy),
    chosen: OUTCOMES[walk.decision],
    note: reasons.map(reasonText).join("; "),
    ...(decisive?.policy === undefined ? {} : { source: sourceOf({ ...decisive, policy: decisive.policy }) }),
  };
  return { steps: [step], refused: endingOf(walk, nameOf(view.proxy)), call: walk.call };
}

const OUTCOMES = { allow: "allowed", deny: "refused", ask: "allowed if the external authorizer says so" } as const;

function endingOf({ decision, status }: AuthorizationWalk, proxy: string): Ending | undefined {
  if (decision !== "deny") return undefined;
  return failed(
    status === undefined ? `refused by ${proxy}: the connection is closed` : `refused by ${proxy}: ${status}`,
    "permission",
  );
}

function sourceOf({
  policy: object,
  field,
  file,
  line,
}: { readonly policy: string } & Partial<Omit<Source, "object">>): Source {
  return {
    object,
    ...(field === undefined ? {} : { field }),
    ...(file === undefined || line === undefined ? {} : { file, line }),
  };
}

/** Whether this side of a connection has shown who it is: mutual TLS of the mesh, ended by the proxy. */
export function identityIn({ chosen }: Entered, identity: string): string | undefined {
  const { require_client_certificate: required } = (chosen.chain?.transport_socket?.typed_config ?? {}) as {
    readonly require_client_certificate?: boolean;
  };
  return required === true ? identity : undefined;
}

/**
 * The client's address as a connection manager sees it: the peer's, or what X-Forwarded-For says where the manager believes it
 * (Envoy's `use_remote_address` and `xff_num_trusted_hops`).
 */
export function remoteIn(
  { use_remote_address: edge, xff_num_trusted_hops: hops = 0 }: Manager,
  source: string,
  headers: Headers,
): string {
  const listed = headers
    .filter(([name]) => name === "x-forwarded-for")
    .flatMap(([, value]) => value.split(","))
    .map((address) => address.trim());
  if (edge === true) return hops === 0 ? source : (listed.at(-hops) ?? source);
  return listed.at(-1 - hops) ?? source;
}

/** The token that goes on behind a proxy: one that its filter verified stays there, unless its rule forwards it. */
export function tokenBehind(
  entered: Entered,
  token: SimulatedToken | undefined,
  request: SimulatedRequest | undefined,
): SimulatedToken | undefined {
  if (token === undefined || entered.leads.kind !== "http" || request === undefined) return token;
  const jwt = entered.leads.manager.http_filters?.find(({ name }) => name === "envoy.filters.http.jwt_authn");
  const { providers = {} } = (jwt?.typed_config ?? {}) as unknown as Jwt;
  const own = Object.values(providers).filter(({ issuer }) => issuer === token.claims["iss"]);
  return own.length > 0 && own.every(({ forward }) => forward !== true) ? undefined : token;
}

/** X-Forwarded-For behind a gateway, which adds who called it. */
export function forwardedBy(source: string, request: SimulatedRequest): SimulatedRequest {
  const before = headerValue(request, "x-forwarded-for");
  const value = before === undefined ? source : `${before},${source}`;
  const others = request.headers.filter(([name]) => name !== "x-forwarded-for");
  return { ...request, headers: [...others, ["x-forwarded-for", value]] };
}
