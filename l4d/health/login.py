"""What the checks of databases that log in have in common: the role, the words of a failure."""

from l4d.config.model import Check
from l4d.health.probe import Answer
from l4d.health.words import is_of_the_system, one_line, reason
from l4d.terms import Role


class Login:
    """Who logs in, with what. The secret is in no text that this gives away."""

    def __init__(self, check: Check, secret: str | None) -> None:
        self.user = check.user
        self.database = check.database
        self.secret = secret

    def __repr__(self) -> str:
        return f"Login({self.user!r})"

    def failure(self, error: BaseException, known: tuple[type[BaseException], ...] = (), kind: str = "") -> str:
        """What a library's *error* says, as a reason; where it is wrapped around another one, the innermost speaks.

        The words of *known* errors are meant to be read. Where there are such, any other is what the library has
        tripped over, for the server is not of the *kind* that it knows.

        A server may send back what it was sent, so the secret is taken out.
        """
        cause = _of_the_system(error)
        if cause is not None:
            return reason(cause)
        while error.__cause__ is not None:
            error = error.__cause__
        text = str(error) or type(error).__name__
        if known and not isinstance(error, known):
            text = f"not {kind} as we know it: {text}"
        if self.secret:
            text = text.replace(self.secret, "***")
        return one_line(text)


def _of_the_system(error: BaseException | None) -> BaseException | None:
    while error is not None and not is_of_the_system(error):
        error = error.__cause__ or error.__context__
    return error


def as_wanted(wanted: Role, found: Role) -> Answer:
    """The answer of a server that has told its role. It counts at once: after a failover nobody waits for `fall`."""
    return Answer(well=found is wanted, why=f"is a {found.value}", definite=True)
