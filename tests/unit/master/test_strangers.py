"""The next program's processes, as the running master sees them."""

import os
import signal
import socket
from typing import cast

from l4d.loop.loop import Loop
from l4d.master.estate import Estate
from l4d.master.strangers import Strangers
from l4d.stats.columns import Columns
from tests.unit.making import OwnBoard
from tests.unit.master.played import Process


def test_those_that_live_are_killed_though_another_one_has_just_ended_by_itself() -> None:
    loop = Loop()
    gone: list[bool] = []
    estate = Estate(OwnBoard(rows=8, columns=2048), Columns(), 1, cast(socket.socket, None))
    strangers = Strangers(loop, estate, {0, 1}, lambda: gone.append(strangers.alive))
    ended, lives = Process(1), Process(1)
    for row, process in enumerate((ended, lives), 2):
        strangers.write(row, 100)
        strangers.born(os.dup(process.pidfd))
    os.kill(ended.pid, signal.SIGKILL)
    os.waitpid(ended.pid, 0)
    strangers.kill()
    os.waitpid(lives.pid, 0)
    while strangers.alive:
        loop.turn()
    assert gone[-1] is False
    for process in (ended, lives):
        process.clean_up()
        process.ours.close()
        os.close(process.pidfd)
    loop.shut()
