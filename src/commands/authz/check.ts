import { UsageError } from "../../base/errors.ts";
import { toYaml } from "../../resources/yaml-plain.ts";
import { globalOptions, listOption, textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { readOfflineMesh, tellStandIns } from "../offline/mesh.ts";
import { proxyNamed } from "../offline/proxies.ts";
import { readAsked } from "./asked.ts";
import { type Decision, decide, type Reason } from "./decide.ts";

export interface AuthzCheckResult extends CommandResult {
  readonly decision: Decision;
}

/**
 * `meshctl authz check -f FILES --port N WORKLOAD`: whether the workload's proxy lets one call in, by the filters that it would
 * get, and which rule of which policy decides. Exit code 1 when it does not.
 */
export async function run(input: CommandInput, io: Io): Promise<AuthzCheckResult> {
  const { namespace, istioNamespace } = globalOptions(input);
  const files = listOption(input, "filename");
  const mesh = await readOfflineMesh({ files, namespace: namespace ?? "default", istioNamespace }, io);
  const { model } = mesh.mesh;
  const server = proxyNamed(model, input.args[0] ?? "", namespace);
  const from = textOption(input, "from");
  if (from !== undefined && textOption(input, "principal") !== undefined)
    throw new UsageError("expected one of --from and --principal");
  const client = from === undefined ? undefined : proxyNamed(model, from, namespace);
  tellStandIns(mesh, [server, ...(client === undefined ? [] : [client])], io);
  const principal = client && `${model.meshConfig().trustDomain}/ns/${client.namespace}/sa/${client.serviceAccount}`;
  const decision = decide(mesh, server, readAsked(input, principal));
  const output = textOption(input, "output");
  if (output === "json") io.out(`${JSON.stringify(decision, undefined, 2)}\n`);
  else if (output === "yaml") io.out(toYaml(JSON.parse(JSON.stringify(decision))));
  else io.out(textOf(decision));
  return { exitCode: decision.decision === "deny" || decision.decision === "reset" ? 1 : 0, decision };
}

const OUTCOMES: Readonly<Record<Decision["decision"], string>> = {
  allow: "allowed",
  deny: "refused",
  ask: "allowed if the external authorizer says so",
  reset: "refused: mutual TLS is asked for, and the caller shows no identity",
};

function textOf({ to, port, decision, status, reasons }: Decision): string {
  const head = `${to}:${port}: ${OUTCOMES[decision]}${status === undefined ? "" : ` (${status})`}\n`;
  const lines = reasons.map((reason) => `  ${reasonText(reason)}\n`);
  return head + (reasons.length === 0 && decision === "allow" ? "  no policy selects the workload\n" : lines.join(""));
}

function reasonText({ action, effect, dryRun, policy, field, file, line }: Reason): string {
  const tried = dryRun === true ? " (dry run, nothing follows)" : "";
  if (policy === undefined) {
    const meaning = effect === "deny" ? "no rule matches, and what none allows is refused" : "no rule matches";
    return `${action}: ${meaning}${tried}`;
  }
  const place = file === undefined ? "" : ` (${file}:${line})`;
  return `${action}: ${policy} ${field}${place} matches${tried}`;
}
