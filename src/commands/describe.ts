import { UsageError } from "../base/errors.ts";
import { refText } from "../resources/object.ts";
import { print } from "./print.ts";
import { describePod } from "./describe/pod.ts";
import { describeService, servicesNamed } from "./describe/services.ts";
import { podText, serviceText } from "./describe/text.ts";
import { globalOptions } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { readMesh } from "./offline/mesh.ts";
import { proxyNamed } from "./offline/proxies.ts";

/** `meshctl describe pod POD`: its Services, rules, mutual TLS and policies. */
export async function runPod(input: CommandInput, io: Io): Promise<CommandResult> {
  const { namespace } = globalOptions(input);
  const { mesh } = await readMesh(input, io);
  const wanted = input.args[0] ?? "";
  const [name = "", ofNamespace = namespace ?? "default"] = wanted.split(".");
  const found =
    mesh.model.world.get("Pod", ofNamespace, name) ??
    mesh.model.world.get("Pod", ...placeOf(proxyNamed(mesh.model, wanted, namespace)));
  if (found === undefined)
    throw new UsageError(`there is no pod ${ofNamespace}/${name}`, "List them with kubectl get pods.");
  const view = describePod(mesh.model, found);
  print(input, io, { data: view, text: podText(view) });
  return { exitCode: 0 };
}

function placeOf({ namespace, name }: { readonly namespace: string; readonly name: string }): [string, string] {
  return [namespace, name];
}

/** `meshctl describe service SERVICE`: what the mesh makes of it. */
export async function runService(input: CommandInput, io: Io): Promise<CommandResult> {
  const { namespace = "default" } = globalOptions(input);
  const { mesh } = await readMesh(input, io);
  const wanted = input.args[0] ?? "";
  const views = servicesNamed(mesh.model, wanted, namespace).map((service) => describeService(mesh.model, service));
  if (views.length === 0) {
    const known = mesh.model.services.all().filter((service) => service.namespace === namespace);
    throw new UsageError(
      `no service is called ${wanted} in namespace ${namespace}`,
      known.length === 0
        ? "Name it as name.namespace."
        : `There: ${known
            .slice(0, 10)
            .map(({ from }) => refText(from))
            .join(", ")}.`,
    );
  }
  print(input, io, { data: views, text: views.map(serviceText).join("\n") });
  return { exitCode: 0 };
}
