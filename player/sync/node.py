"""The protocol of clock sync as an object: no socket, no clock, no randomness of its own.

`receive` and `advance` take the local time and return what to send; the simulation and the live
endpoint drive this very class. Times are integer ns, local unless the name says house.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Literal

from player.sync import messages
from player.sync.agreement import Agreement
from player.sync.announcements import Announcements
from player.sync.discipline import Discipline
from player.sync.election import Claim, claim_delay_ns, outranks
from player.sync.estimate import Exchange
from player.sync.followers import Followers
from player.sync.gatekeeper import Gatekeeper
from player.sync.house_time import HouseTime
from player.sync.messages import Message, MessageError
from player.sync.requests import Inbox, Outbox
from player.sync.settings import Address, Outgoing, SyncError, SyncSettings
from player.sync.states import State, States, with_state
from player.sync.status_line import Standing, status_line

Role = Literal["listening", "follower", "leader"]

# A leader silent for longer than this may be replaced by any that claims a higher epoch.
SILENT_AFTER_NS = 350_000_000
# `advance` is called at least this often; a longer gap means that the local clock has jumped or
# this machine stood still, so that the others' silence says nothing.
LONGEST_GAP_NS = 250_000_000
JUMP_NS = 750_000_000
HELLO_EVERY_NS = 1_000_000_000


class SyncNode:
    """One node. Not thread-safe, but for `house_time`."""

    def __init__(self, settings: SyncSettings, *, rng: random.Random, local_ns: int) -> None:
        """Raises SyncError for a list of nodes that cannot be."""
        self._names = settings.names
        self.name = settings.name
        self.place = self._names.index(settings.name)
        self.role: Role = "listening"
        self.epoch = 0
        self._settings = settings
        self._addresses = [peer.address for peer in settings.nodes]
        others = set(self._names) - {self.name}
        self._gate = Gatekeeper(self.name, others, settings.key, rng)
        self._agreement = Agreement(self._names, settings.show_hash)
        self._followers = Followers(len(self._names))
        self._discipline = Discipline(rng, local_ns)
        self._announcements = Announcements()
        self._outbox = Outbox(rng)
        self._inbox = Inbox()
        self._states = States()
        self._leader: Claim | None = None
        self._sequence = 0  # of the leader's newest beacon
        self._last_ns = local_ns  # the latest call
        self._heard_ns = local_ns  # the leader, or the start
        self._hello_due_ns = local_ns
        self._refused = 0
        self._last_refusal = ""
        if self.is_alone:
            self._claim(local_ns)

    @property
    def is_alone(self) -> bool:
        """A list of one: it leads, nothing is sent and nothing expected."""
        return len(self._names) == 1

    @property
    def is_locked(self) -> bool:
        """Whether house time is known."""
        return self._discipline.is_locked

    @property
    def _is_sure(self) -> bool:
        """Whether others may go by our house time: who knows that its own clock has leapt neither
        votes on the leader's nor leads before others."""
        return self.is_locked and not self._discipline.is_doubted

    @property
    def house_time(self) -> HouseTime:
        """Local to house time from now on: a frozen value, for any thread."""
        return self._discipline.house_time

    @property
    def leader_name(self) -> str | None:
        """Who leads, as far as this node knows."""
        return None if self._leader is None else self._names[self._leader.place]

    @property
    def newest_state(self) -> State | None:
        """The newest state known, in effect or still to come."""
        return self._states.newest

    @property
    def next_due_ns(self) -> int | None:
        """The local time by which `advance` must be called; None: never (a list of one)."""
        if self.is_alone:
            return None
        dues = [self._last_ns + LONGEST_GAP_NS]
        if self.role == "leader":
            dues.append(self._announcements.next_due_ns() or self._last_ns)
        else:
            dues.append(self._heard_ns + self._claim_delay_ns())
        if self.role == "follower":
            dues.append(self._discipline.next_ping_ns)
        if self.role != "listening" and (due := self._outbox.next_due_ns()) is not None:
            dues.append(due)
        return min(dues)

    def house_ns(self, local_ns: int) -> int:
        """House time at a local time; of no meaning before `is_locked`."""
        return self.house_time.house_at(local_ns)

    def local_ns_of(self, house_ns: int) -> int:
        """The local time at a house time."""
        return self.house_time.local_at(house_ns)

    def state_at(self, tick: int) -> State | None:
        """The newest state in effect on a tick, or the first one to come; None before any."""
        return self._states.at(tick)

    def propose(self, text: str, effective_tick: int, local_ns: int) -> None:
        """Leader only: a new state of the whole show, in effect from a tick on.

        A later state takes the place of all before it, those still to come too. It is sent by
        the next `advance`. Raises SyncError if this node does not lead, or the text is too long.
        """
        if self.role != "leader":
            raise SyncError(f"{self.name} does not lead; the leader is {self.leader_name}.")
        size = len(text.encode("utf-8", "replace"))
        if size > messages.MAX_STATE_BYTES or "\0" in text:
            raise SyncError(
                f"A state of {size} bytes cannot be told; at most {messages.MAX_STATE_BYTES}."
            )
        newest = self._states.newest
        version = 1 if newest is None else newest.version + 1
        state = State(version, effective_tick, text, self.epoch, self.place)
        self._states = with_state(self._states, state)
        if not self.is_alone:
            self._announcements.add(state, local_ns)

    def forward(self, text: str, local_ns: int) -> int:
        """An operator's command for the leader, wherever it is; the number of the request.

        It is sent by the next `advance`, repeated until acknowledged, obeyed once, and given up
        after 5 s without a leader. Raises RequestError if it is too long, or too many wait.
        """
        number = self._outbox.add(text, local_ns)
        if self.role == "leader" and self._inbox.add(number, text):
            self._outbox.held(number)
        return number

    def has_commands(self) -> bool:
        """Whether `take_commands` would give any."""
        return self.role == "leader" and self._inbox.has_some()

    def take_commands(self) -> list[str]:
        """Leader only: the commands given on any node, each once, oldest first."""
        return self._inbox.take() if self.role == "leader" else []

    def report_latents(self, tick: int, checksum: str) -> None:
        """The checksum of this node's latents on a tick, to be compared with the others'."""
        self._agreement.report(tick, checksum[: messages.MAX_HASH_CHARS])

    def differences(self) -> list[str]:
        """Which nodes play something else than this one, and what; empty: none known."""
        return self._agreement.differences()

    def status(self, local_ns: int) -> str:
        """One line for the operator."""
        newest = self._states.newest
        silent_ns = local_ns - self._heard_ns
        standing = Standing(
            name=self.name,
            role=self.role,
            leader=self.leader_name,
            epoch=self.epoch,
            followers=self._followers.present(local_ns).bit_count(),
            others=len(self._names) - 1,
            is_locked=self.is_locked,
            rate=self.house_time.rate,
            unsure_ns=self._discipline.unsure_ns,
            silent_ns=silent_ns,
            is_silent=silent_ns > SILENT_AFTER_NS,
            version=0 if newest is None else newest.version,
            steps=self._discipline.steps,
            given_up=self._outbox.given_up,
            refused=self._refused,
            last_refusal=self._last_refusal,
            differences=tuple(self.differences()),
        )
        return status_line(standing)

    def skew_ns(self, local_ns: int) -> int | None:
        """How far apart the house clocks are (ns, never below 0), as this node knows it.

        A follower: its own from the leader's, as the leader's answers have it. The leader: its own
        from that of the follower furthest off, as their questions told it, the time that those were
        on the way included. None: nothing was heard of late.
        """
        if self.role == "leader":
            return self._followers.furthest_ns(local_ns)
        if self.role == "follower" and local_ns - self._heard_ns <= SILENT_AFTER_NS:
            return self._discipline.error_ns(local_ns)
        return None

    def encode(self, outgoing: Outgoing, local_ns: int) -> bytes:
        """The datagram, stamped with the time of sending. Raises MessageError (a defect)."""
        message = outgoing.message
        house_ns = self.house_ns(local_ns)
        if isinstance(message, messages.Ping):
            message = replace(
                message, sent_ns=local_ns, house_ns=house_ns if self._is_sure else messages.UNSURE
            )
        elif isinstance(message, messages.Pong):
            message = replace(message, answered_ns=house_ns)
        elif isinstance(message, messages.Beacon):
            message = replace(message, house_ns=house_ns)
        return self._gate.encode(message, local_ns)

    def receive(self, datagram: bytes, sender: Address, local_ns: int) -> list[Outgoing]:
        """Take in a datagram that came at a local time; what to send back. Never raises."""
        if self.is_alone:
            return []
        self._notice_jump(local_ns)
        try:
            message, answer = self._gate.admit(datagram, local_ns)
        except MessageError as fault:
            self._refused += 1
            self._last_refusal = f"{fault}; from {sender}"[:200]
            return []
        outgoing = [] if answer is None else [Outgoing(answer, (sender,))]
        if message is None:
            return outgoing
        place = self._names.index(message.sender)
        if self._addresses[place] is None:
            self._addresses[place] = sender
        replies = self._obey(message, place, sender, local_ns)
        return outgoing + [Outgoing(reply, (sender,)) for reply in replies]

    def advance(self, local_ns: int) -> list[Outgoing]:
        """What is due by a local time. Call it at `next_due_ns`, after `propose` and `forward`."""
        if self.is_alone:
            return []
        self._notice_jump(local_ns)
        if self.role != "leader" and local_ns - self._heard_ns >= self._claim_delay_ns():
            self._claim(local_ns)
        outgoing: list[Outgoing] = []
        if self.role == "leader":
            said = self._said_by_leader(local_ns)
            outgoing += [out for message in said for out in self._to_all(message)]
        elif self.role == "follower" and self._leader is not None:
            asked = self._said_by_follower(local_ns)
            outgoing += [out for message in asked for out in self._to(self._leader.place, message)]
        if local_ns >= self._hello_due_ns:
            self._hello_due_ns = local_ns + HELLO_EVERY_NS
            for name, hello in self._gate.hellos(local_ns):
                outgoing += self._to(self._names.index(name), hello)
        return outgoing

    def _obey(self, message: Message, place: int, sender: Address, local_ns: int) -> list[Message]:
        """Do what a message asks; what to answer."""
        is_leader = self._leader is not None and self._leader.place == place
        match message:
            case messages.Beacon():
                self._on_beacon(message, place, sender, local_ns)
            case messages.Cue() if is_leader and message.epoch == self.epoch:
                self._learn(message, place)
                for number in self._inbox.learn(message.applied):
                    self._outbox.held(number)
            case messages.Ping():
                return self._on_ping(message, place, local_ns)
            case messages.Pong() if is_leader and message.epoch == self.epoch:
                stamps = (message.sent_ns, message.received_ns, message.answered_ns, local_ns)
                self._discipline.answered(message.number, Exchange(*stamps), local_ns)
            case messages.Request() if self.role == "leader":
                if self._inbox.add(message.number, message.text):
                    return [messages.Acknowledgement(self.name, message.number)]
            case messages.Acknowledgement() if is_leader:
                self._outbox.held(message.number)
            case _:
                pass  # what was meant for a role this node no longer has
        return []

    def _claim(self, local_ns: int) -> None:
        """Lead from now on, with the running state and house time."""
        self.role = "leader"
        self.epoch = min(self.epoch + 1, messages.LARGEST_EPOCH)
        self._leader = Claim(self.epoch, self.place)
        self._followers.forget()
        self._discipline.give(local_ns)
        self._announcements.begin(local_ns)
        self._sequence = 0
        for number, text in self._outbox.everything():
            if self._inbox.add(number, text):
                self._outbox.held(number)

    def _said_by_leader(self, local_ns: int) -> list[Message]:
        for number, text in self._outbox.due(local_ns):
            if self._inbox.add(number, text):
                self._outbox.held(number)
        said: list[Message] = []
        if self._announcements.is_beacon_due(local_ns):
            said.append(self._beacon(local_ns))
        for state in self._announcements.due_cues(local_ns):
            what = (state.version, state.effective_tick, state.text, self._inbox.applied)
            said.append(messages.Cue(self.name, self.epoch, *what))
        return said

    def _beacon(self, local_ns: int) -> messages.Beacon:
        self._sequence += 1
        newest = self._states.newest
        checksum_tick, checksum = self._agreement.newest
        return messages.Beacon(
            sender=self.name,
            epoch=self.epoch,
            sequence=self._sequence,
            house_ns=0,  # stamped when sent
            followers=self._followers.present(local_ns),
            show_hash=self._settings.show_hash,
            checksum_tick=checksum_tick,
            checksum=checksum,
            version=0 if newest is None else newest.version,
            effective_tick=0 if newest is None else newest.effective_tick,
            text="" if newest is None else newest.text,
            applied=self._inbox.applied,
        )

    def _on_ping(self, ping: messages.Ping, place: int, local_ns: int) -> list[Message]:
        is_same = self._agreement.heard(place, ping.show_hash, ping.checksum_tick, ping.checksum)
        if self.role != "leader" or not is_same:
            return []
        house_ns = self.house_ns(local_ns)
        self._followers.heard(place, ping, house_ns=house_ns, local_ns=local_ns)
        if odd_ns := self._followers.odd_clock_ns(local_ns):
            # our own clock has jumped: the others have kept house time, and we go back to it
            self._discipline.put_right(-odd_ns, local_ns)
            self._followers.stepped()
            house_ns -= odd_ns
        times = (ping.number, ping.sent_ns, house_ns, house_ns)
        return [messages.Pong(self.name, self.epoch, *times)]

    def _said_by_follower(self, local_ns: int) -> list[Message]:
        said: list[Message] = []
        if (number := self._discipline.ping_number(local_ns)) is not None:
            own = (self._settings.show_hash, *self._agreement.newest)
            said.append(messages.Ping(self.name, self.epoch, number, 0, -1, *own))
        for request, text in self._outbox.due(local_ns):
            said.append(messages.Request(self.name, request, text))
        return said

    def _on_beacon(
        self, beacon: messages.Beacon, place: int, sender: Address, local_ns: int
    ) -> None:
        tick, checksum = beacon.checksum_tick, beacon.checksum
        if not self._agreement.heard(place, beacon.show_hash, tick, checksum):
            return
        claim = Claim(beacon.epoch, place, beacon.followers)
        is_same_leader = (
            self.role == "follower" and self._leader is not None and self._leader.place == place
        )
        if is_same_leader:
            if (beacon.epoch, beacon.sequence) <= (self.epoch, self._sequence):
                return  # overtaken by a later one
        elif self._yields_to(claim, local_ns):
            self._follow(local_ns)
        else:
            return
        self._leader, self.epoch, self._sequence = claim, beacon.epoch, beacon.sequence
        self._heard_ns = local_ns
        self._addresses[place] = sender
        self._learn(beacon, place)
        taken = self._inbox.learn(beacon.applied)
        if not is_same_leader:
            self._outbox.all_anew(local_ns)
        for number in taken:
            self._outbox.held(number)
        self._discipline.check(beacon.house_ns, local_ns)

    def _yields_to(self, claim: Claim, local_ns: int) -> bool:
        if self._leader is None:
            return True
        if self.role == "leader":
            followers = self._followers.present(local_ns)
            return outranks(claim, Claim(self.epoch, self.place, followers))
        is_silent = local_ns - self._heard_ns > SILENT_AFTER_NS
        return (is_silent and claim.epoch > self.epoch) or outranks(claim, self._leader)

    def _follow(self, local_ns: int) -> None:
        was_leading = self.role == "leader"
        if was_leading:
            self._inbox.drop()
        self.role = "follower"
        self._announcements.end()
        self._followers.forget()
        self._discipline.follow(local_ns, was_leading=was_leading)

    def _learn(self, said: messages.Beacon | messages.Cue, place: int) -> None:
        if said.version > 0:
            what = (said.version, said.effective_tick, said.text, said.epoch, place)
            self._states = with_state(self._states, State(*what))

    def _claim_delay_ns(self) -> int:
        nodes = len(self._names)
        return claim_delay_ns(self.place, nodes=nodes, leader=self._leader, is_ready=self._is_sure)

    def _notice_jump(self, local_ns: int) -> None:
        passed_ns, self._last_ns = local_ns - self._last_ns, local_ns
        if -1_000_000 <= passed_ns <= JUMP_NS:
            return
        self._heard_ns = self._hello_due_ns = local_ns
        self._discipline.rebase(local_ns)
        self._announcements.rebase(passed_ns, local_ns)
        self._outbox.rebase(passed_ns)
        self._followers.rebase(passed_ns)

    def _to(self, place: int, message: Message) -> list[Outgoing]:
        address = self._addresses[place]
        return [] if address is None else [Outgoing(message, (address,))]

    def _to_all(self, message: Message) -> list[Outgoing]:
        if self._settings.broadcast is not None:
            return [Outgoing(message, (self._settings.broadcast,))]
        others = tuple(
            address
            for place, address in enumerate(self._addresses)
            if place != self.place and address is not None
        )
        return [Outgoing(message, others)] if others else []
