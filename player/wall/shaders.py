"""The programs in GLSL 3.30: one layer, several mixed, the same calibrated, and an overlay.

Programs of their own instead of branches: Mesa's llvmpipe executes both sides of one. Sixteen
texelFetch instead of nine bilinear taps: on llvmpipe they cost 60 % of those, and they do not round
to eight bits in between, which would band under any dither. Horizontal and vertical passes of their
own were no faster at 256 px, for the half-float target they need. One lookup of the cubic for two
layers at one place saves 15 % of their drawing and costs a program more: not worth it.
"""

from __future__ import annotations

from player.wall.calibration import Feature
from player.wall.shots import MOST_LAYERS

LAYER_NAMES = "abcdef"  # of the uniforms
LEAST_IN_A_LOOP = 3  # layers; such programs have a uniform `rows`, which is 4
assert len(LAYER_NAMES) == MOST_LAYERS

VERTEX = """\
#version 330 core
void main() {  // one triangle over the whole viewport
    vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
"""

_HEAD = """\
#version 330 core
out vec4 color;
uniform float gain;          // factor on sRGB-encoded values, 0..1

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

// at: texel coordinate of that level, the first texel's middle at 0.5
vec3 picture(sampler2D texels, vec2 at, int level, vec2 kernel) {
    vec2 texel = at - 0.5;
    vec2 whole = floor(texel);
    ivec2 i = ivec2(whole), last = textureSize(texels, level) - 1;
    vec4 wx = cubic(texel.x - whole.x, kernel), wy = cubic(texel.y - whole.y, kernel);
    ivec4 x = clamp(ivec4(i.x - 1, i.x, i.x + 1, i.x + 2), 0, last.x);
    ivec4 y = clamp(ivec4(i.y - 1, i.y, i.y + 1, i.y + 2), 0, last.y);
    vec3 sum = vec3(0.0);
"""

# From three layers on a loop over the rows: on llvmpipe it draws three layers a third slower, and
# compiles in half the time, 0.2 s instead of 0.4 where no shader cache knows the program yet. The
# count is a uniform because a known one is unrolled again.
_ROWS_IN_A_LOOP = """\
    for (int row = 0; row < rows; row++)
        sum += wy[row] * ({taps});
"""
_TAP_IN_A_LOOP = "wx[{column}] * texelFetch(texels, ivec2(x[{column}], y[row]), level).rgb"
_ROW = "    sum += wy[{row}] * ({taps});\n"
_TAP = "wx[{column}] * texelFetch(texels, ivec2(x[{column}], y[{row}]), level).rgb"

_TAIL = """\
    return clamp(sum, 0.0, 1.0);
}

// Rounds to eight bits after interleaved gradient noise (Jimenez, Next Generation Post Processing
// in Call of Duty, SIGGRAPH 2014), uniform over one step and shifted by thirds between the
// channels. A value that eight bits can hold is never changed, so black stays black.
vec3 dithered(vec3 value) {
    float n = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
    vec3 noise = fract(vec3(n, n + 1.0 / 3.0, n + 2.0 / 3.0)) * 0.996 + 0.002;
    return floor(value * 255.0 + noise) / 255.0;
}

// at_: gl_FragCoord (or logical pixel) -> texel coordinate, scale in xy and offset in zw
uniform sampler2D picture_a;
uniform vec4 at_a;
uniform int level_a;
uniform vec2 kernel_a;
"""

_ONE_LAYER = """\
void main() {
    vec2 at = gl_FragCoord.xy * at_a.xy + at_a.zw;
    color = vec4(dithered(gain * picture(picture_a, at, level_a, kernel_a)), 1.0);
}
"""

_FURTHER_LAYER = """\
uniform sampler2D picture_{name};
uniform vec4 at_{name};
uniform int level_{name};
uniform vec2 kernel_{name};
uniform float share_{name};       // of this layer in the mix of it and those before it, 0..1
"""

_LIGHT = """\
// (c (1 - A + A c))^2 instead of IEC 61966-2-1, whose powers cost as much on llvmpipe as a whole
// picture. Its inverse is exact, so a fade starts and ends without a step; on the way the two give
// the same to 0.3 eight-bit steps on average, 7 at worst (a little light over black).
const float A = 0.14;

vec3 decoded(vec3 srgb) {
    vec3 root = srgb * (1.0 - A + A * srgb);
    return root * root;
}

vec3 encoded(vec3 light) {
    return (sqrt((1.0 - A) * (1.0 - A) + 4.0 * A * sqrt(light)) - (1.0 - A)) / (2.0 * A);
}
"""

