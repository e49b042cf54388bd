"""What a browser may do with the page."""

import base64
import hashlib

from l4d.admin.files import policy


def of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_each_script_and_style_of_the_page_may_be_used_and_nothing_else() -> None:
    page = (
        "<style>\na { }\n</style><p>é</p><script defer>one()</script><style media='print'>b</style><script>two</script>"
    )
    told = dict(part.split(" ", 1) for part in policy(page).split("; "))
    assert told["script-src"] == f"{of('one()')} {of('two')}"
    assert told["style-src"] == f"{of(chr(10) + 'a { }' + chr(10))} {of('b')}"
    assert told["default-src"] == told["frame-ancestors"] == told["base-uri"] == "'none'"


def test_a_page_without_any_may_use_none() -> None:
    assert "script-src 'none'; style-src 'none'" in policy("<p>l4d")
