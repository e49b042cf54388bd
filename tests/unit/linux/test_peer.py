"""Who is at the other end."""

import os
import socket

from l4d.linux.peer import Peer, peer_of


def test_the_peer_of_a_pair_is_who_made_it() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_of(ours) == peer_of(theirs) == Peer(os.getpid(), os.geteuid(), os.getegid())
