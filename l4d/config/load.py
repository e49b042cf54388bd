"""The way from a file's name to a complete configuration.

files -> --set -> draft, every key read -> checked as a whole -> Config, or all problems at once
"""

from collections.abc import Sequence

from l4d.config.check import check
from l4d.config.draft import Draft, read_draft
from l4d.config.files import read_files
from l4d.config.kinds import Values
from l4d.config.model import Admin, Config, Listener, Log, Main, Resolver, Upstream
from l4d.config.override import override


def load(path: str, overrides: Sequence[str] = ()) -> Config:
    """The configuration in the file *path* and those it includes, with *overrides* such as "main.workers=2".

    Raises ConfigError with everything that is wrong, and StartError when a file cannot be read.
    """
    document = read_files(path)
    override(document, overrides)
    draft = read_draft(document)
    check(draft, document.problems)
    document.problems.stop_if_any(document.files)
    return _config(draft, document.files)


def _config(draft: Draft, files: list[str]) -> Config:
    return Config(
        main=Main(**draft.main),
        log=Log(**draft.log),
        admin=_admin(draft.admin),
        resolver=_resolver(draft.resolver),
        listeners={name: _listener(name, values) for name, values in draft.listeners.items()},
        upstreams={name: _upstream(name, values) for name, values in draft.upstreams.items()},
        files=tuple(files),
    )


def _admin(values: Values) -> Admin:
    listen = next(iter(values["listen"].addresses), None)
    return Admin(**{**values, "listen": listen, "allow": tuple(values["allow"].values())})


def _resolver(values: Values) -> Resolver:
    return Resolver(**{**values, "nameservers": tuple(values["nameservers"].values())})


def _listener(name: str, values: Values) -> Listener:
    binds = values["bind"].values()
    bound = tuple(address for bind in binds for address in bind.addresses)
    return Listener(**{**values, "name": name, "bind": tuple(bind.text for bind in binds), "addresses": bound})


def _upstream(name: str, values: Values) -> Upstream:
    return Upstream(**{**values, "name": name, "servers": tuple(values["servers"].values())})
