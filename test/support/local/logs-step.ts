import { load } from "../../../scripts/scenario/ask.ts";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";
import { until } from "../../../scripts/scenario/kubectl.ts";
import type { LogEntry } from "../../../src/commands/logs/entry.ts";

const NAMESPACE = "shop";
const REQUESTS = 15;

/** `meshctl logs` has a line of each request, on both sides, with who was at the other one. */
export async function accessLogs(scenario: Scenario): Promise<void> {
  const path = `/items?logged=${Date.now()}`;
  await load(
    scenario,
    { namespace: NAMESPACE, app: "client" },
    { url: `http://catalog:8000${path}`, requests: REQUESTS },
  );
  const read = async (of: string, ...more: readonly string[]): Promise<readonly LogEntry[]> => {
    const args = ["logs", `${of}.${NAMESPACE}`, "--path", path, "-o", "json", ...more];
    const { stdout } = await scenario.meshctl(args, { quiet: true });
    const lines = stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as LogEntry);
  };
  // Envoy writes its log ten times a second
  await until(
    15_000,
    `${REQUESTS} lines of the client's proxy`,
    async () => (await read("client-v1")).length >= REQUESTS,
  );
  const asked = await read("client-v1", "--peer", "catalog.shop", "--direction", "outbound");
  must(asked.length === REQUESTS, `the client's proxy logged ${asked.length} of ${REQUESTS} requests`);
  const strangers = asked.filter(({ peerPod }) => peerPod?.startsWith("catalog-") !== true);
  must(strangers.length === 0, `not known whose they are: ${JSON.stringify(strangers[0])}`);
  const ids = new Set(asked.map(({ requestId }) => requestId));
  const answered = (): Promise<readonly LogEntry[]> => read("svc/catalog", "--direction", "inbound", "--since", "10m");
  await until(60_000, "as many lines of the catalog's proxies", async () => (await answered()).length >= REQUESTS);
  const got = await answered();
  must(
    got.length === REQUESTS && got.every(({ requestId }) => ids.has(requestId)),
    `other requests came: ${got.length}`,
  );
}
