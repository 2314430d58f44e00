/** What the manual page says beside what the command line knows of itself. `word` is set in bold. */

export const DESCRIPTION = `
Counts every packet of the watched interfaces by connection, in the kernel, by eBPF programs that never change, drop or delay
anything. Shows the connections live and remembers them: in the page at http://127.0.0.1:3000/, in the terminal (\`ayaflow top\`), by
REST, WebSocket and Prometheus metrics, and by \`ayaflow history\`, with one filter language for all.

What cannot be kept is counted: coverage, the share of packets counted on a connection, is a number, and every loss has a stage and a
reason.
`;

export const COMMANDS_TEXT = `
Without a command it does what \`run\` does.
`;

export const SECTIONS: readonly (readonly [title: string, text: string])[] = [
  [
    "CONFIGURATION",
    `
Flags go over environment variables, those over the file of \`--config\`, that over the defaults. Without \`--config\` the service reads
/etc/ayaflow/ayaflow.yaml. Every option has a variable, named after the flag: \`--db-path\` is AYAFLOW_DB_PATH. AYAFLOW_CONFIG names the
file, AYAFLOW_API_TOKEN is the token itself.
`,
  ],
  [
    "FILTERS",
    `
Filters are close to those of tcpdump(8):

  host 10.0.0.0/8 and (port 443 or proto udp) and domain *.github.com and not iface lo
  rtt > 50ms or retrans > 10
  state established and bytes >= 1M

Words are host, net, src, dst, client, server, port, proto, iface, dir, domain, source, alpn, ja4, state, bytes, packets, rtt and
retrans. Quote what the shell would change.
`,
  ],
  [
    "FILES",
    `
/etc/ayaflow/ayaflow.yaml: configuration, every option with its default.

/etc/default/ayaflow: AYAFLOW_* variables for the service.

/var/lib/ayaflow/traffic.db: history, an SQLite database.
`,
  ],
  [
    "SIGNALS",
    `
SIGTERM and SIGINT: history is written, programs are detached, the agent ends.

SIGHUP: the configuration is read again and checked; with a mistake in it the agent goes on as it was. On a terminal SIGHUP ends it.
`,
  ],
  [
    "EXIT STATUS",
    `
0: done. 1: failure. 2: the command line or the configuration is wrong.
`,
  ],
  [
    "SECURITY",
    `
It needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, and no user in particular. The API listens on 127.0.0.1 unless \`--listen\` says otherwise;
\`--api-token-file\` and \`--allowed-ips\` guard it. Who can read it, or the database, sees who talks to whom on the host.
`,
  ],
  [
    "EXAMPLES",
    `
  ayaflow doctor
  ayaflow -i 'eth*' --deep-inspect
  ayaflow top port 443
  ayaflow history host 10.0.0.7 --since 03:12 --until 03:13
  curl -s localhost:3000/api/live?sort=rate
`,
  ],
  [
    "SEE ALSO",
    `
tcpdump(8), ss(8), bpftool(8), systemd.service(5)

https://github.com/ayaflow/ayaflow
`,
  ],
];
