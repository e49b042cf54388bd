"""Addresses that overlap without being written alike: one l4d may have both, two may not."""

import socket

import pytest

from tests.kit import Echo, Start, ask, command, free_port


def toml(bind: str, server: Echo) -> str:
    return f"""
        [listeners.web]
        bind = "{bind}"
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
    """


@pytest.mark.parametrize(("first", "second"), [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0"), ("*", "[::1]")])
def test_a_second_instance_on_an_overlapping_address_is_refused(start: Start, first: str, second: str) -> None:
    port = free_port()
    with Echo("one") as one, Echo("two") as two:
        running = start(toml(f"{first}:{port}", one))
        other = running.folder / "other.toml"
        other.write_text(toml(f"{second}:{port}", two))
        outcome = command("-c", other)
        assert outcome.returncode == 1
        assert "the address is in use" in outcome.stderr
        assert outcome.stderr.count("\n") == 1


def test_a_program_that_would_share_the_address_is_found_out_too(start: Start) -> None:
    with Echo("one") as one, socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        with pytest.raises(AssertionError, match="the address is in use"):
            start(toml(f"127.0.0.1:{stranger.getsockname()[1]}", one))


def test_one_instance_may_have_an_address_and_all_of_them(start: Start) -> None:
    port = free_port()
    with Echo("one") as one, Echo("two") as two:
        daemon = start(toml(f"0.0.0.0:{port}", one))
        assert ask(daemon.address()) == "one"
        daemon.reload(
            f"""
            [listeners.web]
            bind = "0.0.0.0:{port}"
            upstream = "web"

            [listeners.local]
            bind = "127.0.0.1:{port}"
            upstream = "local"

            [upstreams.web]
            servers = ["{one.address}"]

            [upstreams.local]
            servers = ["{two.address}"]
        """
        )
        assert ask(daemon.address("local")) == "two"
