import { UsageError } from "../../base/errors.ts";
import { byText } from "../../model/order.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { heldRoots, rootsByDomain, secret } from "./secret.ts";
import { podSource } from "./source.ts";

/** Name of the roots in every proxy. */
const ROOTS = "ROOTCA";

/** `meshctl proxy-config rootca-compare POD POD`: whether two proxies trust the same roots; 1 when they do not. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const [one, other, ...more] = await Promise.all(input.args.map((pod) => rootsOf(pod, input, io)));
  if (one === undefined || other === undefined || more.length > 0)
    throw new UsageError(`expected two pods, got ${input.args.length}`);
  const lacking = [one, other].find(({ roots }) => roots === undefined);
  const same = lacking === undefined && one.roots === other.roots;
  if (lacking !== undefined) io.out(`${lacking.pod} holds no roots (${ROOTS})\n`);
  else if (same) io.out(`${one.pod} and ${other.pod} trust the same roots\n`);
  else
    io.out(`${one.pod} and ${other.pod} trust different roots: they cannot call each other by mutual TLS.
Compare them with meshctl proxy-config secret POD --chain.\n`);
  return { exitCode: same ? 0 : 1 };
}

async function rootsOf(text: string, input: CommandInput, io: Io): Promise<{ pod: string; roots: unknown }> {
  const { name, get } = await podSource(text, input, io);
  const held = heldRoots(secret.items(await get(secret.path)));
  const roots = Object.entries(rootsByDomain(held))
    .filter(([, pem]) => pem !== "")
    .toSorted(([a], [b]) => byText(a, b));
  return { pod: name, roots: roots.length === 0 ? undefined : JSON.stringify(roots) };
}
