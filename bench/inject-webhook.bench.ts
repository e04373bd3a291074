// The injecting webhook at 100 pods a second: the HTTPS server, the review and the injector as meshd has them, in a process of their
// own; this process asks at a fixed rate, whether answers are there or not. Goal: p99 within 50 ms.
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:https";
import { fileURLToPath } from "node:url";

const RATE = 100;
const SECONDS = 15;
const WARM_UP = 100;
const GOAL_MS = 50;

function review(index: number): string {
  const object = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `app-${index}-7d4b9-`,
      namespace: "shop",
      labels: { app: `app-${index}`, version: "v1", "pod-template-hash": "7d4b9" },
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: `app-${index}-7d4b9`, uid: "u", controller: true },
      ],
    },
    spec: {
      serviceAccountName: "app",
      containers: [
        {
          name: "app",
          image: "registry.example.org/app:1",
          ports: [{ name: "http", containerPort: 8080 }],
          readinessProbe: { httpGet: { path: "/ready", port: "http" } },
        },
      ],
    },
  };
  const request = { uid: String(index), namespace: "shop", operation: "CREATE", object };
  return JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
}

const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });

function ask(port: number, path: string, index: number): Promise<number> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const call = request({ agent, host: "127.0.0.1", port, path, method: "POST" }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
      answer.on("end", () => {
        if (path !== "/inject" || text.includes('"patch"')) resolve(performance.now() - start);
        else reject(new Error(`no patch: ${text}`));
      });
    });
    call.on("error", reject);
    call.end(review(index));
  });
}

/** Milliseconds of each answer, sorted. */
async function load(port: number, path: string): Promise<readonly number[]> {
  const asked: Promise<number>[] = [];
  const start = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(RATE * SECONDS, Math.floor(((performance.now() - start) / 1000) * RATE));
      while (asked.length < due) asked.push(ask(port, path, asked.length));
      if (due < RATE * SECONDS) return;
      clearInterval(timer);
      resolve();
    }, 2);
  });
  return (await Promise.all(asked)).toSorted((a, b) => a - b);
}

function words(times: readonly number[]): string {
  const at = (share: number): string => (times[Math.ceil(times.length * share) - 1] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`;
}

/** What the server has taken of the processor. */
async function processorMs(): Promise<number> {
  server.send("usage");
  const [{ user, system }] = (await once(server, "message")) as [NodeJS.CpuUsage];
  return (user + system) / 1000;
}

const server = fork(fileURLToPath(new URL("../scripts/bench/inject-server.ts", import.meta.url)), {
  execArgv: process.execArgv,
});
try {
  const [port] = (await once(server, "message")) as [number];
  for (let index = 0; index < WARM_UP; index++) await ask(port, "/inject", index);
  console.log(`${RATE} reviews a second for ${SECONDS} s, goal: p99 within ${GOAL_MS} ms`);
  // the same without any work tells what the machine does to it
  console.log(`not found   ${words(await load(port, "/nothing"))}`);
  const before = await processorMs();
  console.log(`injected    ${words(await load(port, "/inject"))}`);
  const each = ((await processorMs()) - before) / (RATE * SECONDS);
  console.log(`processor   ${each.toFixed(1)} ms a review, ${((each * RATE) / 10).toFixed(0)} % of one`);
} finally {
  server.kill();
  agent.destroy();
}
