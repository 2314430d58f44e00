/** Services that people know by name, on their IANA ports. */
const SERVICES: ReadonlyMap<number, string> = new Map([
  [20, "FTP data"],
  [21, "FTP"],
  [22, "SSH"],
  [23, "Telnet"],
  [25, "SMTP"],
  [53, "DNS"],
  [67, "DHCP"],
  [68, "DHCP"],
  [80, "HTTP"],
  [88, "Kerberos"],
  [110, "POP3"],
  [123, "NTP"],
  [143, "IMAP"],
  [161, "SNMP"],
  [179, "BGP"],
  [389, "LDAP"],
  [443, "HTTPS"],
  [445, "SMB"],
  [465, "SMTPS"],
  [514, "Syslog"],
  [546, "DHCPv6"],
  [547, "DHCPv6"],
  [587, "Submission"],
  [636, "LDAPS"],
  [853, "DNS over TLS"],
  [873, "rsync"],
  [993, "IMAPS"],
  [995, "POP3S"],
  [1194, "OpenVPN"],
  [1433, "SQL Server"],
  [1883, "MQTT"],
  [2049, "NFS"],
  [2379, "etcd"],
  [3306, "MySQL"],
  [3389, "RDP"],
  [3478, "STUN"],
  [5060, "SIP"],
  [5201, "iperf3"],
  [5353, "mDNS"],
  [5355, "LLMNR"],
  [5432, "PostgreSQL"],
  [5672, "AMQP"],
  [6379, "Redis"],
  [6443, "Kubernetes"],
  [8080, "HTTP"],
  [8443, "HTTPS"],
  [9090, "Prometheus"],
  [9092, "Kafka"],
  [9200, "Elasticsearch"],
  [10250, "kubelet"],
  [11211, "memcached"],
  [27017, "MongoDB"],
  [51820, "WireGuard"],
]);

const WITH_PORTS = new Set(["TCP", "UDP", "SCTP", "UDPLite", "DCCP"]);

/** Name of the service that a port usually is; undefined where there is none, or the protocol has no ports. */
export function serviceName(port: number, protocol?: string): string | undefined {
  if (protocol !== undefined && !WITH_PORTS.has(protocol)) return undefined;
  return port === 443 && protocol === "UDP" ? "QUIC" : SERVICES.get(port);
}

export function hasPorts(protocol: string): boolean {
  return WITH_PORTS.has(protocol);
}

/** `192.0.2.1:443`, `[2001:db8::1]:443`; the address alone without ports. */
export function endpointText(address: string, port: number, protocol: string): string {
  if (!hasPorts(protocol)) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
