import { QuicHandshake, type Side } from "../../src/inspect/quic.ts";
import { concat, pattern } from "./bytes.ts";
import { ACK, cryptoFrame, FIRST_ID, handshakeMessage, initialPacket, type InitialPacket } from "./quic.ts";
import { SERVER_ID } from "./quic-vectors.ts";

export const CLIENT = 0;
export const SERVER = 1;
export const CLIENT_ID = pattern(8, 3);
export const hello = pattern(500, 1);
export const clientHello = handshakeMessage(1, hello);
export const serverBody = pattern(90, 2);
export const serverHello = handshakeMessage(2, serverBody);

export type Sent = [datagram: Uint8Array, side: Side, isCut?: boolean];

export function handshake(...datagrams: readonly Sent[]): QuicHandshake {
  const quic = new QuicHandshake();
  for (const [datagram, side, isCut = false] of datagrams) quic.datagram(datagram, isCut, side);
  return quic;
}

/** The CRYPTO frame of bytes `start` to `end` of a message. */
export const piece = (start: number, end: number, message = clientHello) =>
  cryptoFrame(start, message.subarray(start, end));

export const fromClient = (frames: Uint8Array, options: InitialPacket = {}) =>
  initialPacket(frames, { sourceId: CLIENT_ID, ...options });
export const fromServer = (frames: Uint8Array, options: InitialPacket = {}) =>
  initialPacket(frames, {
    sender: "server",
    keyId: FIRST_ID,
    destinationId: CLIENT_ID,
    sourceId: SERVER_ID,
    ...options,
  });
export const wholeHello = fromClient(piece(0, clientHello.length));
export const answer = fromServer(concat(ACK, cryptoFrame(0, serverHello)));
