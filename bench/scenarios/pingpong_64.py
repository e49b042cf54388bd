"""Ping-pong of 64 bytes over 32 TCP connections."""

from bench import redis
from bench.scenario import Against, Bar, Scenario
from l4d.terms import Protocol

SCENARIO = Scenario(
    name="pingpong-64",
    title="ping-pong, 64 B, 32 connections",
    unit="/s",
    operation="request",
    protocol=Protocol.TCP,
    prepare=redis.scenario(64),
    bar=Bar(0.95, Against.BEST),
    needs=redis.NEEDS,
)
