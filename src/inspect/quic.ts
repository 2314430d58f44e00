import { CryptoStream } from "./crypto-stream.ts";
import { readInitialFrames, type InitialFrames } from "./quic-frames.ts";
import { InitialKeys, openPacket, type Sender } from "./quic-keys.ts";
import { parseLongHeader, type LongHeader } from "./quic-packet.ts";
import { quicVersion } from "./quic-version.ts";
import { BAD, found, MORE, type Reading } from "./reading.ts";

/**
 * What one handshake holds at most is the sum of these: both messages, and for each connection what came in of them,
 * about 60 KiB against hostile peers. An ordinary one holds 2 to 4 KiB.
 */
const MAX_MESSAGE: Record<Sender, number> = { client: 16 * 1024, server: 4 * 1024 };
const MAX_CONNECTIONS = 2;
/** A handshake takes one derivation, one more after a Retry and one more after a version change; a flood may not go on. */
const MAX_DERIVATIONS = 8;
/** Packets of one datagram that are looked at: there is no use for more than one of each type and version. */
const MAX_COALESCED = 8;
/** RFC 9000 section 7.2: a client that has not heard from the server makes up a connection ID at least this long. */
const MIN_FIRST_ID = 8;
/** RFC 8446 section 4: type and length. */
const MESSAGE_HEADER = 4;
const MESSAGE_TYPE: Record<Sender, number> = { client: 1, server: 2 };

/** An end of the flow. */
export type Side = 0 | 1;

/** One attempt of a client, under the keys of its first Destination Connection ID. Another begins after a Retry. */
interface Connection {
  destinationId: Uint8Array;
  client: Side;
  /** By version: a server may change it (RFC 9368 section 2.3), with keys from the same connection ID. */
  keys: Map<number, InitialKeys>;
  /** Highest packet number so far. */
  largest: Record<Sender, number>;
  streams: Record<Sender, CryptoStream>;
}

