"""Makes the films of a plan in their folder: renders parts, joins, checks, lists them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from player.clock import Clock
from player.films.codecs import SUFFIXES, FilmCodec
from player.films.encoder import (
    FilmEncoder,
    choose_codec,
    join_films,
)
from player.films.engine_access import batch_of, open_engine, path_of, words_of
from player.films.export_plan import ExportError, ExportOptions, FilmPlan, Place, Plan
from player.films.film_check import pictures_of, size_of, tags_of, worst_psnr_db
from player.films.film_facts import FilmError, facts_of, facts_text
from player.films.film_parts import (
    Part,
    PartFolder,
    PartTag,
    Pin,
    digest_of,
    remove,
    settle,
    shared_out,
)
from player.films.manifest import (
    Manifest,
    ManifestFilm,
    read_manifest,
    sha256_of,
    write_manifest,
)
from player.films.part_making import Drawing, Encoding, PartWriter
from player.films.picture_sequence import (
    PictureSequence,
    join_sequences,
)

POLL_NS = 200_000_000
PATIENCE_NS = 900_000_000_000  # for the next part of another process


class FilmMaker:
    """One export at work. stop: asked between batches; after True everything returns soon.

    rendered: called with the number of frames that have been encoded, or were there already.
    """

    def __init__(
        self,
        plan: Plan,
        options: ExportOptions,
        place: Place,
        *,
        clock: Clock,
        stop: Callable[[], bool],
        rendered: Callable[[int], None],
    ) -> None:
        self.plan, self._options, self._place = plan, options, place
        self._clock, self.stop, self._rendered = clock, stop, rendered
        self.parts = PartFolder(plan.folder, place.rank)
        self.manifest = read_manifest(plan.folder) or Manifest()
        self._suffix = SUFFIXES[options.codec]
        self._drawing: Drawing | None = None
        self._pin: Pin | None = None
        self.worst_psnr_db = math.inf
        self.engine_words = ""

    @property
    def drawing(self) -> Drawing:
        """The engine, opened on first use and pinned to how the first run drew."""
        if self._drawing is None:
            pinned = self._pin.engine_path if self._pin else None
            engine = open_engine(self.plan, self._options, pinned)
            self._drawing = Drawing(self.plan.show, engine, batch_of(self.plan), self._clock)
        return self._drawing

    @property
    def has_drawn(self) -> bool:
        """Whether the engine was needed."""
        return self._drawing is not None

    def is_finished(self, film: FilmPlan) -> bool:
        """Whether nothing has to be done for a film."""
        options, path = self._options, film.path
        if options.missing and self.plan.show.ballad(film.facts.ballad).film:
            return True  # one made elsewhere, by hand
        if not (options.resume or options.missing):
            return False
        tags = tags_of(path)
        if tags is None or tags.frames != film.facts.frames:
            return False
        if not film.is_told_by(facts_of(tags.comment)):
            return False
        if not options.missing and tags.codec != options.codec:
            return False
        listed = self.manifest.films.get(path.name)
        if listed is not None:
            return listed.bytes == size_of(path)
        try:  # ended between naming it and listing it: whole if its end is there
            pictures_of(path, [film.facts.frames - 1])
        except (FilmError, OSError):
            return False
        return True

    def agree(self) -> FilmCodec | None:
        """Settle with the other processes and runs how pictures are drawn and encoded; None when
        stopped meanwhile. Raises ExportError, EncoderError."""
        hash_, name = self.plan.generator.content_hash, self._options.codec
        is_first = self._place.rank == 0

        def pinned() -> Pin | None:
            pin = self.parts.pin()
            if pin is None and self.manifest.generator_hash == hash_:
                path = self.manifest.engine_path
                pin = Pin(generator_hash=hash_, engine_path=path, engine=self._engine_told())
            return pin if pin is not None and pin.generator_hash == hash_ else None

        if not is_first:
            if not self._wait_for(lambda: (pin := pinned()) is not None and name in pin.encoders):
                return None
            pin = pinned()
            assert pin is not None
        else:
            pin = pinned() if self._options.resume else None
        if pin is None:
            engine = open_engine(self.plan, self._options, None)
            pin = Pin(generator_hash=hash_, engine=words_of(engine), engine_path=path_of(engine))
            self._drawing = Drawing(self.plan.show, engine, batch_of(self.plan), self._clock)
        codec = choose_codec(name, self.plan.size_px, pin.encoders.get(name))
        self._pin = pin.model_copy(update={"encoders": {**pin.encoders, name: codec.encoder}})
        if is_first:
            self.parts.write_pin(self._pin)
        self.engine_words = self._pin.engine
        return codec

    def _engine_told(self) -> str:
        for film in self.manifest.films.values():
            if film.facts.engine_path == self.manifest.engine_path:
                return film.facts.engine
        return ""

    def make(self, films: list[FilmPlan], codec: FilmCodec) -> list[FilmPlan]:
        """Render this process's share of the films, and join what is complete where this is the
        first process; returns the films that are done. Raises FilmError, OSError."""
        assert self._pin is not None
        pin, place = self._pin, self._place
        films = [film.with_engine(pin.engine, pin.engine_path) for film in films]
        mine = shared_out(
            [p for film in self.plan.films for p in film.parts], place.rank, place.world
        )
        if not self._options.resume:
            for film in films:
                for part in film.parts:
                    remove(self.parts.path(part, self._suffix))
        todo = {
            film.path: [p for p in film.parts if p in mine and not self._has(film, p, codec)]
            for film in films
        }
        kept = sum(p.frames for f in films for p in f.parts if p in mine and p not in todo[f.path])
        self._rendered(kept)
        done: list[FilmPlan] = []
        if any(todo.values()):
            shape = (batch_of(self.plan), *self.plan.size_px[::-1], 4)
            by_ballad = {film.facts.ballad: film for film in films}

            def open_part(part: Part) -> PartWriter:
                return self._open_part(by_ballad[part.ballad_id], part, codec)

            with Encoding(open_part, self._settle_part, self._rendered, shape) as encoding:
                for film in films:
                    for part in todo[film.path]:
                        if not self.drawing.part(part, encoding, self.stop):
                            return done
                    encoding.drained()
                    if place.rank == 0 and self._is_complete(film, codec):
                        self._join(film, codec)
                        done.append(film)
        for film in films if place.rank == 0 else []:
            if film not in done:
                if not self._wait_for(partial(self._is_complete, film, codec)):
                    return done
                self._join(film, codec)
                done.append(film)
        return done

    def _tag(self, film: FilmPlan, part: Part, codec: FilmCodec) -> PartTag:
        return PartTag(
            fingerprint=film.facts.fingerprint,
            generator_hash=film.facts.generator_hash,
            made_by=digest_of(film.facts.engine_path),
            settings=codec.settings,
            first_frame=part.first_frame,
            frames=part.frames,
        )

    def _has(self, film: FilmPlan, part: Part, codec: FilmCodec) -> bool:
        tags = tags_of(self.parts.path(part, self._suffix))
        wanted = self._tag(film, part, codec).model_dump_json()
        return tags is not None and tags.comment == wanted and tags.frames == part.frames

    def _is_complete(self, film: FilmPlan, codec: FilmCodec) -> bool:
        return all(self._has(film, part, codec) for part in film.parts)

    def _open_part(self, film: FilmPlan, part: Part, codec: FilmCodec) -> PartWriter:
        temporary = self.parts.temporary(self.parts.path(part, self._suffix))
        remove(temporary)
        comment = self._tag(film, part, codec).model_dump_json()
        if codec.name == "png":
            return PictureSequence(temporary, comment)
        return FilmEncoder(
            temporary, codec, self.plan.size_px, film.facts.fps, {"comment": comment}
        )

    def _settle_part(self, part: Part) -> None:
        path = self.parts.path(part, self._suffix)
        settle(self.parts.temporary(path), path)

    def _join(self, film: FilmPlan, codec: FilmCodec) -> None:
        temporary = self.parts.temporary(film.path)
        remove(temporary)
        pieces = [(self.parts.path(part, self._suffix), part.frames) for part in film.parts]
        comment = facts_text(film.facts)
        if codec.name == "png":
            written = join_sequences(pieces, temporary, comment)
        else:
            title = self.plan.show.settings.title
            words = {"title": film.title, "album": title, "comment": comment}
            written = join_films(pieces, temporary, codec.container, words)
        if written != film.facts.frames:
            raise ExportError(
                f"{film.path.name} would hold {written} frames instead of {film.facts.frames}; "
                "run export --fresh."
            )
        worst_db = worst_psnr_db(self.plan, self.drawing, film, temporary)
        self.worst_psnr_db = min(self.worst_psnr_db, worst_db)
        settle(temporary, film.path)
        sha256, size = sha256_of(film.path)
        listed = ManifestFilm(
            file=film.path.name,
            sha256=sha256,
            bytes=size,
            codec=codec.name,
            encoder=codec.encoder,
            pixel_format=codec.pixel_format,
            worst_psnr_db=worst_db if math.isfinite(worst_db) else None,
            facts=film.facts,
        )
        # read again: another codec's export may have listed its own
        self.manifest = (read_manifest(self.plan.folder) or Manifest()).with_film(listed)
        write_manifest(self.plan.folder, self.manifest)
        for path, _ in pieces:
            remove(path)

    def _wait_for(self, is_there: Callable[[], bool]) -> bool:
        """Until something comes from the other processes; False when stopped. Raises ExportError
        when nothing has moved for long."""
        seen: object = None
        since_ns = self._clock.now_ns()
        while not is_there():
            if self.stop():
                return False
            now_ns = self._clock.now_ns()
            moved = self.parts.traces()
            if moved != seen:
                seen, since_ns = moved, now_ns
            if now_ns - since_ns > PATIENCE_NS:
                raise ExportError(
                    "Nothing has come from the other processes of this export for "
                    f"{PATIENCE_NS // 60_000_000_000} minutes; run the same command again: "
                    "finished parts are kept."
                )
            self._clock.wait_until_ns(now_ns + POLL_NS)
        return True
