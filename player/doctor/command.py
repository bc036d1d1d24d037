"""`run_installation.py doctor` (alias `preflight`): is all well before the doors open?"""

from __future__ import annotations

import argparse
import os
import queue
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from player.clock import Clock, HouseClock
from player.doctor.finding import Finding, as_json, as_text, exit_code
from player.doctor.helpers import Helpers
from player.doctor.patient import DoctorOptions, Patient, patient_of
from player.doctor.rounds import CHECKS, in_order, rounds

EXIT_WORDS = (
    "Exit status: 0 green, all is well; 1 amber, it plays but somebody should look; 2 red, the "
    "street would see it; 130 after Ctrl-C. It takes less than 20 s, and leaves nothing running."
)
READ_WITHIN_S = 4.0  # the show's small files
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verbs `doctor` and `preflight`."""
    parser.epilog = EXIT_WORDS
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    parser.add_argument("--show", type=Path, metavar="DIR", help="folder of the show")
    parser.add_argument(
        "--machine", type=Path, metavar="FILE", help="what hangs on this machine, as given to play"
    )
    parser.add_argument("--node", metavar="NAME", help="this machine's name in a show on several")
    parser.add_argument("--osc-port", type=int, default=9000, metavar="PORT", help="default 9000")
    parser.add_argument("--osc-host", default="127.0.0.1", metavar="HOST", help="default 127.0.0.1")
    parser.add_argument("--fast", action="store_true", help="do not measure the engine: 3 s in all")


def run(args: argparse.Namespace) -> int:
    """Look at everything and print; the exit status is the verdict's."""
    options = DoctorOptions(
        show=args.show,
        machine=args.machine,
        node=args.node,
        osc_host=args.osc_host,
        osc_port=args.osc_port,
        fast=args.fast,
        threads=max(1, (os.cpu_count() or 2) // 2),  # as play has by default
    )
    helpers, clock = Helpers(), HouseClock()
    started_ns = clock.now_ns()
    try:
        findings = examined(options, helpers, clock)
    except KeyboardInterrupt:
        print("The doctor was interrupted: there is no verdict.", file=sys.stderr)
        return INTERRUPTED
    finally:
        helpers.close()
    seconds = (clock.now_ns() - started_ns) / 1e9
    print(as_json(findings, seconds) if args.json else as_text(findings, seconds))
    return exit_code(findings)


def examined(options: DoctorOptions, helpers: Helpers, clock: Clock) -> Sequence[Finding]:
    """All findings, in order; a bar on standard error if somebody sits there."""
    patient = _read(options)
    with tqdm(total=len(CHECKS), desc="checks", leave=False, disable=None) as bar:
        found = []
        for one in rounds(patient, helpers, clock):
            found.append(one)
            bar.update()
    return in_order(found)


def _read(options: DoctorOptions) -> Patient:
    """The show as read; a disk that hangs is a fault of the show, and no reason to wait."""
    read: queue.SimpleQueue[Patient] = queue.SimpleQueue()

    def reading() -> None:
        try:
            read.put(patient_of(options))
        except Exception as fault:  # noqa: BLE001 - the other checks are made all the same
            words = f"{options.show} cannot be read: {type(fault).__name__}: {str(fault)[:200]}."
            read.put(Patient(options, show_fault=words))

    threading.Thread(target=reading, name="doctor reads", daemon=True).start()
    try:
        return read.get(timeout=READ_WITHIN_S)
    except queue.Empty:
        fault = f"{options.show} cannot be read within {READ_WITHIN_S:.0f} s: something hangs."
        return Patient(options, show_fault=fault)
