"""How the files of a configuration are read: the first, and those it includes, into one document."""

import errno
import glob
import os
from pathlib import Path

from l4d.config.document import Document
from l4d.config.positions import KeyPath, positions
from l4d.config.problems import Place, Problems
from l4d.config.reading import read_value
from l4d.config.schema import TOP
from l4d.config.toml import NotToml, parse
from l4d.errors import StartError

_LARGEST = 16 * 1024 * 1024  # a device in place of a file would never end


def read_files(path: str) -> Document:
    """The document that begins in *path*.

    Raises StartError for a file that cannot be read, and ConfigError when one is not TOML: what stands in the
    others cannot be judged without it.
    """
    places: dict[KeyPath, Place] = {}
    document = Document({}, places, [path], Problems(places, Place(path, 0)))
    seen = {os.path.realpath(path)}
    all_toml = True
    for name in document.files:  # grows by what is included
        try:
            text = _text(name)
            tree = parse(text)
            lines = positions(text)
        except NotToml as error:
            document.problems.add_at(Place(name, error.line), "", str(error))
            all_toml = False
            continue
        here = {key: Place(name, line) for key, line in lines.items()}
        document.files += _included(tree.pop("include", []), name, here, seen, document.problems)
        document.merge(tree, here)
    if not all_toml:
        document.problems.stop_if_any(document.files)
    return document


def _text(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise StartError(f"cannot read {name}: {error.strerror}") from None
    if len(data) > _LARGEST:
        raise StartError(f"cannot read {name}: larger than {_LARGEST >> 20} MiB")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotToml(line, f"not TOML: not UTF-8: {error.reason}") from None


def _included(include: object, name: str, here: dict[KeyPath, Place], seen: set[str], problems: Problems) -> list[str]:
    """The files that `include` in file *name* stands for. One that was read already is a problem: no loops."""
    own = Problems(here, Place(name, 0))
    files: list[str] = []
    for index, pattern in read_value(TOP.keys["include"].kind, include, ("include",), own).items():
        for file in _matches(name, pattern):
            if os.path.realpath(file) in seen:
                own.add(("include", index), f"'{file}' is read already; a file can be included once, and not by itself")
                continue
            if (why := _unreadable(file)) is not None:
                own.add(("include", index), f"cannot read '{file}': {why}")
                continue
            seen.add(os.path.realpath(file))
            files.append(file)
    problems.take(own)
    return files


def _unreadable(file: str) -> str | None:
    """Why *file* cannot be read, or None if it can."""
    try:
        os.close(os.open(file, os.O_RDONLY | os.O_NONBLOCK))
    except OSError as error:
        return error.strerror
    return os.strerror(errno.EISDIR) if Path(file).is_dir() else None


def _matches(name: str, pattern: str) -> list[str]:
    """The files *pattern* names, seen from file *name*: those there are, or, without a wildcard, that very one."""
    folder = str(Path(name).parent)
    if not glob.has_magic(pattern):
        return [str(Path(folder, pattern))]
    return sorted(glob.glob(str(Path(glob.escape(folder), pattern))))
