import { usePage } from "../state/page.ts";
import { LiveConnections } from "./live-connections.tsx";
import { PastConnections } from "./past-connections.tsx";

/** The table of connections: those that live, or the conversations of a time in the past. */
export function Connections() {
  const { range } = usePage().place;
  return range.kind === "live" ? <LiveConnections /> : <PastConnections />;
}
