import { AyaflowError } from "../errors.ts";
import { claimName, closeFd } from "./libc.ts";

/** Agents that may count on one interface side by side. */
export const PLACES = 8;

/** Another agent is attached. */
export class InterfaceTakenError extends AyaflowError {}

/** An agent's right to be attached to an interface; it ends with the process at the latest. */
export interface Claim {
  /** Which of PLACES is ours. */
  place: number;
  /** Places that no living agent has, ours among them: what is attached there was left by a dead one. */
  free: readonly number[];
  release(): void;
}

/** Abstract sockets belong to the network namespace, as the interface does, and end with the process. */
const claimAt = (ifindex: number, place: number) =>
  claimName(`ayaflow/${ifindex}/ingress${place === 0 ? "" : `/${place}`}`);

/**
 * Claims an interface of this network namespace, the first free place of it.
 * @throws InterfaceTakenError when another agent has one and `share` is false, or when all are taken.
 */
export function claimInterface(name: string, ifindex: number, share: boolean): Claim {
  const claims = Array.from({ length: PLACES }, (_, place) => claimAt(ifindex, place));
  const free = claims.flatMap((fd, place) => (fd === null ? [] : [place]));
  const place = free[0];
  const mine = place === undefined || (free.length < PLACES && !share) ? null : (claims[place] ?? null);
  for (const fd of claims) if (fd !== null && fd !== mine) closeFd(fd);
  if (mine !== null && place !== undefined) return { place, free, release: () => closeFd(mine) };
  if (share)
    throw new InterfaceTakenError(`${name}: ${PLACES} agents are attached, the most there can be. Stop one.`);
  throw new InterfaceTakenError(
    `${name}: another agent is attached. Stop it, watch another interface, or count beside it with --share-interfaces.`,
  );
}