_INSIDE = """\
float inside(vec4 target) {      // left, bottom, right, top in gl_FragCoord; black outside
    vec2 p = gl_FragCoord.xy;
    return float(all(greaterThan(p, target.xy)) && all(lessThan(p, target.zw)));
}
"""

# Mixed one after the other, not as a weighted sum: layers alike in a pixel give it unchanged.
_LAYERS = """\
void main() {{
    vec2 at = gl_FragCoord.xy;
    vec3 sum = {first};
{mixes}
    color = vec4(dithered(gain * encoded(sum)), 1.0);
}}
"""
_PLACE_OF = "at * at_{name}.xy + at_{name}.zw, level_{name}, kernel_{name}"
_LIGHT_OF = f"decoded(picture(picture_{{name}}, {_PLACE_OF}))"
_MIX = "    sum = mix(sum, {light}, share_{name});"


# The order of a calibrated screen: decoded, times light and blend, black lifted, gamma, encoded,
# faded, dithered. Everything up to `encoded` is linear light. A screen pays only for the features
# that it has: on llvmpipe all of them together cost as much as sampling the picture.
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
uniform SIDES sides_a;

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

_ONE_LAYER_CALIBRATED = """\
void main() {
    vec2 at = logical_pixel();
    vec3 a = decoded(picture(picture_a, at * at_a.xy + at_a.zw, level_a, kernel_a));
    color = vec4(dithered(gain * encoded(graded(a * covered(sides_a), at))), 1.0);
}
"""

_LAYERS_CALIBRATED = """\
void main() {{
    vec2 at = logical_pixel();
    vec3 sum = {first};
{mixes}
    color = vec4(dithered(gain * encoded(graded(sum, at))), 1.0);
}}
"""

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


def fragment(layers: int) -> str:
    """The fragment shader for a shot of 1 to 6 layers. Raises ValueError for another number."""
    _check(layers)
    if layers == 1:
        return _head(layers) + _ONE_LAYER
    targets = "".join(f"uniform vec4 target_{name};\n" for name in LAYER_NAMES[:layers])
    main = _mixed(_LAYERS, f"{_LIGHT_OF} * inside(target_{{name}})", layers)
    return _head(layers) + _further(layers) + _LIGHT + targets + _INSIDE + main


def calibrated_fragment(layers: int, features: frozenset[Feature]) -> str:
    """The same for a calibrated screen that has these features."""
    _check(layers)
    defines = "".join(f"#define {feature.upper()}\n" for feature in sorted(features))
    head = _head(layers) + _further(layers) + _LIGHT + defines + _CALIBRATED
    if layers == 1:
        return head + _ONE_LAYER_CALIBRATED
    sides = "".join(f"uniform SIDES sides_{name};\n" for name in LAYER_NAMES[1:layers])
    return (
        head + sides + _mixed(_LAYERS_CALIBRATED, f"{_LIGHT_OF} * covered(sides_{{name}})", layers)
    )


def _check(layers: int) -> None:
    if not 1 <= layers <= MOST_LAYERS:
        raise ValueError(f"a program draws 1 to {MOST_LAYERS} layers, not {layers}")


def _further(layers: int) -> str:
    return "".join(_FURTHER_LAYER.format(name=name) for name in LAYER_NAMES[1:layers])


def _mixed(main: str, light: str, layers: int) -> str:
    """`light`: the text of one layer's covered light, for a layer's {name}."""
    lights = [(name, light.format(name=name)) for name in LAYER_NAMES[:layers]]
    mixes = [_MIX.format(name=name, light=text) for name, text in lights[1:]]
    return main.format(first=lights[0][1], mixes="\n".join(mixes))


def _head(layers: int) -> str:
    if layers < LEAST_IN_A_LOOP:
        taps = [_taps(_TAP, row) for row in range(4)]
        rows = "".join(_ROW.format(row=row, taps=text) for row, text in enumerate(taps))
        return _HEAD + rows + _TAIL
    rows = _ROWS_IN_A_LOOP.format(taps=_taps(_TAP_IN_A_LOOP, 0))
    return _HEAD.replace("uniform float gain;", "uniform int rows;  // 4\nuniform float gain;") + (
        rows + _TAIL
    )


def _taps(tap: str, row: int) -> str:
    return " + ".join(tap.format(column=column, row=row) for column in range(4))
