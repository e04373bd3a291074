import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createConnection } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubeAssets } from "../../../support/kube/apiserver.ts";
import { createRunningPod, type FakePods, startFakePods } from "../../../support/kube/fake-pods.ts";
import { waitFor } from "../../../support/wait.ts";
import { type Backend, startBackend } from "./backends.ts";

const run = promisify(execFile);

describe("kubectl on the embedded endpoint", () => {
  let backend: Backend;
  let pods: FakePods;
  let kubectl: string;
  const children = new Set<ChildProcess>();
  beforeAll(async () => {
    kubectl = join(await kubeAssets(), "kubectl");
    backend = await startBackend("embedded");
    pods = await startFakePods();
    backend.api?.setPodBackend(pods.backend);
    if (backend.api !== undefined) await createRunningPod(backend.api);
  });
  afterAll(async () => {
    for (const child of children) child.kill();
    await backend.stop();
    await pods.close();
  });

  const args = (words: readonly string[]): string[] => ["--kubeconfig", backend.kubeconfig, "-n", "shop", ...words];
  async function k(words: string, stdin?: string): Promise<string> {
    const promise = run(kubectl, args(words.split(" ")));
    if (stdin !== undefined) promise.child.stdin?.end(stdin);
    return (await promise).stdout.trimEnd();
  }
  const fails = (words: string, stdin?: string): Promise<string> =>
    k(words, stdin).then(
      () => "",
      (error: { stderr: string }) => error.stderr,
    );
  function start(words: string, env: Record<string, string> = {}): { child: ChildProcess; output: () => string } {
    const child = spawn(kubectl, args(words.split(" ")), { env: { ...process.env, ...env } });
    children.add(child);
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
    });
    return { child, output: () => text };
  }

  const deployment = (image: string, extra = ""): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - {name: a, image: '${image}', ports: [{containerPort: 80}]}
