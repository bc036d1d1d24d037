"""Mip levels that are means of light, made on the graphics card from what was uploaded."""

from __future__ import annotations

import moderngl

from player.wall import shaders


class LightLevels:
    """Belongs to one context, which is current when it is used."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._program: moderngl.Program | None = None
        self._array: moderngl.VertexArray | None = None
        self._targets: dict[tuple[int, int], tuple[moderngl.Framebuffer, moderngl.Buffer]] = {}

    def warm_up(self) -> bool:
        """Compile and draw once; False if that was done."""
        if self._program is not None:
            return False
        texture = self._context.texture((4, 4), 4, bytes(64))
        self.make_room(texture)
        self.make(texture, (4, 4), 1)
        self._context.finish()
        texture.release()
        return True

    @staticmethod
    def make_room(texture: moderngl.Texture) -> None:
        """Once for a texture: GL gives it all its levels."""
        texture.build_mipmaps()
        texture.filter = (moderngl.NEAREST_MIPMAP_NEAREST, moderngl.NEAREST)

    def make(self, texture: moderngl.Texture, size_px: tuple[int, int], level: int) -> None:
        """Fill a level, from 1 on, from the one before it. size_px: of the picture."""
        if self._program is None or self._array is None:
            self._program = self._context.program(
                vertex_shader=shaders.VERTEX, fragment_shader=shaders.LEVEL
            )
            self._array = self._context.vertex_array(self._program, [])
        before, here = _size(size_px, level - 1), _size(size_px, level)
        framebuffer, buffer = self._target(here)
        self._program["level"] = level - 1
        self._program["scale"] = (before[0] / here[0], before[1] / here[1])
        texture.use(0)
        framebuffer.use()
        self._array.render(moderngl.TRIANGLES, vertices=3)
        framebuffer.read_into(buffer, components=4, alignment=1)
        texture.write(buffer, (0, 0, *here), level=level, alignment=1)

    def release(self) -> None:
        for framebuffer, buffer in self._targets.values():
            framebuffer.release()
            buffer.release()
        self._targets.clear()
        for thing in (self._array, self._program):
            if thing is not None:
                thing.release()
        self._program = self._array = None

    def _target(self, size_px: tuple[int, int]) -> tuple[moderngl.Framebuffer, moderngl.Buffer]:
        if size_px not in self._targets:
            if len(self._targets) >= 64:  # of sources that have changed their size since
                for framebuffer, buffer in self._targets.values():
                    framebuffer.release()
                    buffer.release()
                self._targets.clear()
            self._targets[size_px] = (
                self._context.simple_framebuffer(size_px, 4),
                self._context.buffer(reserve=4 * size_px[0] * size_px[1]),
            )
        return self._targets[size_px]


def _size(size_px: tuple[int, int], level: int) -> tuple[int, int]:
    return max(1, size_px[0] >> level), max(1, size_px[1] >> level)
