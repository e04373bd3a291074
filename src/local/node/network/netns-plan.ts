/** Addresses of one node, chosen so that several nodes and what the machine already routes do not meet. */
export interface AddressPlan {
  readonly index: number;
  /** Name of the one link on the machine's side. */
  readonly link: string;
  readonly hostIp: string;
  readonly nodeIp: string;
  readonly podCidr: string;
  /** The node's address as pods see it: their default route. */
  readonly gateway: string;
  readonly serviceCidr: string;
}

/** Addresses by which only the node itself reaches the loopback of its pods; seen nowhere else. */
export const DIAL_CIDR = "198.18.0.0/16";

const MAX_INDEX = 10;

/** The plan with this index; index 0 has Kubernetes' usual ranges. */
export function addressPlan(index: number): AddressPlan {
  return {
    index,
    link: `meshctl${index}`,
    hostIp: `10.214.${index}.1`,
    nodeIp: `10.214.${index}.2`,
    podCidr: `10.${244 + index}.0.0/16`,
    gateway: `10.${244 + index}.0.1`,
    serviceCidr: `10.${96 + index}.0.0/16`,
  };
}

/** The first plan none of whose ranges the machine routes already. `routes` is the output of `ip -4 route show table all`. */
export function choosePlan(routes: string): AddressPlan | undefined {
  const taken = routes.split("\n").flatMap((line) => rangeOf(/(\d+\.\d+\.\d+\.\d+(?:\/\d+)?)/.exec(line)?.[1]));
  for (let index = 0; index < MAX_INDEX; index++) {
    const plan = addressPlan(index);
    const own = [`${plan.hostIp}/30`, plan.podCidr, plan.serviceCidr].flatMap(rangeOf);
    const meets = own.some((a) => taken.some((b) => a.first <= b.last && b.first <= a.last));
    if (!meets) return plan;
  }
  return undefined;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

function rangeOf(cidr: string | undefined): Range[] {
  if (cidr === undefined) return [];
  const [address = "", length = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(length));
  const value = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = Math.floor(value / size) * size;
  return size === 2 ** 32 ? [] : [{ first, last: first + size - 1 }];
}

/** The pod's address by its number, 2 … 65,000. */
export function podAddressAt(plan: AddressPlan, number: number): string {
  return plan.podCidr.replace(/\.0\.0\/16$/, `.${number >> 8}.${number & 255}`);
}

/** Where the node dials the loopback of a pod. */
export function dialAddress(number: number): string {
  return DIAL_CIDR.replace(/\.0\.0\/16$/, `.${number >> 8}.${number & 255}`);
}
