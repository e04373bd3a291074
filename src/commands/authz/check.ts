import { UsageError } from "../../base/errors.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { Model } from "../../model/model.ts";
import { table } from "../../report/table.ts";
import { globalOptions, listOption, textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { type OfflineMesh, readMesh, tellStandIns } from "../offline/mesh.ts";
import { hasProxy, principalOf, proxyNamed } from "../offline/proxies.ts";
import { readAsked } from "./asked.ts";
import { type Decision, judgeOf } from "./decide.ts";
import { type HeldPolicy, heldByProxy, heldInDump, heldOffline } from "./held.ts";
import { print } from "../print.ts";
import { type DumpedMesh, meshOfDumps, readDumps } from "../trace/dumps.ts";
import { decisionText } from "./text.ts";

export interface AuthzCheckResult extends CommandResult {
  /** With --port. */
  readonly decision?: Decision;
  /** Without. */
  readonly policies?: readonly HeldPolicy[];
}

/**
 * `meshctl authz check WORKLOAD`: with --port whether the workload's proxy lets one call in, by the filters that it would get,
 * and which rule of which policy decides (exit code 1 when it does not); without, which policies it holds, as istioctl prints
 * them. The mesh is that of the files, or of the cluster; with the dump of a proxy it is that proxy, by the filters that it has.
 */
export async function run(input: CommandInput, io: Io): Promise<AuthzCheckResult> {
  const [dump, ...more] = await readDumps(listOption(input, "filename"), io);
  if (more.length > 0) throw new UsageError("expected the dump of one proxy", "Ask about one after the other.");
  if (dump === undefined && input.args[0] === undefined)
    throw new UsageError("expected a workload", "Name one, or the dump of its proxy with -f.");
  if (textOption(input, "port") !== undefined)
    return dump === undefined ? decideOne(input, io, false) : decideByDump(input, io, dump);
  const policies = await policiesOf(input, io, dump);
  const rows = policies.map(({ action, policy, rules }) => [action, policy, String(rules)]);
  print(input, io, { data: policies, text: table(["ACTION", "AuthorizationPolicy", "RULES"], rows) });
  return { exitCode: 0, policies };
}

async function policiesOf(input: CommandInput, io: Io, dump: unknown): Promise<readonly HeldPolicy[]> {
  if (dump !== undefined) {
    dumpedServer(input, dump);
    return heldInDump(dump);
  }
  return input.options["filename"] === undefined ? heldByProxy(input, io) : heldOffline(input, io);
}

/** The proxy that a dump is of, which is the workload that is named, if one is. */
function dumpedServer(input: CommandInput, dump: unknown): DumpedMesh & { readonly server: Proxy } {
  const { namespace, istioNamespace } = globalOptions(input);
  const dumped = meshOfDumps([dump], istioNamespace);
  const [server] = dumped.proxies;
  if (server === undefined) throw new UsageError("the dump does not say whose it is");
  const [named] = input.args;
  if (named !== undefined) proxyNamed(dumped.mesh.model, named, namespace ?? server.namespace);
  return { ...dumped, server };
}

/** One call, by the filters that a dump has. */
function decideByDump(input: CommandInput, io: Io, dump: unknown): AuthzCheckResult {
  if (textOption(input, "from") !== undefined)
    throw new UsageError("a dump does not tell which account --from has", "Say who calls with --principal.");
  const { mesh, server, views } = dumpedServer(input, dump);
  const offline = { mesh, positionOf: () => undefined, notes: new Map<string, string>() };
  const decision = judgeOf(offline, server, { views })(readAsked(input, undefined, io.now()));
  print(input, io, { data: decision, text: decisionText(decision) });
  return { exitCode: exitCodeOf(decision), decision };
}

/** `meshctl authz explain WORKLOAD --port N`: the same decision with every rule, and what the call lacks for it. */
export async function runExplain(input: CommandInput, io: Io): Promise<AuthzCheckResult> {
  return decideOne(input, io, true);
}

/** Who calls: a proxy of the cluster itself, else of another one of the mesh. Throws UsageError when none has it. */
function callerNamed(
  { mesh, others = [] }: OfflineMesh,
  from: string,
  namespace: string | undefined,
): { readonly model: Model; readonly proxy: Proxy } {
  const models = [mesh, ...others.map((other) => other.mesh)].map(({ model }) => model);
  const model = models.find((one) => hasProxy(one, from, namespace)) ?? mesh.model;
  return { model, proxy: proxyNamed(model, from, namespace) };
}

async function decideOne(input: CommandInput, io: Io, explain: boolean): Promise<AuthzCheckResult> {
  const { namespace } = globalOptions(input);
  const from = textOption(input, "from");
  if (from !== undefined && textOption(input, "principal") !== undefined)
    throw new UsageError("expected one of --from and --principal");
  // told before a cluster is read
  readAsked(input, undefined, io.now());
  const mesh = await readMesh(input, io);
  const { model } = mesh.mesh;
  const server = proxyNamed(model, input.args[0] ?? "", namespace);
  const caller = from === undefined ? undefined : callerNamed(mesh, from, namespace);
  tellStandIns(mesh, [server, ...(caller === undefined ? [] : [caller.proxy])], io);
  const principal = caller && principalOf(caller.model, caller.proxy);
  const decision = judgeOf(mesh, server, { explain })(readAsked(input, principal, io.now()));
  print(input, io, { data: decision, text: decisionText(decision) });
  return { exitCode: exitCodeOf(decision), decision };
}

function exitCodeOf({ decision }: Decision): 0 | 1 {
  return decision === "deny" || decision === "reset" ? 1 : 0;
}
