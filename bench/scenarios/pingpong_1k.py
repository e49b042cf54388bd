"""Ping-pong of 1 KB over 32 TCP connections."""

from bench import redis
from bench.scenario import Against, Bar, Scenario
from l4d.terms import Protocol

SCENARIO = Scenario(
    name="pingpong-1k",
    title="ping-pong, 1 KB, 32 connections",
    unit="/s",
    operation="request",
    protocol=Protocol.TCP,
    prepare=redis.scenario(1024),
    bar=Bar(0.95, Against.BEST),
    needs=redis.NEEDS,
)
