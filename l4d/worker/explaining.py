"""Which server a client would get now, by the pools that choose, and why: nothing is counted, no turn is used up."""

from dataclasses import dataclass

from l4d.handover.record import Json
from l4d.session.service import Service
from l4d.tcp.service import TcpService
from l4d.terms import Balance, HashKey, Protocol
from l4d.udp.flow import Flow
from l4d.udp.service import UdpService
from l4d.upstream.outlook import Outlook
from l4d.worker.services import Services


@dataclass(frozen=True, slots=True)
class Explained:
    """What is told: the answer, and a remark on each server."""

    answer: Json
    servers: list[Json]


def explain(services: Services, listener: str, client: tuple[str, int], now: float) -> Explained:
    """For a *client*, whose port is 0 if it is not known. Raises ValueError: there is no such listener."""
    served = _service_of(services, listener)
    service, ports = served.service, services.ports(listener)
    pool, port = service.pool, min(ports, default=0)
    outlook = pool.peek(now, client, port)
    remarks = pool.remarks(outlook, now)
    told = _bound_to(served, client) or _from_outlook(served, client, ports, outlook)
    answer = {
        "listener": listener,
        "upstream": service.upstream.name,
        "balance": service.upstream.balance.value,
        "server": told.server.label if told.server is not None else None,
        "address": f"{told.server.address_for(port)}" if told.server is not None else None,
        "why": told.why,
        "certain": told.certain,
    }
    servers = [
        {
            "name": remark.server.name,
            "address": f"{remark.server.address_for(port)}",
            "takes": remark.takes,
            "why": remark.why,
        }
        for remark in remarks
    ]
    return Explained(answer, servers)


def _service_of(services: Services, listener: str) -> TcpService | UdpService:
    protocol = services.protocol(listener)
    if protocol is None:
        raise ValueError(f"there is no listener {listener!r:.80}")
    return services.tcp[listener] if protocol is Protocol.TCP else services.udp[listener]


def _bound_to(served: TcpService | UdpService, client: tuple[str, int]) -> Outlook | None:
    """The server that the client's datagrams go to by the flow it has."""
    if isinstance(served, TcpService) or not client[1]:
        return None
    for entry in served.waiting:
        if isinstance(entry, Flow) and entry.current and entry.client.sockaddr[:2] == client:
            return Outlook(entry.session.server, "it has a flow already")
    return None


def _from_outlook(
    served: TcpService | UdpService, client: tuple[str, int], ports: set[int], outlook: Outlook | None
) -> Outlook:
    service = served.service
    if isinstance(served, TcpService) and any(not waiting.choosy for waiting in served.queued):
        return Outlook(None, "it would wait in the queue, behind those who wait already")
    if outlook is None:
        return Outlook(None, _why_nobody(service))
    if outlook.server is None or service.upstream.balance is not Balance.HASH:
        return outlook
    if HashKey.CLIENT_PORT in service.upstream.hash_key and not client[1]:
        return Outlook(None, "its port counts for the hash (hash_key), and is not known", certain=False)
    if HashKey.LISTENER_PORT in service.upstream.hash_key and len(ports) > 1:
        return Outlook(None, "the port it comes to counts for the hash (hash_key)", certain=False)
    return outlook


def _why_nobody(service: Service) -> str:
    if not service.pool.is_crowded(()):
        return "no server may be chosen: it would be closed (PC)"
    if service.upstream.queue and service.listener.protocol is Protocol.TCP:
        return "every server has its max_sessions: it would wait in the queue, if there is room (queue)"
    return "every server has its max_sessions: it would be refused (PL)"
