"""What a session costs at its end: nothing but being remembered, or a line of the access log as well, in each form."""

from collections import deque
from pathlib import Path

import pytest

from l4d.config.template import FIELDS
from l4d.log.access import AccessLog
from l4d.log.log import Log
from l4d.log.outlets import open_outlet
from l4d.loop.deadlines import Deadlines
from l4d.loop.loop import Loop
from l4d.session.forms import TextForm, make_form
from l4d.session.journal import Journal
from l4d.session.session import Session
from l4d.terms import End, Level
from tests.micro.benchmark import Benchmark
from tests.unit.making import Lines, Row, listener, upstream

FORMS = ["off", "text", "json", "$time $client $server $duration_ms $end", " ".join(f"${name}" for name in FIELDS)]


@pytest.mark.parametrize("form", FORMS, ids=["off", "text", "json", "short template", "long template"])
def test_a_session_is_written_down(benchmark: Benchmark, tmp_path: Path, form: str) -> None:
    row, loop = Row(), Loop()
    session = Session(row.service(loop, row.place(name="two")), ("203.0.113.9", 51812), 5432, 2, local=("10.0.0.9", 1))
    row.served(session)
    outlet = open_outlet(str(tmp_path / "access.log"), "log.access")
    access = AccessLog(outlet, lambda _lines: None)
    text, log = TextForm(listener()), Log(Lines(), Level.INFO, "worker")
    made = text if form == "off" else make_form(form, listener(), upstream(), 0, 1)
    flushes = Deadlines[AccessLog](1.0, lambda _access: None)
    journal = Journal(log, text, deque(maxlen=64), made, None if form == "off" else access, flushes)
    benchmark(journal.over, session, End.FINISHED)
    outlet.close()
    loop.shut()
