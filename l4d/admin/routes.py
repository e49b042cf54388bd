"""Which path is answered by whom."""

from typing import TypeAlias

from aiohttp import web

from l4d.admin.config import Configuration
from l4d.admin.errors import Handler
from l4d.admin.explain import Explain
from l4d.admin.files import Description, Page
from l4d.admin.health import Healthz
from l4d.admin.house import House
from l4d.admin.listeners import Listeners
from l4d.admin.orders import Orders
from l4d.admin.recent import Recent
from l4d.admin.scrape import Scrape
from l4d.admin.sessions import Sessions
from l4d.admin.status import Status
from l4d.admin.upstreams import Upstreams
from l4d.admin.workers import Workers

Routes: TypeAlias = list[tuple[str, str, Handler]]
"""Method, path, and who answers. HEAD goes with GET."""

API = "/api/v1"


def routes(house: House, recent: Recent) -> Routes:
    """All there are."""
    upstreams = Upstreams(house)
    orders = Orders(house, upstreams)
    sessions = Sessions(house)
    healthz = Healthz(house, recent)
    return [
        ("GET", "/", Page().get),
        ("GET", "/metrics", Scrape(house).get),
        ("GET", "/healthz", healthz.get),
        ("GET", f"{API}/openapi.json", Description().get),
        ("GET", f"{API}/status", Status(house, healthz).get),
        ("GET", f"{API}/listeners", Listeners(house).get),
        ("GET", f"{API}/upstreams", upstreams.get_all),
        ("GET", f"{API}/upstreams/{{upstream}}", upstreams.get_one),
        ("PATCH", f"{API}/upstreams/{{upstream}}/servers/{{server}}", orders.patch_server),
        ("GET", f"{API}/workers", Workers(house, recent).get),
        ("GET", f"{API}/sessions", sessions.get),
        ("DELETE", f"{API}/sessions", sessions.kill),
        ("DELETE", f"{API}/sessions/{{id}}", sessions.kill_one),
        ("GET", f"{API}/explain", Explain(house).get),
        ("GET", f"{API}/config", Configuration(house).get),
        ("POST", f"{API}/reload", orders.reload),
        ("POST", f"{API}/reopen", orders.reopen),
        ("POST", f"{API}/quit", orders.quit),
    ]


def add(app: web.Application, routes: Routes) -> None:
    """Have *app* answer them."""
    for method, path, handler in routes:
        if method == "GET":
            app.router.add_get(path, handler, expect_handler=_go_on)
        else:
            app.router.add_route(method, path, handler, expect_handler=_go_on)


async def _go_on(request: web.Request) -> None:
    """A caller that asks whether its body is wanted (Expect: 100-continue): it is."""
    if request.version.minor:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
