"""Maglev's table beside the dull one: each member, in its turn, walks its order until it meets a free slot."""

from hashlib import blake2b

from hypothesis import given, settings
from hypothesis import strategies as st

from l4d.upstream.maglev import SIZE, lay

entries = st.dictionaries(st.text(max_size=8), st.integers(1, 5).map(float), min_size=1, max_size=20)


def number(digest: bytes) -> int:
    return int.from_bytes(digest, "big")


def dull(of: list[tuple[str, float]]) -> list[int]:
    digests = [blake2b(name.encode(), digest_size=16).digest() for name, _weight in of]
    offsets = [number(digest[:8]) % SIZE for digest in digests]
    hops = [number(digest[8:]) % (SIZE - 1) + 1 for digest in digests]
    steps = [0] * len(of)
    credit = [0.0] * len(of)
    slots = [-1] * SIZE
    free = SIZE
    while True:
        for member, (_name, weight) in enumerate(of):
            credit[member] += weight / max(weight for _name, weight in of)
            if credit[member] < 1:
                continue
            credit[member] -= 1
            while slots[(offsets[member] + steps[member] * hops[member]) % SIZE] >= 0:
                steps[member] += 1
            slots[(offsets[member] + steps[member] * hops[member]) % SIZE] = member
            free -= 1
            if not free:
                return slots


@settings(deadline=None, max_examples=20)
@given(st.sets(st.text(max_size=8), min_size=2, max_size=20))
def test_who_leaves_gives_its_slots_to_the_others_and_few_besides_change_hands(names: set[str]) -> None:
    before, after = sorted(names), sorted(names)[1:]
    owners = [(before[one], after[other]) for one, other in zip(laid_for(before), laid_for(after), strict=True)]
    besides = sum(one != other for one, other in owners if one != before[0])
    assert besides <= 0.15 * SIZE / len(names)


def laid_for(names: list[str]) -> list[int]:
    slots = list(lay([(name, 1.0) for name in names]))[-1]
    assert slots is not None
    return slots.tolist()


@settings(deadline=None, max_examples=10)
@given(entries)
def test_the_table_is_that_of_the_paper(of: dict[str, float]) -> None:
    laid = list(lay(list(of.items())))[-1]
    assert laid is not None
    assert laid.tolist() == dull(list(of.items()))
