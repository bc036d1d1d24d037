"""What decides a show's pictures, as one hash: machines and films that share it show the same."""

from __future__ import annotations

import hashlib
import json

from shows.schema import Ballad
from shows.show import Show
from shows.timeline import latents_at, opening_cues

# Words for people and places: they change no picture.
_NOT_SEEN = {"title", "nodes", "sync", "groups", "osc", "schedule", "projectors", "notify"}
_SEEN_IN_A_BALLAD = {
    "fps",
    "stops",
    "frames_per_stop",
    "morph_frames",
    "noise_strength",
    "easing",
    "noise_cycles",
    "noise_mode",
    "truncation_psi",
    "path",
}


def show_fingerprint(show: Show) -> str:
    """SHA-256 (hexadecimal) of the settings, the ballads' order and length, the latents with their
    noise, and the generator's content hash. Without latents (stills alone): of the rest."""
    words = {
        "settings": show.settings.model_dump(mode="json", exclude=_NOT_SEEN),
        "ballads": [_ballad_words(ballad) for ballad in show.ballads],
    }
    digest = hashlib.sha256(json.dumps(words, sort_keys=True).encode())
    for ballad_id in sorted(show.latents):
        _add_latents(digest, show, ballad_id)
    return digest.hexdigest()


def ballad_fingerprint(show: Show, ballad_id: str) -> str:
    """The same of one ballad alone, whatever screens and ballads there are besides: its film's.
    Raises ShowError."""
    settings = show.settings.model_dump(mode="json", include=_SEEN_IN_A_BALLAD)
    ballad = show.ballad(ballad_id)
    words = {"settings": settings, "ballad": _ballad_words(ballad)}
    digest = hashlib.sha256(json.dumps(words, sort_keys=True).encode())
    if ballad_id in show.latents:
        _add_latents(digest, show, ballad_id)
    return digest.hexdigest()


def opening_latents_checksum(show: Show, frame: int) -> str:
    """SHA-256 of every screen's latents on a frame of its own ballad, bit for bit: machines that
    compute differently are told apart by it. Empty for a show without latents."""
    if not show.latents:
        return ""
    cues = opening_cues(show)
    digest = hashlib.sha256()
    for screen in range(len(cues)):
        digest.update(latents_at(show, cues, screen, frame).tobytes())
    return digest.hexdigest()


def _ballad_words(ballad: Ballad) -> list[object]:
    strengths = [ballad.loop_strength, *(one.loop_strength for one in ballad.paintings)]
    return [ballad.id, list(ballad.painting_ids), strengths]


def _add_latents(digest: hashlib._Hash, show: Show, ballad_id: str) -> None:
    latents = show.latents[ballad_id]
    digest.update(f"{ballad_id} {latents.generator_hash} {latents.num_ws}".encode())
    for array in (latents.ws, latents.w_avg, latents.loop_noise):
        digest.update(str(array.shape).encode() + array.astype("<f4").tobytes())
