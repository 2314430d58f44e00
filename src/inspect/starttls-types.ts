/** A protocol that begins in the clear and goes on in TLS on the same connection. */
export type StartTlsProtocol =
  | "smtp"
  | "lmtp"
  | "imap"
  | "pop3"
  | "ftp"
  | "nntp"
  | "managesieve"
  | "xmpp"
  | "ldap"
  | "postgresql"
  | "mysql"
  | "rdp"
  | "proxy";

/** What a client spoke before it began TLS. */
export interface StartTls {
  protocol: StartTlsProtocol;
}
