import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { AgentClient } from "../data/client.ts";
import type { Gate } from "../data/polling.ts";
import type { Place } from "./place.ts";
import type { Settings } from "./settings.ts";

/** `push`: the back button leads back here; `replace`: it does not. */
export type How = "push" | "replace";

/** What all parts of the page share. */
export interface Page {
  client: AgentClient;
  settings: Settings;
  place: Place;
  go: (change: Partial<Place>, how?: How) => void;
  /** Open while the page is seen and the agent answers. */
  gate: Gate;
  /** Open while the page is seen and the agent may be asked whether it is back. */
  probeGate: Gate;
}

const PageContext = createContext<Page | null>(null);
export const PageProvider = PageContext.Provider;

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === null) throw new Error("usePage outside of PageProvider");
  return page;
}
