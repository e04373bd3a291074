// `meshctl analyze` of one file of one service, and of meshes of 1,000, 10,000 and 50,000 objects with 2 % planted mistakes: wall and
// peak memory of whole processes, the cost of an object, and how many of the mistakes were found. With ISTIOCTL set to a program,
// `istioctl analyze --use-kube=false` of the same file runs in turn with it, and the ratio is told.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bigMesh, type BigMesh } from "../scripts/bench/big-mesh.ts";
import { measure, median, type Run } from "../scripts/bench/measure.ts";

const cli = fileURLToPath(new URL("../bin/meshctl.js", import.meta.url));
const peer = process.env["ISTIOCTL"];
const ROUNDS = 5;
const scratch = mkdtempSync(join(tmpdir(), "meshctl-bench-"));

const ONE = `apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec:
  hosts: [web]
  http:
    - route:
        - destination: { host: web }
`;

/** Planted mistakes that a report has a finding for. */
function found({ stdout }: Run, { planted }: BigMesh): number {
  const told = JSON.parse(stdout) as readonly { code: string; kind?: string; namespace?: string; name?: string }[];
  const keys = new Set(told.map(({ code, kind, namespace, name }) => [code, kind, namespace, name].join(" ")));
  return planted.filter(({ code, kind, namespace, name }) => keys.has([code, kind, namespace, name].join(" "))).length;
}

async function compare(mesh: BigMesh): Promise<string> {
  const file = join(scratch, `${mesh.objects}.yaml`);
  writeFileSync(file, mesh.yaml);
  const own: Run[] = [];
  const others: Run[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await measure(process.execPath, [cli, "analyze", "--offline", "-o", "json", file], { HOME: scratch }));
    if (peer !== undefined) others.push(await measure(peer, ["analyze", "--use-kube=false", file], { HOME: scratch }));
  }
  const cells = (runs: readonly Run[]): string =>
    `${median(runs.map(({ ms }) => ms))
      .toFixed(0)
      .padStart(7)} ms ${Math.max(...runs.map(({ mb = 0 }) => mb))
      .toFixed(0)
      .padStart(5)} MB`;
  const each = (median(own.map(({ ms }) => ms)) - bare) / mesh.objects;
  const mistakes = own[0] === undefined ? "" : `${found(own[0], mesh)} of ${mesh.planted.length}`;
  const ratio = median(own.map(({ ms }, index) => ms / (others[index]?.ms ?? Number.NaN)));
  const against = peer === undefined ? "" : `  ${cells(others)}  ${ratio.toFixed(2)}`;
  return `${String(mesh.objects).padStart(7)} ${cells(own)} ${each.toFixed(3).padStart(8)} ms/object  ${mistakes.padStart(12)}${against}`;
}

let bare = 0;
try {
  const times = async (args: readonly string[]): Promise<number> => {
    const runs: Run[] = [];
    for (let round = 0; round < 2 * ROUNDS; round++)
      runs.push(await measure(process.execPath, args, { HOME: scratch }));
    return median(runs.map(({ ms }) => ms));
  };
  bare = await times(["-e", "0"]);
  const one = join(scratch, "one.yaml");
  writeFileSync(one, ONE);
  const single = await times([cli, "analyze", "--offline", one]);
  process.stdout.write(
    `bare Node ${bare.toFixed(0)} ms; one file ${single.toFixed(0)} ms: + ${(single - bare).toFixed(0)} ms\n`,
  );
  process.stdout.write(
    `objects     meshctl                              mistakes found${peer === undefined ? "" : "   istioctl"}\n`,
  );
  for (const objects of [1000, 10_000, 50_000]) process.stdout.write(`${await compare(bigMesh({ objects }))}\n`);
} finally {
  rmSync(scratch, { recursive: true });
}
