"""`l4d explain`: which server a client would get, and why none of the others."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from l4d.cli.commands.asked import Asked
from l4d.cli.commands.client import Client, Json
from l4d.cli.commands.page import show, show_json, width
from l4d.cli.commands.servers import DOUBTFUL, GOOD
from l4d.cli.commands.sessions import tell_silent
from l4d.cli.commands.table import Column, Row, table
from l4d.cli.commands.told import rows, words

_ANSWERS = (Column("WORKER"), Column("SERVER"), Column("ADDRESS", 1), Column("WHY", folds=True))
_SERVERS = (Column("SERVER"), Column("ADDRESS", 1), Column("TAKES IT"), Column("WHY", folds=True))


def explain(asked: Asked, client: Client) -> int:
    """Show what becomes of a client."""
    answer = client.get("explain", listener=asked.values["listener"], client=asked.values["client"])
    tell_silent(answer, "whom it would choose is not known")
    if asked.json:
        show_json(answer)
        return 0
    show(picture(answer))
    return 0


def picture(answer: Json) -> Iterator[RenderableType]:
    answers = rows(answer, "answers")
    chosen = list(dict.fromkeys(words(one, "server") for one in answers))
    yield _sentence(answer, answers, chosen)
    if len(chosen) > 1:
        yield Text()
        yield table(_ANSWERS, [_answer_row(one) for one in answers], width())
    yield Text()
    yield table(_SERVERS, [_server_row(one) for one in rows(answer, "servers")], width())


def _sentence(answer: Json, answers: list[Json], chosen: list[str]) -> Text:
    who = f"{words(answer, 'client')} of listener {words(answer, 'listener')}"
    how = f"upstream {words(answer, 'upstream')}, {words(answer, 'balance')}"
    if not answers:
        return Text(f"{who}: no worker has answered ({how})", DOUBTFUL)
    if len(chosen) > 1:
        return Text(f"{who}: it depends on the worker it comes to ({how})")
    verb = "gets" if answer.get("certain") else "would get, if it came now,"
    server, why = chosen[0], words(answers[0], "why")
    if not server:
        return Text.assemble(f"{who} {verb} ", ("no server", DOUBTFUL), f" ({how}): {why}")
    return Text.assemble(f"{who} {verb} ", (server, GOOD), f" ({how}): {why}")


def _answer_row(one: Json) -> Row:
    return words(one, "worker"), words(one, "server") or ("none", DOUBTFUL), words(one, "address"), words(one, "why")


def _server_row(one: Json) -> Row:
    takes = bool(one.get("takes"))
    return words(one, "name"), words(one, "address"), ("yes", GOOD) if takes else ("no", DOUBTFUL), words(one, "why")
