"""Ping-pong of small datagrams over 32 UDP flows."""

from bench import dns
from bench.scenario import Against, Bar, Scenario
from l4d.terms import Protocol

SCENARIO = Scenario(
    name="udp-pingpong",
    title="UDP ping-pong, 32 flows",
    unit="/s",
    operation="request",
    protocol=Protocol.UDP,
    prepare=dns.prepare,
    bar=Bar(1.05, Against.NGINX),
    needs=dns.NEEDS,
)
