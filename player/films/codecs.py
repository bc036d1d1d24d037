"""The codecs that films are written in, and their settings. Pure; nothing is opened in here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from player.films.film_facts import KEYFRAME_EVERY

CodecName = Literal["h264", "hevc", "av1", "prores", "png"]
SUBSAMPLED_FROM_PX = 512  # 4:2:0 from here on; small pictures would lose colour that can be seen
SUFFIXES = {"h264": ".mp4", "hevc": ".mp4", "av1": ".mp4", "prores": ".mov", "png": ""}
# What a film may need of the disk, in bits a pixel: twice what was measured on the shipped show at
# 64 px, and on paintings that move at 1024 px.
_LARGE_BITS = {"h264": 0.6, "hevc": 0.5, "av1": 0.3, "prores": 14.0, "png": 24.0}
_SMALL_BITS = {"h264": 4.0, "hevc": 4.0, "av1": 1.0, "prores": 16.0, "png": 28.0}


@dataclass(frozen=True)
class FilmCodec:
    """How pictures are encoded. encoder: as libavcodec names it. settings: a text that is equal
    for equal ones, so that parts made otherwise are never joined. threads: fixed, because the bits
    depend on it and must repeat on another machine.
    """

    name: CodecName
    encoder: str
    container: str
    pixel_format: str
    options: tuple[tuple[str, str], ...]
    threads: int

    @property
    def settings(self) -> str:
        words = [f"{name}={value}" for name, value in self.options]
        return " ".join([self.encoder, self.pixel_format, f"threads={self.threads}", *words])

    @property
    def in_hardware(self) -> bool:
        return self.encoder.endswith("_nvenc")


def candidates(name: CodecName, size_px: tuple[int, int]) -> list[FilmCodec]:
    """A codec's encoders for pictures of this size, the better ones first: hardware, software."""
    large = min(size_px) >= SUBSAMPLED_FROM_PX
    yuv, threads = ("yuv420p", 4) if large else ("yuv444p", 1)
    every = str(KEYFRAME_EVERY)
    # Constant quantisers: every frame is as good as the next, and keyframes do not pulse.
    nvenc = (("rc", "constqp"), ("qp", "16" if large else "8"), ("bf", "0"), ("no-scenecut", "1"))
    x265 = f"keyint={every}:min-keyint={every}:scenecut=0:bframes=0:open-gop=0:pools=none"
    x265 += ":frame-threads=1:repeat-headers=0:log-level=error:ipratio=1.0:cbqpoffs=-4:crqpoffs=-4"
    if name == "h264":
        x264 = "ipratio=1.0:chroma-qp-offset=-4"
        options = [("qp", "17" if large else "10"), ("x264-params", x264), ("bf", "0")]
        options += [("sc_threshold", "0"), ("keyint_min", every), ("flags", "+cgop")]
        options += [("preset", "veryfast" if large else "medium")]
        # seven large films at a time are as much as two cores can decode
        options += [("tune", "fastdecode")] if large else []
        shallow = [
            FilmCodec("h264", "h264_nvenc", "mp4", yuv, nvenc, 1),
            FilmCodec("h264", "libx264", "mp4", yuv, tuple(options), threads),
        ]
        # Eight bits of limited range hold no dither of single channels: dark skies break into bands
        # (docs/picture.md). Ten do, at three times the bytes, which is little for small pictures.
        deep = FilmCodec("h264", "libx264", "mp4", "yuv444p10le", tuple(options), threads)
        return shallow if large else [deep, *shallow]
    if name == "hevc":
        # x265's faster presets make other bits of the same pictures every time, now and then with a
        # frame that is visibly worse (27 different films in 40); this one nearly never (2 in 80).
        software = (("x265-params", x265), ("qp", "17" if large else "10"), ("preset", "medium"))
        return [
            FilmCodec("hevc", "hevc_nvenc", "mp4", yuv, nvenc, 1),
            FilmCodec("hevc", "libx265", "mp4", yuv, software, 1),
        ]
    if name == "av1":
        svt = (
            ("preset", "8"),
            ("qp", "12"),
            ("svtav1-params", f"keyint={every}:scd=0:pred-struct=1:lp=1:aq-mode=0"),
        )
        # 4:2:0 is all that it has
        return [FilmCodec("av1", "libsvtav1", "mp4", "yuv420p", svt, 1)]
    if name == "prores":
        return [
            FilmCodec(
                "prores", "prores_ks", "mov", "yuv444p10le", (("profile", "4444xq"),), threads
            )
        ]
    return [FilmCodec("png", "png", "png", "rgb24", (), 1)]


def bytes_needed(name: CodecName, size_px: tuple[int, int], frames: int) -> int:
    """About what a film takes of the disk at the most."""
    bits = _LARGE_BITS if min(size_px) >= SUBSAMPLED_FROM_PX else _SMALL_BITS
    return int(frames * (size_px[0] * size_px[1] * bits[name] + 800) / 8)
