import { WireText } from "../parts/text.tsx";
import { visibleText } from "../text/safe-text.ts";
import { hasPorts, serviceName } from "../text/services.ts";

interface ServerProps {
  name: string | null;
  address: string;
}

/** The server: its name first where one is known, then its address. */
export function ServerEnd({ name, address }: ServerProps) {
  if (name === null) return <span class="address">{address}</span>;
  return (
    <span title={`${visibleText(name)} ${address}`}>
      <WireText text={name} /> <span class="address muted">{address}</span>
    </span>
  );
}

/** `HTTPS 443`, or the port alone. */
export function ServicePort({ port, protocol }: { port: number; protocol: string }) {
  if (!hasPorts(protocol)) return <span class="muted">–</span>;
  const service = serviceName(port, protocol);
  return service === undefined ? (
    <span>{port}</span>
  ) : (
    <>
      {service} <span class="muted">{port}</span>
    </>
  );
}
