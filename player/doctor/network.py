"""The ports this machine listens on, and the other machines of the show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from player.clock import HouseClock
from player.doctor.finding import Finding, amber, green, joined, red, waits_for
from player.doctor.helpers import Helpers
from player.doctor.node_probe import Probe, probe
from player.doctor.patient import Patient
from player.doctor.player_port import PortHeld, port_held
from player.osc.udp_socket import PortUse
from player.sync.seal import KeyFileError, read_key
from shows.fingerprint import show_fingerprint

PORTS, NODES = "ports", "nodes"
PING_WITHIN_S = 3.0
SLOW_MS = 20.0  # on a wired network it takes less than one
_SYNC_USE = PortUse("Clock sync", port_from="nodes: port in show.yaml", host_from="nodes: host")


def look_at_ports(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """The OSC port, and the sync port of this node. A player of ours on it is no fault."""
    del helpers
    options, held, node = patient.options, patient.held, patient.node
    if held is not None and held.status is not None:
        by = f" ({held.holder})" if held.holder else ""
        told = f"A player of ours runs here and answers at OSC port {options.osc_port}{by}."
        return [green(PORTS, told)]
    faults = [] if held is None else [_port_fault(held, "OSC", "--osc-port")]
    told = f"OSC port {options.osc_port} on {options.osc_host} is free"
    if node is not None:
        sync = port_held("0.0.0.0", node.port, _SYNC_USE)
        if sync is not None:
            faults.append(_port_fault(sync, "clock sync", "`port` of this node in show.yaml"))
        told += f", and so is sync port {node.port}"
    return [joined(PORTS, faults, f"{told}.")]


def look_at_nodes(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """A player that runs here knows the others' clocks, and is asked; else they are asked."""
    show, name = patient.show, patient.options.node
    if show is None:
        return [waits_for(NODES, "show")]
    nodes, key_file = show.settings.nodes, show.settings.sync.key_file
    if name is not None and patient.node is None:
        known = ", ".join(node.name for node in nodes) or "none"
        mend = "Give --node a name of the list, or list it under `nodes` in show.yaml."
        return [red(NODES, f"The show has no node {name[:64]!r}; it has {known}.", mend)]
    if not nodes:
        return [green(NODES, "The show is made for one machine.")]
    if patient.held is not None and patient.held.status is not None and name is not None:
        return [judged_status(patient.held.status)]
    try:
        key = read_key(show.folder / key_file) if key_file else None
    except KeyFileError as fault:
        return [red(NODES, str(fault), "Put the same key file into the show on every machine.")]
    show_hash = "" if patient.latent_faults else show_fingerprint(show)
    probes = probe(nodes, name, key=key, show_hash=show_hash, clock=HouseClock())
    echoes = _echoes(helpers, [one for one in probes if not one.is_settled])
    judged = [judged_node(one, echoes.get(one.node.name), has_key=bool(key)) for one in probes]
    told = " ".join(one.finding for one in judged)
    spread = "How far the clocks are apart is known only while a player runs here."
    return [joined(NODES, [one for one in judged if one.mend], f"{told} {spread}".strip())]


def judged_status(status: str) -> Finding:
    """What the node that plays here says of the others, out of its answer to `/status`."""
    words = ("leads", "follow", "listens for", "holds over", "unsure", "no house time", "DIFFERS")
    parts = [part.strip() for part in status.split(";")]
    told = "; ".join(part for part in parts if any(word in part for word in words))
    finding = f"The player here says: {told or 'nothing of other machines'}."
    if any(word in told for word in ("DIFFERS", "holds over", "listens for", "no house time")):
        return amber(NODES, finding, "Look what to do in docs/sync.md.")
    return green(NODES, finding)


def judged_node(one: Probe, echo: bool | None, *, has_key: bool) -> Finding:
    """echo: whether it answers the system's ping; None: it was not asked, or there is no ping."""
    name, node = f"{one.node.name} ({one.node.host})", one.node
    cable = f"See to cable, power and address of {name}."
    if one.fault:
        return red(NODES, f"{name} cannot be reached: {one.fault}.", cable)
    if one.answered_ms is not None:
        finding = f"{name} answers clock sync within {one.answered_ms:.1f} ms."
        if one.answered_ms > SLOW_MS:
            return amber(NODES, finding, "Use a wired network of its own, and no WLAN.")
        return green(NODES, finding)
    if one.is_refused:
        mend = f"Start the player on {name}; if it is to be started later, ask again then."
        return amber(NODES, f"{name} is there, and no player listens at port {node.port}.", mend)
    if echo is False:
        return red(NODES, f"{name} answers neither clock sync nor a ping.", cable)
    if has_key:
        mend = f"Let UDP port {node.port} through its firewall, and give it the same key file."
        return amber(NODES, f"{name} does not answer clock sync at port {node.port}.", mend)
    if echo:
        return green(NODES, f"{name} answers a ping; only a leader answers clock sync.")
    finding = (
        f"{name} does not answer clock sync, as a follower would not, and there is no ping here."
    )
    return amber(NODES, finding, f"{cable} Whether it follows, says /status of the leader.")


def _port_fault(held: PortHeld, what: str, chosen_by: str) -> Finding:
    sentence = held.sentence.partition(": end that program")[0].rstrip(".")
    if not held.is_taken:
        return red(PORTS, f"{sentence}.", f"Choose another for {what} with {chosen_by}.")
    mend = f"End that program, or choose another port for {what} with {chosen_by}."
    return red(PORTS, f"{sentence}; nobody there answers as a player of ours.", mend)


def _echoes(helpers: Helpers, silent: Sequence[Probe]) -> Mapping[str, bool]:
    """Whether each answers the system's ping, by name; without such a program nothing."""

    def is_there(one: Probe) -> bool | None:
        answer = helpers.ask(["ping", "-c", "2", "-W", "1", one.address or ""], PING_WITHIN_S)
        return None if answer is None else answer.status == 0

    if not silent:
        return {}
    with ThreadPoolExecutor(min(16, len(silent))) as pool:
        told = list(pool.map(is_there, silent))
    return {one.node.name: it for one, it in zip(silent, told, strict=True) if it is not None}
