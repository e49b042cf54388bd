"""A stage of a session: what an operator may ask of it, and do to it, wherever it stands."""

from typing import Protocol

from l4d.session.session import Session


class Stage(Protocol):
    """A dial, a wait in the queue, a relay, a farewell or a flow."""

    @property
    def session(self) -> Session: ...

    @property
    def current(self) -> bool:
        """Whether the session is still here: it may be over, or have gone on to another stage or another worker."""
        ...

    @property
    def phase(self) -> str:
        """Where the session is, in a word."""
        ...

    @property
    def silent_since(self) -> float:
        """Since when nothing has happened, in monotonic seconds, as exact as the deadline. Only while it is current."""
        ...

    @property
    def moved(self) -> tuple[int, int]:
        """Bytes up and down that the facts of the session do not have yet."""
        ...

    def kill(self) -> None:
        """End the session, by the will of an operator. Only while it is current."""
        ...
