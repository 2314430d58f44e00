export const DNS_PORT = 53;
/** RFC 6762 section 3. */
export const MDNS_PORT = 5353;
/** RFC 4795 section 2. */
export const LLMNR_PORT = 5355;

/** The ports of a packet. */
export interface Ports {
  sourcePort: number;
  destinationPort: number;
}

/** Whether either end has `port`. */
export function hasPort({ sourcePort, destinationPort }: Ports, port: number): boolean {
  return sourcePort === port || destinationPort === port;
}

/** Whether every packet is looked at, as in the kernel (bpf/inspect.h). */
export function isOnDnsPort(ports: Ports): boolean {
  return hasPort(ports, DNS_PORT) || hasPort(ports, MDNS_PORT) || hasPort(ports, LLMNR_PORT);
}
