import { UsageError } from "../base/errors.ts";
import type { KubeObject } from "../resources/object.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { globalOptions, listOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

type Pairs = Readonly<Record<string, string>>;

export interface WorkloadGroupOptions {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Pairs;
  readonly annotations: Pairs;
  readonly ports: Readonly<Record<string, number>>;
  /** Default: default. */
  readonly serviceAccount: string;
  readonly network: string | undefined;
  readonly locality: string | undefined;
  readonly weight: number | undefined;
}

export interface WorkloadGroupResult extends CommandResult {
  readonly group: KubeObject;
}

/** `meshctl workload group create`. */
export function run(input: CommandInput, io: Io): Promise<WorkloadGroupResult> {
  const { namespace } = globalOptions(input);
  const result = workloadGroup(
    {
      name: needed(textOption(input, "name"), "--name", "a name for the group"),
      namespace: needed(namespace, "-n", "the namespace of the group"),
      labels: pairs(input, "labels"),
      annotations: pairs(input, "annotations"),
      ports: Object.fromEntries(
        Object.entries(pairs(input, "ports")).map(([name, value]) => [name, wholeNumber("--ports", value, 65_535)]),
      ),
      serviceAccount: textOption(input, "serviceAccount") ?? "default",
      network: textOption(input, "network"),
      locality: textOption(input, "locality"),
      weight: weightOf(textOption(input, "weight")),
    },
    io,
  );
  return Promise.resolve(result);
}

/** Prints the group as YAML, for `kubectl apply -f -`. */
export function workloadGroup(options: WorkloadGroupOptions, io: Io): WorkloadGroupResult {
  const { labels, annotations, ports, serviceAccount, network, locality, weight } = options;
  const metadata = {
    ...(isEmpty(annotations) ? {} : { annotations }),
    ...(isEmpty(labels) ? {} : { labels }),
  };
  const group: KubeObject = {
    apiVersion: "networking.istio.io/v1",
    kind: "WorkloadGroup",
    metadata: { name: options.name, namespace: options.namespace },
    spec: {
      ...(isEmpty(metadata) ? {} : { metadata }),
      template: {
        ...(isEmpty(ports) ? {} : { ports }),
        serviceAccount,
        ...(network === undefined ? {} : { network }),
        ...(locality === undefined ? {} : { locality }),
        ...(weight === undefined ? {} : { weight }),
      },
    },
  };
  io.out(toYaml(group));
  return { exitCode: 0, group };
}

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}

function weightOf(value: string | undefined): number | undefined {
  return value === undefined ? undefined : wholeNumber("--weight", value, 2 ** 32 - 1);
}

function wholeNumber(flag: string, value: string, most: number): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0 && number <= most) return number;
  throw new UsageError(`${flag}: expected a number from 1 to ${most}, got "${value}"`);
}

/** `a=1,b=2`, given once or several times. */
function pairs(input: CommandInput, name: string): Pairs {
  const parts = listOption(input, name).flatMap((value) => value.split(",").filter((part) => part !== ""));
  return Object.fromEntries(
    parts.map((part) => {
      const at = part.indexOf("=");
      if (at <= 0) throw new UsageError(`--${name}: expected key=value, got "${part}"`);
      return [part.slice(0, at), part.slice(at + 1)];
    }),
  );
}

function needed(value: string | undefined, flag: string, what: string): string {
  if (value !== undefined && value !== "") return value;
  throw new UsageError(`${flag} is missing`, `Give ${what} with ${flag}.`);
}
