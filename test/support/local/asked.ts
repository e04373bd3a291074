import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { podOf } from "../../../scripts/scenario/ask.ts";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";
import type { MtlsReport } from "../../../src/commands/mtls/report.ts";

const NAMESPACE = "shop";

const DENY = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: asked, namespace: ${NAMESPACE} }
spec: { action: DENY, rules: [{ from: [{ source: { serviceAccounts: [client] } }] }] }
`;

/** Who may call whom, and how much is secured, asked of a running mesh that is STRICT: its objects, its proxies, and a file on top. */
export async function askedOfTheMesh(scenario: Scenario): Promise<void> {
  const { stdout } = await scenario.meshctl(["mtls", "report", "-o", "json"], { quiet: true });
  const { workloads, observed = [], trust = [], mistrusted } = JSON.parse(stdout) as MtlsReport;
  const catalog = workloads.find(({ workload }) => workload.startsWith("catalog"));
  const modes = (catalog?.ports ?? []).map(({ port, mode }) => `${port} ${mode}`);
  must(modes.includes("8000 STRICT"), `catalog takes ${modes.join(", ")}`);
  const seen = observed.filter(({ pod }) => pod.startsWith("catalog")).reduce((sum, { mtls }) => sum + mtls, 0);
  must(seen > 0, `no proxy of catalog has counted a request by mutual TLS: ${JSON.stringify(observed)}`);
  must(trust.length === 1, `pods trust ${trust.length} sets of roots: ${JSON.stringify(trust)}`);
  must(mistrusted?.length === 0, `certificates are refused: ${JSON.stringify(mistrusted)}`);

  const pod = (await podOf(scenario, NAMESPACE, "catalog")).metadata.name;
  const held = await scenario.meshctl(["x", "authz", "check", `${pod}.${NAMESPACE}`], { quiet: true });
  must(held.stdout.startsWith("ACTION   AuthorizationPolicy   RULES\n"), `no table of policies:\n${held.stdout}`);
  const call = ["authz", "check", `${pod}.${NAMESPACE}`, "--port", "8000"];
  const from = ["--from", `client-v1.${NAMESPACE}`];
  const open = await scenario.meshctl([...call, ...from], { quiet: true });
  must(open.stdout.includes("allowed"), `the client is not allowed:\n${open.stdout}`);
  const plain = await scenario.meshctl(call, { quiet: true, expect: 1 });
  must(plain.stdout.includes("mutual TLS is asked for"), `plain text is not refused:\n${plain.stdout}`);
  const file = join(scenario.work, "deny.yaml");
  await writeFile(file, DENY);
  const changed = await scenario.meshctl([...call, ...from, "-f", file, "--use-cluster"], { quiet: true, expect: 1 });
  must(changed.stdout.includes("AuthorizationPolicy shop/asked spec.rules[0]"), `not by the file:\n${changed.stdout}`);
}
