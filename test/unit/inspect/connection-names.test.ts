import { expect, test } from "bun:test";
import { DOMAIN_SOURCES, type DomainSource, NO_NAMING } from "../../../src/flow/naming.ts";
import { ConnectionNames, mergeNaming } from "../../../src/inspect/connection-names.ts";

const named = (domainSource: DomainSource, domain = `${domainSource}.example`) => ({ domain, domainSource });

test("a name gives way to one of the same or a more trusted source, never to a less trusted one", () => {
  for (const [rank, known] of DOMAIN_SOURCES.entries()) {
    for (const [other, update] of DOMAIN_SOURCES.entries()) {
      const merged = mergeNaming({ ...NO_NAMING, ...named(known) }, named(update, "new.example"));
      expect(merged.domain).toBe(other <= rank ? "new.example" : `${known}.example`);
      expect(merged.domainSource).toBe(other <= rank ? update : known);
    }
  }
});

test("a handshake without a name keeps the name that DNS told", () => {
  const merged = mergeNaming(
    { ...NO_NAMING, ...named("dns") },
    { alpn: ["h2"], tlsVersion: "TLS 1.3", ech: false },
  );
  expect(merged).toEqual({ ...NO_NAMING, ...named("dns"), alpn: ["h2"], tlsVersion: "TLS 1.3" });
});

test("connections that are named alike share one object", () => {
  const names = new ConnectionNames();
  names.learn(1, named("sni"));
  names.learn(2, named("sni"));
  expect(names.get(1)).toBe(names.get(2));
  expect(names.get(3)).toBe(NO_NAMING);
});

test("counts what was named, not what was told twice", () => {
  const names = new ConnectionNames();
  names.learn(1, named("dns"));
  names.learn(1, { tlsVersion: "TLS 1.2" });
  names.learn(1, named("dns"));
  names.learn(1, named("sni"));
  expect(names.resolved).toBe(2);
});

test("forgets a connection with its number", () => {
  const names = new ConnectionNames();
  names.learn(1, named("http"));
  names.forget(1);
  expect(names.get(1)).toBe(NO_NAMING);
  expect([names.wants(1, "ptr"), names.wants(1, "sni")]).toEqual([true, true]);
});

test("wants only what is better than what it has", () => {
  const names = new ConnectionNames();
  names.learn(1, named("dns"));
  expect(DOMAIN_SOURCES.filter((source) => names.wants(1, source))).toEqual(["sni", "quic", "http"]);
});
