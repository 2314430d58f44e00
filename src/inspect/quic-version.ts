export type LongPacketType = "initial" | "0rtt" | "handshake" | "retry";

/** Numbers of the frames of an Initial packet; null for those of another format than RFC 9000's. */
export interface FrameTypes {
  ping: number;
  ack: number | null;
  ackEcn: number | null;
  crypto: number;
  close: number | null;
}

/** What differs between versions of QUIC, as far as Initial packets go. */
export interface QuicVersion {
  /** Of the Initial secret (RFC 9001 section 5.2). */
  salt: Uint8Array;
  /** HKDF labels of a packet protection key, its IV and the header protection key (RFC 9001 section 5.1). */
  labels: { key: string; iv: string; hp: string };
  /** By the two type bits of a long header (RFC 9000 section 17.2). */
  types: readonly [LongPacketType, LongPacketType, LongPacketType, LongPacketType];
  frames: FrameTypes;
}

const VERSION_1 = 0x00000001;
/** RFC 9369. */
const VERSION_2 = 0x6b3343cf;
const DRAFT = 0xff000000;
/** The first draft whose long header is that of RFC 9000. */
const FIRST_DRAFT = 22;
const LAST_DRAFT = 34;

/** RFC 9000 section 12.4. */
const frames: FrameTypes = { ping: 0x01, ack: 0x02, ackEcn: 0x03, crypto: 0x06, close: 0x1c };
/** Google's numbers, under the header and the keys of drafts; its ACK and CONNECTION_CLOSE look different. */
const googleFrames: FrameTypes = { ping: 0x07, ack: null, ackEcn: null, crypto: 0x08, close: null };

function version(salt: string, types = frames): QuicVersion {
  return {
    salt: Uint8Array.fromHex(salt),
    labels: { key: "quic key", iv: "quic iv", hp: "quic hp" },
    types: ["initial", "0rtt", "handshake", "retry"],
    frames: types,
  };
}

const v1 = version("38762cf7f55934b34d179ae6a4c80cadccbb7f0a");
const v2: QuicVersion = {
  salt: Uint8Array.fromHex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
  labels: { key: "quicv2 key", iv: "quicv2 iv", hp: "quicv2 hp" },
  types: ["retry", "initial", "0rtt", "handshake"],
  frames,
};
const draft22 = version("7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a");
const draft23 = version("c3eef712c72ebb5a11a7d2432bb46365bef9f502");
const draft29 = version("afbfec289993d24c9e9786f19c6111e04390a899");

function draftVersion(draft: number): QuicVersion {
  if (draft >= 33) return v1;
  if (draft >= 29) return draft29;
  return draft >= 23 ? draft23 : draft22;
}

const VERSIONS = new Map<number, QuicVersion>([
  [VERSION_1, v1],
  [VERSION_2, v2],
  // Google's QUIC with TLS: T050, T051.
  [0x54303530, version("7ff579e5acd072915580304c43a2367c60488310")],
  [0x54303531, version("7a4edef4e7ccee5fa4506c19124fc8ccda6e033d", googleFrames)],
  // Facebook's mvfst, which has names of its own for v1 and for drafts.
  [0xfaceb001, draft22],
  [0xfaceb002, draft23],
  [0xfaceb003, v1],
  [0xfaceb00e, draft23],
  [0xfaceb00f, draft23],
  [0xfaceb010, draft23],
  [0xfaceb011, draft23],
  [0xfaceb013, draft23],
]);
for (let draft = FIRST_DRAFT; draft <= LAST_DRAFT; draft++) VERSIONS.set(DRAFT + draft, draftVersion(draft));

/** The version with this number; null when its Initial packets cannot be opened here, Google's without TLS among them. */
export function quicVersion(number: number): QuicVersion | null {
  return VERSIONS.get(number) ?? null;
}