${extra}`;

  test("version and api-resources", async () => {
    expect(await k("version")).toMatch(/Server Version: v1\.36\.\d+\+meshctl/);
    const names = await k("api-resources -o name");
    for (const name of [
      "pods",
      "deployments.apps",
      "endpointslices.discovery.k8s.io",
      "customresourcedefinitions.apiextensions.k8s.io",
    ])
      expect(names.split("\n")).toContain(name);
  });

  test("create: namespaces, configmaps, secrets, deployments, services, tokens, role bindings", async () => {
    expect(await k("create namespace made")).toBe("namespace/made created");
    expect(await k("create configmap cm --from-literal=a=b")).toBe("configmap/cm created");
    expect(await k("get configmap cm -o jsonpath={.data.a}")).toBe("b");
    await k("create secret generic s --from-literal=p=q");
    expect(await k("get secret s -o jsonpath={.data.p}")).toBe(Buffer.from("q").toString("base64"));
    await k("create deployment web --image=example.test/web:1 --replicas=0 --port=8080");
    expect(
      await k("get deployment web -o jsonpath={.spec.replicas},{.spec.template.spec.containers[0].ports[0]}"),
    ).toBe('0,{"containerPort":8080,"protocol":"TCP"}');
    await k("create service clusterip web --tcp=80:8080");
    expect(await k("get service web -o jsonpath={.spec.ports[0].targetPort}")).toBe("8080");
    expect((await k("create token default --audience=istio-ca")).split(".")).toHaveLength(3);
    await k("create rolebinding view --clusterrole=view --serviceaccount=shop:default");
    expect(await k("auth can-i list pods --as=system:serviceaccount:shop:default")).toBe("yes");
    expect(await fails("create configmap cm")).toContain('configmaps "cm" already exists');
  });

  test("apply creates, configures and leaves alone; strict validation names a typo", async () => {
    expect(await k("apply -f -", deployment("i:1"))).toBe("deployment.apps/app created");
    expect(await k("apply -f -", deployment("i:1"))).toBe("deployment.apps/app unchanged");
    expect(await k("apply -f -", deployment("i:2", "      - {name: b, image: 'j:1'}"))).toBe(
      "deployment.apps/app configured",
    );
    expect(await k("get deployment app -o jsonpath={.spec.template.spec.containers[*].image}")).toBe("i:2 j:1");
    await k("apply -f -", deployment("i:2"));
    expect(await k("get deployment app -o jsonpath={.spec.template.spec.containers[*].image}")).toBe("i:2");
    expect(await fails("apply -f -", deployment("i:2").replace("ports:", "prots:"))).toContain(
      'unknown field "spec.template.spec.containers[0].prots"',
    );
  });

  test("apply --server-side, with a conflict and its force", async () => {
    const map = (value: string): string =>
      `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"ssa"},"data":{"a":"${value}"}}`;
    expect(await k("apply --server-side -f -", map("1"))).toBe("configmap/ssa serverside-applied");
    expect(await fails("apply --server-side --field-manager=other -f -", map("2"))).toContain("conflict with");
    expect(await k("apply --server-side --field-manager=other --force-conflicts -f -", map("2"))).toBe(
      "configmap/ssa serverside-applied",
    );
  });

  test("patch, label, annotate, scale, set image, edit of a status, diff, explain", async () => {
    await k('patch deployment app -p {"spec":{"minReadySeconds":3}}');
    await k('patch deployment app --type=json -p [{"op":"replace","path":"/spec/revisionHistoryLimit","value":4}]');
    await k("label deployment app tier=front");
    await k("annotate deployment app note=x");
    await k("scale deployment app --replicas=5");
    await k("set image deployment/app a=i:3");
    await k(
      'patch deployment app --subresource=status --type=merge -p {"status":{"replicas":5,"readyReplicas":5,"updatedReplicas":5,"availableReplicas":5,"observedGeneration":99}}',
    );
    expect(
      await k(
        "get deployment app -o jsonpath={.spec.minReadySeconds},{.spec.revisionHistoryLimit},{.spec.replicas},{.metadata.labels.tier},{.spec.template.spec.containers[0].image}",
      ),
    ).toBe("3,4,5,front,i:3");
    expect(await k("rollout status deployment/app")).toContain("successfully rolled out");
    expect(await k("explain deployment.spec.strategy")).toContain("rollingUpdate");
    const differing = run(kubectl, args(["diff", "-f", "-"]));
    differing.child.stdin?.end(deployment("i:9"));
    const added = expect.stringContaining("+      - image: i:9") as string;
    await expect(differing).rejects.toMatchObject({ code: 1, stdout: added });
  });

  test("get prints tables: short, wide, all kinds, by label, custom kinds", async () => {
    expect((await k("get pods")).split("\n")[0]?.split(/\s+/)).toEqual(["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    expect(await k("get pod web")).toMatch(/web\s+1\/1\s+Running\s+0\s+\d+s/);
    expect(await k("get pod web -o wide")).toMatch(/127\.1\.0\.1\s+local/);
    expect(await k("get deployments app")).toMatch(/app\s+5\/5\s+5\s+5/);
    expect(await k("get pods -A -l app=web -o name")).toBe("pod/web");
    expect(await k("get all")).toContain("service/web");
    const crd = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "tools.example.test" },
      spec: {
        group: "example.test",
        scope: "Namespaced",
        names: { plural: "tools", kind: "Tool", shortNames: ["tl"] },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: "object",
                properties: { spec: { type: "object", properties: { size: { type: "integer" } } } },
              },
            },
            additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }],
          },
        ],
      },
    };
    await k("apply -f -", JSON.stringify(crd));
    await k("wait --for=condition=Established crd/tools.example.test --timeout=5s");
    const tool = (size: number): string =>
      `{"apiVersion":"example.test/v1","kind":"Tool","metadata":{"name":"t"},"spec":{"size":${size}}}`;
    await k("apply -f -", tool(1));
    expect(await k("apply -f -", tool(2))).toBe("tool.example.test/t configured");
    expect(await k("get tl")).toMatch(/NAME\s+SIZE\nt\s+2/);
    expect(await k("explain tool.spec.size")).toContain("<integer>");
  });

  test("watch, wait and delete", async () => {
    const watching = start("get configmaps --watch -o name");
    await k("create configmap w --from-literal=a=1");
    await waitFor(() => watching.output().includes("configmap/w"), { what: "the watched object" });
    watching.child.kill();
    const waiting = k("wait --for=jsonpath={.data.a}=2 configmap/w --timeout=10s");
    await k('patch configmap w --type=merge -p {"data":{"a":"2"}}');
    expect(await waiting).toBe("configmap/w condition met");
    const deleted = k("wait --for=delete configmap/w --timeout=10s");
    expect(await k("delete configmap w")).toContain('configmap "w" deleted');
    await deleted;
    expect(await fails("get configmap w")).toContain('configmaps "w" not found');
    expect(await k("delete deployment,service -l app=web --ignore-not-found")).toContain("deleted");
  });

  test("logs, also followed", async () => {
    expect(await k("logs web --tail=2")).toBe("two\nthree");
    const following = start("logs -f web --tail=1");
    await waitFor(() => following.output() === "three\n", { what: "the tail" });
    pods.write("later");
    await waitFor(() => following.output() === "three\nlater\n", { what: "the later line" });
    following.child.kill();
  });

  test.each([
    ["over WebSockets", {}],
    ["over SPDY", { KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" }],
  ])("port-forward %s: several connections, much data, and one that is refused", async (_how, env) => {
    const forwarding = start("port-forward pod/web 0:7", env as Record<string, string>);
    const port = await waitFor(() => /127\.0\.0\.1:(\d+) -> 7/.exec(forwarding.output())?.[1], {
      what: "the local port",
    });
    const echo = async (text: string): Promise<string> => {
      const socket = createConnection(Number(port), "127.0.0.1");
      socket.end(text);
      let back = "";
      for await (const chunk of socket) back += String(chunk);
      return back;
    };
    const texts = Array.from({ length: 8 }, (_, index) => String(index).repeat(100_000));
    expect(await Promise.all(texts.map(echo))).toEqual(texts);
    forwarding.child.kill();
  });

  test("what is not there says so", async () => {
    expect(await fails("exec web -- ls")).toContain("the embedded cluster does not have pods/exec");
    expect(await fails("get --raw /metrics")).toContain("the embedded cluster does not have API server metrics");
  });
});
