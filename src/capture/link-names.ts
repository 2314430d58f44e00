/** Link types that captures are met with (tcpdump.org/linktypes.html). */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0, "BSD loopback"],
  [1, "Ethernet"],
  [6, "Token Ring"],
  [8, "SLIP"],
  [9, "PPP"],
  [10, "FDDI"],
  [50, "PPP in HDLC-like framing"],
  [51, "PPPoE"],
  [101, "raw IP"],
  [104, "Cisco HDLC"],
  [105, "IEEE 802.11"],
  [107, "Frame Relay"],
  [108, "OpenBSD loopback"],
  [113, "Linux cooked"],
  [117, "OpenBSD pflog"],
  [119, "IEEE 802.11 with Prism header"],
  [127, "IEEE 802.11 with radiotap header"],
  [163, "IEEE 802.11 with AVS header"],
  [166, "PPP by pppd"],
  [187, "Bluetooth HCI"],
  [189, "Linux USB"],
  [192, "PPI"],
  [195, "IEEE 802.15.4"],
  [220, "Linux USB, padded"],
  [227, "CAN"],
  [228, "raw IPv4"],
  [229, "raw IPv6"],
  [247, "InfiniBand"],
  [249, "USBPcap"],
  [253, "Netlink"],
  [276, "Linux cooked v2"],
]);

/** A link type for a person: `IEEE 802.11 (105)`, else `link type 300`. */
export function linkTypeName(linkType: number): string {
  const name = NAMES.get(linkType);
  return name === undefined ? `link type ${linkType}` : `${name} (${linkType})`;
}
