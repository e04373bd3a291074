import type { Messages } from "../wire/codec.ts";
import type { Address } from "./request.ts";

type Listener = Messages["envoy.config.listener.v3.Listener"];

/**
 * The listener of a captured connection: the one at the address the client meant, else the one at any address of that port,
 * else the capturing listener itself (`use_original_dst`). undefined: nobody captures.
 */
export function chooseListener(
  listeners: readonly Listener[],
  captures: (listener: Listener) => boolean,
  destination: Address,
): Listener | undefined {
  const at = (address: string): Listener | undefined =>
    listeners.find(
      (listener) =>
        !captures(listener) &&
        addressesOf(listener).some((own) => own.port === destination.port && own.address === address),
    );
  const wildcard = destination.address.includes(":") ? "::" : "0.0.0.0";
  return at(destination.address) ?? at(wildcard) ?? listeners.find(captures);
}

function addressesOf(listener: Listener): readonly Address[] {
  return [listener.address, ...(listener.additional_addresses ?? []).map(({ address }) => address)].flatMap(
    (address) => {
      const socket = address?.socket_address;
      return socket?.address === undefined || socket.port_value === undefined
        ? []
        : [{ address: socket.address, port: socket.port_value }];
    },
  );
}
