"""The drawing of the ratios."""

import re
from xml.etree import ElementTree as ET

from bench.chart import draw
from bench.scenario import Against, Bar, Better
from tests.unit.bench.making import outcome, run, series

BAR = Bar(1.1, Against.BEST)


def test_it_is_well_formed_and_says_what_it_shows() -> None:
    svg = draw(run(outcome(series("l4d", 9, 12), series("nginx 16k", 10, 10), bar=BAR)))
    texts = [element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {"some work", "loopback", "the bar", "1.05"} <= set(texts)


def test_where_less_is_better_the_ratio_is_turned_round() -> None:
    svg = draw(run(outcome(series("l4d", 5), series("HAProxy", 10), bar=BAR, better=Better.LOWER)))
    assert ">2.00<" in svg


def test_a_dot_that_does_not_reach_its_bar_is_left_of_it() -> None:
    svg = draw(run(outcome(series("l4d", 9), series("HAProxy", 10), bar=BAR)))
    dot = re.search(r'<circle class="missed" cx="([\d.]+)"', svg)
    bar = re.findall(r'<line class="bar" x1="([\d.]+)"', svg)[-1]
    assert dot is not None
    assert float(dot[1]) < float(bar)


def test_nothing_measured_is_drawn_too() -> None:
    ET.fromstring(draw(run()))
