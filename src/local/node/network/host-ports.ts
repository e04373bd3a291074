import type { LoadBalancerAddress } from "../../controllers/controller.ts";
import { type Listen, listenHere } from "../../listen.ts";
import type { Service } from "../../shapes.ts";
import { type Forwarder, startForwarder } from "./forwarder.ts";

interface Opened {
  readonly ports: string;
  readonly address: Promise<LoadBalancerAddress>;
  readonly forwarders: Forwarder[];
}

/** Chooses an endpoint of a Service (`namespace/name`) and service port for each connection. */
export type PickEndpoint = (
  service: string,
  port: number,
) => { readonly ip: string; readonly port: number } | undefined;

/** Ports of 127.0.0.1 that stand for the ports of load balancers. */
export class HostPorts {
  private readonly opened = new Map<string, Opened>();
  private readonly pick: PickEndpoint;
  private readonly listen: Listen;

  /** `listen` opens ports of the machine. */
  constructor(pick: PickEndpoint, listen: Listen = listenHere) {
    this.pick = pick;
    this.listen = listen;
  }

  open(service: Service): Promise<LoadBalancerAddress> {
    const key = `${service.metadata.namespace ?? ""}/${service.metadata.name}`;
    const numbers = (service.spec?.ports ?? [])
      .filter((port) => (port.protocol ?? "TCP") === "TCP")
      .map(({ port }) => port);
    const ports = numbers.join(",");
    const known = this.opened.get(key);
    if (known?.ports === ports) return known.address;
    this.close(key);
    const forwarders: Forwarder[] = [];
    const address = this.openAll(key, numbers, forwarders);
    this.opened.set(key, { ports, address, forwarders });
    return address;
  }

  /** Closes what stands for Services that are not among these. */
  keep(services: ReadonlySet<string>): void {
    for (const key of this.opened.keys()) if (!services.has(key)) this.close(key);
  }

  private close(key: string): void {
    for (const forwarder of this.opened.get(key)?.forwarders ?? []) forwarder.close();
    this.opened.delete(key);
  }

  private async openAll(key: string, ports: readonly number[], forwarders: Forwarder[]): Promise<LoadBalancerAddress> {
    const mapped: Record<string, number> = {};
    for (const port of ports) {
      const forwarder = await this.openOne(key, port);
      forwarders.push(forwarder);
      if (forwarder.port !== port) mapped[port] = forwarder.port;
    }
    return { ip: "127.0.0.1", mapped };
  }

  /** The wanted port, 8080 for 80 and 8443 for 443 (browsers refuse 10080); any free one when that is taken. */
  private async openOne(key: string, port: number): Promise<Forwarder> {
    const pick = (): ReturnType<PickEndpoint> => this.pick(key, port);
    try {
      return await startForwarder("127.0.0.1", port < 1024 ? port + 8000 : port, pick, this.listen);
    } catch {
      return startForwarder("127.0.0.1", 0, pick, this.listen);
    }
  }
}
