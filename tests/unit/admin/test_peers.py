"""Who asks."""

from pathlib import Path

import pytest

from l4d.admin.peers import user_name

USERS = "root:x:0:0:root:/root:/bin/sh\nbroken\nalice:x:1000:1000::/home/alice:/bin/sh\nagain:x:1000:1::/:/bin/sh\n"


@pytest.mark.parametrize(("uid", "name"), [(0, "root"), (1000, "alice"), (7, "")])
def test_a_user_has_the_name_that_the_file_says(tmp_path: Path, uid: int, name: str) -> None:
    file = tmp_path / "passwd"
    file.write_text(USERS)
    assert user_name(uid, str(file)) == name


def test_without_the_file_nobody_has_a_name(tmp_path: Path) -> None:
    assert user_name(0, str(tmp_path / "passwd")) == ""
