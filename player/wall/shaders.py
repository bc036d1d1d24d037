"""The programs in GLSL 3.30: one layer or several mixed, plain or calibrated, and an overlay.

Programs of their own instead of branches: Mesa's llvmpipe executes both sides of one. A program is
made of the parts that its screen needs, switched by `#define`. Sixteen texelFetch instead of nine
bilinear taps: on llvmpipe they cost 60 % of those, and they do not round to eight bits in between,
which would band under any dither. Each tap is decoded into linear light by itself: that costs a
tenth more there; textures in sRGB, decoded by GL, cost 2.7 times as much. Horizontal and vertical
passes of their own were no faster at 256 px, for the half-float target they need. One lookup of the
cubic for two layers at one place saves 15 % of their drawing and costs a program more: not worth
it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from player.wall.calibration import Feature
from player.wall.light_curve import A
from player.wall.look import Treatment
from player.wall.shots import MOST_LAYERS

Part = Feature | Treatment | Literal["calibrated"]
LAYER_NAMES = "abcdef"  # of the uniforms
LEAST_IN_A_LOOP = 3  # layers; such programs have a uniform `rows`, which is 4
THRESHOLDS_PX = 64  # a side of the dither's tile
SURFACE_PX = 256  # a side of the surface's
assert len(LAYER_NAMES) == MOST_LAYERS

VERTEX = """\
#version 330 core
void main() {  // one triangle over the whole viewport
    vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
"""

_HEAD = """\
out vec4 color;
uniform float gain;          // factor on sRGB-encoded values, 0..1
uniform sampler2D thresholds;  // of the dither, 64 x 64

// (c (1 - A + A c))^2 instead of IEC 61966-2-1, whose powers cost as much on llvmpipe as a whole
// picture. Its inverse is exact, so that a picture of the screen's own size passes unchanged and a
// fade starts and ends without a step; on the way the two give the same to 0.3 eight-bit steps on
// average, 7 at worst (a little light over black).
const float A = {A};

vec3 decoded(vec3 srgb) {
    vec3 root = srgb * (1.0 - A + A * srgb);
    return root * root;
}

vec3 encoded(vec3 light) {
    return (sqrt((1.0 - A) * (1.0 - A) + 4.0 * A * sqrt(light)) - (1.0 - A)) / (2.0 * A);
}

// Mitchell and Netravali 1988, equation 8, at the distances 1 + f, f, 1 - f, 2 - f
vec4 cubic(float f, vec2 kernel) {
    float B = kernel.x, C = kernel.y;
    vec2 p = vec2(f, 1.0 - f), q = vec2(1.0 + f, 2.0 - f);
    vec2 n = ((12.0 - 9.0 * B - 6.0 * C) * p + (-18.0 + 12.0 * B + 6.0 * C)) * p * p
        + (6.0 - 2.0 * B);
    vec2 a = (((-B - 6.0 * C) * q + (6.0 * B + 30.0 * C)) * q + (-12.0 * B - 48.0 * C)) * q
        + (8.0 * B + 24.0 * C);
    return vec4(a.x, n.x, n.y, a.y) / 6.0;
}

// at: texel coordinate of that level, the first texel's middle at 0.5. Linear light, 0..1.
vec3 picture(sampler2D texels, vec2 at, int level, vec2 kernel) {
    vec2 texel = at - 0.5;
    vec2 whole = floor(texel);
    ivec2 i = ivec2(whole), last = textureSize(texels, level) - 1;
    vec4 wx = cubic(texel.x - whole.x, kernel), wy = cubic(texel.y - whole.y, kernel);
    ivec4 x = clamp(ivec4(i.x - 1, i.x, i.x + 1, i.x + 2), 0, last.x);
    ivec4 y = clamp(ivec4(i.y - 1, i.y, i.y + 1, i.y + 2), 0, last.y);
    vec3 sum = vec3(0.0);
{rows}
    return clamp(sum, 0.0, 1.0);
}
"""

# From three layers on a loop over the rows: on llvmpipe it draws three layers a third slower, and
# compiles in half the time, 0.2 s instead of 0.4 where no shader cache knows the program yet. The
# count is a uniform because a known one is unrolled again.
_ROWS_IN_A_LOOP = """\
    for (int row = 0; row < rows; row++)
        sum += wy[row] * ({taps});
"""
_ROW = "    sum += wy[{row}] * ({taps});\n"
_TAP = "wx[{column}] * decoded(texelFetch(texels, ivec2(x[{column}], y[{row}]), level).rgb)"

# Edges that a small picture has only blurred are made narrow again, without stairs and without
# rims: a pixel beside an edge takes its colour from further away from it. Where the gradient g of
# the brightness is steepest lies the edge; it grows towards it along H g, H the second derivatives.
# The step away from it is measured in texels by g and H alone, so that faint edges are kept like
# strong ones; |H|^2 under it keeps lines from being folded over themselves. Twice, because the
# first step brings a pixel to a place that has its own way to go.
_SHARP = """\
const float FAINT = 0.03;    // of brightness a texel: what changes less than this is left soft
const float LONGEST = 1.0;   // texels

// cubic B-spline: of the value, of the first and of the second derivative
vec4 spline(float f) {
    float g = 1.0 - f;
    return vec4(g * g * g, 3.0 * f * f * f - 6.0 * f * f + 4.0,
        3.0 * g * g * g - 6.0 * g * g + 4.0, f * f * f) / 6.0;
}
vec4 slope(float f) {
    float g = 1.0 - f;
    return vec4(-g * g, 3.0 * f * f - 4.0 * f, -3.0 * g * g + 4.0 * g, f * f) / 2.0;
}
vec4 bend(float f) { return vec4(1.0 - f, 3.0 * f - 2.0, 1.0 - 3.0 * f, f); }

vec2 away(sampler2D texels, vec2 at, int level) {
    vec2 texel = at - 0.5;
    vec2 whole = floor(texel), f = texel - whole;
    ivec2 i = ivec2(whole), last = textureSize(texels, level) - 1;
    vec4 x0 = spline(f.x), x1 = slope(f.x), x2 = bend(f.x);
    vec4 y0 = spline(f.y), y1 = slope(f.y), y2 = bend(f.y);
    vec2 g = vec2(0.0);
    vec3 H = vec3(0.0);      // xx, xy, yy
    for (int row = 0; row < 4; row++) {
        int y = clamp(i.y + row - 1, 0, last.y);
        vec4 luma;
        for (int column = 0; column < 4; column++) {
            int x = clamp(i.x + column - 1, 0, last.x);
            luma[column] = dot(texelFetch(texels, ivec2(x, y), level).rgb,
                vec3(0.299, 0.587, 0.114));
        }
        float along = dot(luma, x1), beside = dot(luma, x0);
        g += vec2(y0[row] * along, y1[row] * beside);
        H += vec3(y0[row] * dot(luma, x2), y1[row] * along, y2[row] * beside);
    }
    float size = dot(g, g) + H.x * H.x + 2.0 * H.y * H.y + H.z * H.z + FAINT * FAINT;
    vec2 step_away = -vec2(H.x * g.x + H.y * g.y, H.y * g.x + H.z * g.y) / size;
    return step_away / (1.0 + length(step_away) / LONGEST);
}
"""

# at_: gl_FragCoord (or logical pixel) -> texel coordinate, scale in xy and offset in zw
_LAYER = """\
uniform sampler2D picture_{name};
uniform vec4 at_{name};
uniform int level_{name};
uniform vec2 kernel_{name};
uniform float share_{name};  // of this layer in the mix of it and those before it, 0..1
#ifdef SHARP
uniform float sharp_{name};  // 0..1
#endif
#ifdef SURROUND
uniform vec4 edges_{name};   // left, top, right, bottom in texels
uniform vec4 around_{name};  // level, texels of it to one of the picture's level, light
#endif
vec3 light_{name}(vec2 place) {
    vec2 at = place * at_{name}.xy + at_{name}.zw;
    vec2 kernel = kernel_{name};
    int level = level_{name};
    float dim = 1.0;
#ifdef SURROUND
    vec2 low = edges_{name}.xy, size = edges_{name}.zw - low;
    if (any(lessThan(at, low)) || any(greaterThan(at, edges_{name}.zw))) {
        at = low + abs(mod(at - low + size, 2.0 * size) - size);  // folded back
        dim = around_{name}.w;
        if (int(around_{name}.x) != level) {
            level = int(around_{name}.x);
            at *= around_{name}.yz;
            kernel = vec2(1.0, 0.0);
        }
    }
#endif
#ifdef SHARP
    at += sharp_{name} * away(picture_{name}, at, level);
    at += sharp_{name} * away(picture_{name}, at, level);
#endif
    return dim * picture(picture_{name}, at, level, kernel);
}
"""

_DITHER = """\
// Rounds to eight bits after the thresholds of a tile of blue noise, which lie in 0.004..0.996, so
// that a value that eight bits can hold is never changed, and black stays black.
vec3 dithered(vec3 value) {
    vec3 threshold = texelFetch(thresholds, ivec2(gl_FragCoord.xy) & 63, 0).rgb;
    return floor(value * 255.0 + threshold) / 255.0;
}
"""

# Shares of the light, so that black stays black: on a wall, paint and canvas are lit alike.
_SURFACE = """\
uniform sampler2D surface_tile;  // relief, grain; 1/2 leaves the light as it is
uniform vec3 surface;            // relief, grain, vignette: shares of the light
uniform vec4 surface_at;         // place -> -1..1 from the screen's middle: scale, offset
uniform float surface_scale;     // texels of the tile to a pixel
uniform ivec2 grain_at;          // where the grain's tile begins in this frame

vec3 surfaced(vec3 light, vec2 place) {
    ivec2 texel = ivec2(floor(place * surface_scale));
    float relief = texelFetch(surface_tile, texel & 255, 0).r * 2.0 - 1.0;
    float grain = texelFetch(surface_tile, (texel + grain_at) & 255, 0).g * 2.0 - 1.0;
    vec2 off = place * surface_at.xy + surface_at.zw;
    float far = min(dot(off, off) * 0.5, 1.0);
    return light * ((1.0 + surface.x * relief + surface.y * grain) * (1.0 - surface.z * far * far));
}
"""

_INSIDE = """\
float inside(vec4 target) {      // left, bottom, right, top in gl_FragCoord; black outside
    vec2 p = gl_FragCoord.xy;
    return float(all(greaterThan(p, target.xy)) && all(lessThan(p, target.zw)));
}
"""

# The order of a calibrated screen: decoded, on its surface, times light and blend, black lifted,
# gamma, encoded, faded, dithered. Everything up to `encoded` is linear light. A screen pays only
# for the features that it has: on llvmpipe all of them together cost as much as sampling the
# picture.
_CALIBRATED = """\
uniform mat3 to_logical;     // gl_FragCoord -> logical pixels of the screen
uniform vec3 light;          // brightness times colour

#ifdef WARP
uniform vec2 logical_px;
#define SIDES mat3x4         // gl_FragCoord -> distances in pixels from four sides
// The share of the pixel that lies inside: exact along an axis, close to it aslant.
float covered(SIDES sides) {
    vec4 d = sides * vec3(gl_FragCoord.xy, 1.0);
    return clamp(min(min(d.x, d.y), min(d.z, d.w)) + 0.5, 0.0, 1.0);
}
// Outside of the screen a projective map goes to infinity and comes back: kept near the screen.
vec2 logical_pixel() {
    vec3 p = to_logical * vec3(gl_FragCoord.xy, 1.0);
    return clamp(p.xy / max(p.z, 1e-6), vec2(-8.0), logical_px + 8.0);
}
#else
#define SIDES vec4           // left, bottom, right, top in gl_FragCoord, whole pixels
float covered(SIDES sides) {
    vec2 p = gl_FragCoord.xy;
    return float(all(greaterThan(p, sides.xy)) && all(lessThan(p, sides.zw)));
}
vec2 logical_pixel() { return (to_logical * vec3(gl_FragCoord.xy, 1.0)).xy; }
#endif

#ifdef BLEND
uniform vec4 ramp_scale;     // left, top, right, bottom; per logical pixel
uniform vec4 ramp_bias;
#endif
#ifdef BLACK
uniform SIDES screen_sides;
uniform float black;
#endif
#ifdef GAMMA
uniform float gamma_exponent;
#endif

// sum: the layers, each already covered by its own sides, which lie within the screen's
vec3 graded(vec3 sum, vec2 at) {
    vec3 graded = sum * light;
#ifdef BLEND
    // 3t^2 - 2t^3 of each ramp: of t and of 1 - t, where a neighbour overlaps, it sums to 1
    vec4 t = clamp(vec4(at, at) * ramp_scale + ramp_bias, 0.0, 1.0);
    vec4 s = t * t * (3.0 - 2.0 * t);
    graded *= s.x * s.y * s.z * s.w;
#endif
    graded = min(graded, 1.0);
#ifdef BLACK
    float lift = black;
#ifdef BLEND
    lift *= float(all(equal(t, vec4(1.0))));
#endif
    graded = lift * covered(screen_sides) + (1.0 - lift) * graded;
#endif
#ifdef GAMMA
    graded = pow(graded, vec3(gamma_exponent));
#endif
    return graded;
}
"""

# Mixed one after the other, not as a weighted sum: layers alike in a pixel give it unchanged.
_MAIN = """\
void main() {{
    vec2 place = {place};
    vec3 sum = {first};
{mixes}
#ifdef SURFACE
    sum = surfaced(sum, place);
#endif
    color = vec4(dithered(gain * encoded({graded})), 1.0);
}}
"""
_MIX = "    sum = mix(sum, {light}, share_{name});"

OVERLAY = """\
#version 330 core
out vec4 color;
uniform sampler2D picture_a;
uniform mat3 at;             // gl_FragCoord -> shares of the picture
void main() {
    ivec2 size = textureSize(picture_a, 0);
    ivec2 texel = ivec2(floor((at * vec3(gl_FragCoord.xy, 1.0)).xy * vec2(size)));
    color = vec4(texelFetch(picture_a, clamp(texel, ivec2(0), size - 1), 0).rgb, 1.0);
}
"""

LEVEL = """\
#version 330 core
out vec4 color;
uniform sampler2D texels;
uniform int level;           // that is read
uniform vec2 scale;          // its texels to one of the next
const float A = {A};

vec3 decoded(vec3 srgb) {
    vec3 root = srgb * (1.0 - A + A * srgb);
    return root * root;
}

// A mip level is the mean of four texels of the level before, in linear light; GL's own takes the
// mean of what is encoded, which makes fine bright detail too dark.
void main() {
    vec2 at = gl_FragCoord.xy * scale - 0.5;
    ivec2 i = ivec2(floor(at)), last = textureSize(texels, level) - 1;
    vec2 f = at - floor(at);
    vec3 row[2];
    for (int y = 0; y < 2; y++) {
        int down = clamp(i.y + y, 0, last.y);
        row[y] = mix(
            decoded(texelFetch(texels, ivec2(clamp(i.x, 0, last.x), down), level).rgb),
            decoded(texelFetch(texels, ivec2(clamp(i.x + 1, 0, last.x), down), level).rgb), f.x);
    }
    vec3 light = mix(row[0], row[1], f.y);
    color = vec4(
        (sqrt((1.0 - A) * (1.0 - A) + 4.0 * A * sqrt(light)) - (1.0 - A)) / (2.0 * A), 1.0);
}
""".replace("{A}", str(A))


def fragment(layers: int, parts: Collection[Part] = ()) -> str:
    """The fragment shader for a shot of 1 to 6 layers on a screen that has these parts.

    "calibrated" for any screen that is; the features of a calibration go with it. Raises ValueError
    for another number of layers.
    """
    if not 1 <= layers <= MOST_LAYERS:
        raise ValueError(f"a program draws 1 to {MOST_LAYERS} layers, not {layers}")
    names = LAYER_NAMES[:layers]
    calibrated = "calibrated" in parts
    text = ["#version 330 core\n", *(f"#define {part.upper()}\n" for part in sorted(parts))]
    text += ["uniform int rows;  // 4\n"] if layers >= LEAST_IN_A_LOOP else []
    text += [_HEAD.replace("{rows}", _rows(layers)).replace("{A}", str(A)), _DITHER]
    text += [_SHARP] if "sharp" in parts else []
    text += [_SURFACE] if "surface" in parts else []
    text += [_LAYER.replace("{name}", name) for name in names]
    if calibrated:
        text += [_CALIBRATED, *(f"uniform SIDES sides_{name};\n" for name in names)]
        light = "light_{name}(place) * covered(sides_{name})"
    elif layers > 1:
        text += [_INSIDE, *(f"uniform vec4 target_{name};\n" for name in names)]
        light = "light_{name}(place) * inside(target_{name})"
    else:
        light = "light_{name}(place)"
    lights = [(name, light.format(name=name)) for name in names]
    text.append(
        _MAIN.format(
            place="logical_pixel()" if calibrated else "gl_FragCoord.xy",
            first=lights[0][1],
            mixes="\n".join(_MIX.format(name=name, light=one) for name, one in lights[1:]),
            graded="graded(sum, place)" if calibrated else "sum",
        )
    )
    return "".join(text)


def _rows(layers: int) -> str:
    if layers >= LEAST_IN_A_LOOP:
        return _ROWS_IN_A_LOOP.format(taps=_taps("row"))
    return "".join(_ROW.format(row=row, taps=_taps(str(row))) for row in range(4))


def _taps(row: str) -> str:
    return " + ".join(_TAP.format(column=column, row=row) for column in range(4))
