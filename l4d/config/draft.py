"""What the document says, read table by table, with every default filled in: the draft of a configuration.

Where something was wrong, it has been noted, and the draft has the default or a gap. So the draft can be checked
for how its parts fit together even when some are wrong.
"""

import re
from dataclasses import dataclass

from l4d.config.document import Document
from l4d.config.kinds import Section, Values
from l4d.config.positions import KeyPath
from l4d.config.problems import Problems
from l4d.config.reading import defaults, note_missing, read_section
from l4d.config.schema import ADMIN, LISTENER, LOG, MAIN, RESOLVER, TOP, UPSTREAM
from l4d.config.suggest import did_you_mean, one_of
from l4d.config.unknown import TABLES, unknown
from l4d.config.values import described
from l4d.terms import Word

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Draft:
    """The values of each table by key. `bind`, `servers`, `nameservers` and `allow` are dicts by place in the list."""

    main: Values
    log: Values
    admin: Values
    resolver: Values
    listeners: dict[str, Values]
    upstreams: dict[str, Values]


def read_draft(document: Document) -> Draft:
    """The draft of *document*; what is wrong with it is noted there."""
    tree, problems = document.tree, document.problems

    def read(section: Section, name: str) -> Values:
        return {**defaults(section), **read_section(section, tree.get(name, {}), (name,), problems)}

    for name in tree.keys() - set(TABLES):
        problems.add((name,), unknown(name, TOP))
    shared = _shared(tree.get("defaults", {}), problems)
    return Draft(
        main=read(MAIN, "main"),
        log=read(LOG, "log"),
        admin=read(ADMIN, "admin"),
        resolver=read(RESOLVER, "resolver"),
        listeners={
            name: _listener(table, shared["listeners"], ("listeners", name), problems)
            for name, table in _named(tree.get("listeners", {}), ("listeners",), problems).items()
        },
        upstreams={
            name: _upstream(table, shared["upstreams"], ("upstreams", name), problems)
            for name, table in _named(tree.get("upstreams", {}), ("upstreams",), problems).items()
        },
    )


def _shared(tables: object, problems: Problems) -> dict[str, Values]:
    """What [defaults.listeners] and [defaults.upstreams] say."""
    sections: dict[str, Section] = {"listeners": LISTENER, "upstreams": UPSTREAM}
    shared: dict[str, Values] = {name: {} for name in sections}
    for name, table in _tables(tables, ("defaults",), problems).items():
        if name in sections:
            shared[name] = read_section(sections[name], table, ("defaults", name), problems)
        else:
            problems.add(("defaults", name), f"no such table{did_you_mean(name, sections)}")
    return shared


def _named(tables: object, path: KeyPath, problems: Problems) -> dict[str, object]:
    """The tables of listeners, or upstreams, by name."""
    named = _tables(tables, path, problems)
    for name in named:
        if not _NAME.fullmatch(name):
            problems.add((*path, name), "a name is made of 1 to 64 letters, digits, '_', '-' and '.'")
    return named


def _tables(tables: object, path: KeyPath, problems: Problems) -> dict[str, object]:
    if isinstance(tables, dict):
        return tables
    problems.add(path, f"must be tables with a name, as in [{path[0]}.NAME], not {described(tables)}")
    return {}


def _upstream(table: object, shared: Values, path: KeyPath, problems: Problems) -> Values:
    words = "is for upstreams balanced by {}; this one is balanced by {}"
    return _decided(UPSTREAM, "balance", words, table, shared, path, problems)


def _listener(table: object, shared: Values, path: KeyPath, problems: Problems) -> Values:
    return _decided(LISTENER, "protocol", "is for {} listeners; this one is {}", table, shared, path, problems)


def _decided(
    section: Section, by: str, words: str, table: object, shared: Values, path: KeyPath, problems: Problems
) -> Values:
    """The values of *table*, where the key *by* decides which defaults there are, and which other keys.

    Of what is *shared*, that counts which fits. The table itself must not have what does not: *words* say so.
    """
    own = read_section(section, table, path, problems)
    decided: Word = own.get(by) or shared.get(by) or defaults(section)[by]
    fitting = {name: value for name, value in shared.items() if section.keys[name].fits(decided)}
    values = {**defaults(section, decided), **fitting, **own}
    note_missing(section, table, values, path, problems)
    if problems.within((*path, by)) or problems.within(("defaults", path[0], by)):
        return values  # nobody knows what was meant
    for name in own:
        key = section.keys[name]
        if not key.fits(decided):
            fits = one_of([str(one.value) for one in key.only])
            problems.add((*path, name), words.format(fits, decided.value))
    return values
