"""Seven players in seven network namespaces: see tests/nodes_in_namespaces.py."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.ethernet_relay import without_udp_checksum
from tests.installation_process import ROOT


def test_the_relay_takes_out_the_checksum_of_udp_alone() -> None:
    ethernet, ip_head = b"d" * 6 + b"s" * 6 + b"\x08\x00", bytes([0x45]) + bytes(8)
    udp = ethernet + ip_head + bytes([17]) + bytes(10) + b"SPDPLNCS" + b"data"
    assert without_udp_checksum(udp) == udp.replace(b"CS", b"\0\0")
    tcp = udp[:23] + bytes([6]) + udp[24:]
    assert without_udp_checksum(tcp) == tcp
    arp = udp[:12] + b"\x08\x06" + udp[14:]
    assert without_udp_checksum(arp) == arp


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux's")
def test_seven_players_show_the_same_frame() -> None:
    missing = [tool for tool in ("ip", "nft", "unshare", "oscsend") if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and iproute2, nftables, util-linux, liblo-tools; lacks {missing}")
    words = [sys.executable, "-m", "tests.nodes_in_namespaces", "--seconds", "20"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