/** The body of the handshake message that a CRYPTO stream starts with (RFC 8446 section 4), as a view. */
function firstMessage(stream: Uint8Array, sender: Sender): Reading<Uint8Array> {
  const [type, high = 0, middle = 0, low = 0] = stream;
  if (type !== undefined && type !== MESSAGE_TYPE[sender]) return BAD;
  if (stream.length < MESSAGE_HEADER) return MORE;
  const end = MESSAGE_HEADER + high * 65536 + middle * 256 + low;
  if (end > MESSAGE_HEADER + MAX_MESSAGE[sender]) return BAD;
  return stream.length < end ? MORE : found(stream.subarray(MESSAGE_HEADER, end), end);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function startsMessage(frames: InitialFrames, sender: Sender): boolean {
  const first = frames.pieces.find((piece) => piece.offset === 0)?.bytes ?? new Uint8Array();
  return first.length >= MESSAGE_HEADER && firstMessage(first, sender).state !== "bad";
}

/**
 * Finds the ClientHello and the ServerHello in the Initial packets of one UDP flow (RFC 9000, 9001, 9369). Which end is
 * the client shows in whose packets the client's keys open. Never throws; work and memory are bounded.
 */
export class QuicHandshake {
  /** In use: of the server's latest Initial, until there is one of the client's, until one opens of the first long header. */
  version: number | null = null;
  /** Body of the message (RFC 8446 section 4.1.2), without its header. */
  clientHello: Uint8Array | null = null;
  /** The end that sent the ClientHello. */
  helloSide: Side | null = null;
  /** Body of the message (RFC 8446 section 4.1.3), without its header; that of a HelloRetryRequest, if one came first. */
  serverHello: Uint8Array | null = null;
  /** Initial packets that did not open: damaged, of a connection whose start was not seen, or forged. */
  failures = 0;
  /** An Initial packet was cut, by the capture. */
  isTruncated = false;

  /** Latest first. */
  private connections: Connection[] = [];
  private derivations = 0;
  private isForeign = false;
  private isNonsense = false;
  private hasServerVersion = false;

  /**
   * `done` with the ClientHello, a ServerHello may still come; `bad` when the client's bytes are no ClientHello or
   * nothing opened in as many attempts as are made; `no` while all is other protocols or versions not known here.
   */
  get state(): "more" | "done" | "bad" | "no" {
    if (this.clientHello !== null) return "done";
    if (this.isNonsense) return "bad";
    if (this.derivations >= MAX_DERIVATIONS && this.connections.length === 0) return "bad";
    return this.version === null && this.isForeign ? "no" : "more";
  }

  /** Bytes allocated for messages, whole or in part. */
  get memory(): number {
    let bytes = (this.clientHello?.length ?? 0) + (this.serverHello?.length ?? 0);
    for (const { streams } of this.connections) bytes += streams.client.memory + streams.server.memory;
    return bytes;
  }

  /** Takes the next UDP payload of the flow, which `side` sent; `isCut` when not all of it is there. Keeps no view of it. */
  datagram(bytes: Uint8Array, isCut: boolean, side: Side): void {
    let at = 0;
    for (let packets = 0; packets < MAX_COALESCED && at < bytes.length; packets++) {
      const header = parseLongHeader(bytes, at);
      if (header === null) {
        this.isForeign ||= at === 0;
        return;
      }
      if (header.type !== "negotiation") this.version ??= header.version;
      const isWhole = header.end <= bytes.length;
      if (header.type === "initial") {
        this.isTruncated ||= !isWhole && isCut;
        if ((!isWhole && !isCut) || !this.initial(bytes, header, side)) this.failures++;
      }
      at = header.end;
    }
  }

  /** Whether the packet opened. */
  private initial(datagram: Uint8Array, header: LongHeader, side: Side): boolean {
    for (const connection of this.connections) {
      const keys = connection.keys.get(header.version);
      if (keys !== undefined && this.open(datagram, header, side, connection, keys)) return true;
    }
    return this.changeVersion(datagram, header, side) || this.begin(datagram, header, side);
  }

  /** Tries keys of the packet's version for the connections that have none. */
  private changeVersion(datagram: Uint8Array, header: LongHeader, side: Side): boolean {
    for (const connection of this.connections) {
      if (connection.keys.has(header.version)) continue;
      const keys = this.derive(header.version, connection.destinationId);
      if (keys === null) return false;
      if (!this.open(datagram, header, side, connection, keys)) continue;
      connection.keys.set(header.version, keys);
      return true;
    }
    return false;
  }

  /** Tries whether the packet is the first of a client: under keys from its own connection ID, any after a Retry. */
  private begin(datagram: Uint8Array, header: LongHeader, side: Side): boolean {
    const id = header.destinationId;
    if (id.length < MIN_FIRST_ID && header.token.length === 0) return false;
    if (
      this.connections.some(
        ({ keys, destinationId }) => keys.has(header.version) && isSame(destinationId, id),
      )
    ) {
      return false;
    }
    const keys = this.derive(header.version, id);
    if (keys === null) return false;
    const connection: Connection = {
      destinationId: id.slice(),
      client: side,
      keys: new Map([[header.version, keys]]),
      largest: { client: -1, server: -1 },
      streams: {
        client: new CryptoStream(MESSAGE_HEADER + MAX_MESSAGE.client),
        server: new CryptoStream(MESSAGE_HEADER + MAX_MESSAGE.server),
      },
    };
    if (!this.open(datagram, header, side, connection, keys)) return false;
    this.connections = [connection, ...this.connections].slice(0, MAX_CONNECTIONS);
    return true;
  }

  private derive(number: number, destinationId: Uint8Array): InitialKeys | null {
    const version = quicVersion(number);
    if (version === null || this.derivations >= MAX_DERIVATIONS) return null;
    this.derivations++;
    return new InitialKeys(version, destinationId);
  }

  private open(
    datagram: Uint8Array,
    header: LongHeader,
    side: Side,
    connection: Connection,
    keys: InitialKeys,
  ): boolean {
    const sender: Sender = side === connection.client ? "client" : "server";
    const packet = openPacket(datagram, header, keys.of(sender), connection.largest[sender]);
    if (packet === null) return false;
    const frames = readInitialFrames(packet.payload, keys.version.frames, !packet.isVerified);
    if (!packet.isVerified && !this.isPlausible(frames, header, sender, connection)) return false;
    connection.largest[sender] = Math.max(connection.largest[sender], packet.number);
    if (sender === "server" || !this.hasServerVersion) this.version = header.version;
    this.hasServerVersion ||= sender === "server";
    this.take(frames, sender, connection);
    return true;
  }

  /** Whether a packet without verification was decrypted with the right keys: it starts the message, or has their very ID. */
  private isPlausible(
    frames: InitialFrames,
    header: LongHeader,
    sender: Sender,
    connection: Connection,
  ): boolean {
    if (!frames.isValid) return false;
    if (startsMessage(frames, sender)) return true;
    const isKnown = this.connections.includes(connection);
    return isKnown && sender === "client" && isSame(header.destinationId, connection.destinationId);
  }

  private take(frames: InitialFrames, sender: Sender, connection: Connection): void {
    if ((sender === "client" ? this.clientHello : this.serverHello) !== null) return;
    const stream = connection.streams[sender];
    for (const { offset, bytes } of frames.pieces) stream.add(offset, bytes);
    const message = firstMessage(stream.prefix, sender);
    if (message.state === "more") return;
    if (message.state === "found" && sender === "client") {
      this.clientHello = message.value.slice();
      this.helloSide = connection.client;
    } else if (message.state === "found") this.serverHello = message.value.slice();
    else if (sender === "client") this.isNonsense = true;
    for (const { streams } of [connection, ...this.connections]) streams[sender].clear();
  }
}
