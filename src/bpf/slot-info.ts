import { ENUMS } from "./layout.gen.ts";

const INFO = ENUMS.ayaflow_info;

/** Side that is the client, of a slot's `info`: 0 for A. */
export function clientOf(info: number): 0 | 1 {
  return info & INFO.AYAFLOW_INFO_CLIENT_B ? 1 : 0;
}

/** How the client's packets cross the interface: the kernel notes how the first packet did, whoever sent it. */
export function clientDirectionOf(info: number): number {
  const first = info & INFO.AYAFLOW_INFO_FIRST_B ? 1 : 0;
  const firstDirection = info & INFO.AYAFLOW_INFO_FIRST_EGRESS ? 1 : 0;
  return clientOf(info) === first ? firstDirection : 1 - firstDirection;
}
