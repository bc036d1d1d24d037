"""The picture's two programs in GLSL 3.30: one layer, and two cross-faded.

Two programs instead of a branch: Mesa's llvmpipe executes both sides of one. Sixteen texelFetch
instead of nine bilinear taps: on llvmpipe they cost 60 % of those, and they do not round to eight
bits in between, which would band under any dither. Horizontal and vertical passes of their own
were no faster at 256 px, for the half-float target they need.
"""

from __future__ import annotations

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

// at: gl_FragCoord -> texel coordinate of that level, scale in xy and offset in zw
vec3 picture(sampler2D texels, vec4 at, int level, vec2 kernel) {
    vec2 texel = gl_FragCoord.xy * at.xy + at.zw - 0.5;
    vec2 whole = floor(texel);
    ivec2 i = ivec2(whole), last = textureSize(texels, level) - 1;
    vec4 wx = cubic(texel.x - whole.x, kernel), wy = cubic(texel.y - whole.y, kernel);
    ivec4 x = clamp(ivec4(i.x - 1, i.x, i.x + 1, i.x + 2), 0, last.x);
    ivec4 y = clamp(ivec4(i.y - 1, i.y, i.y + 1, i.y + 2), 0, last.y);
    vec3 sum = vec3(0.0);
"""

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

uniform sampler2D picture_a;
uniform vec4 at_a;
uniform int level_a;
uniform vec2 kernel_a;
"""

_ONE_LAYER = """\
void main() {
    color = vec4(dithered(gain * picture(picture_a, at_a, level_a, kernel_a)), 1.0);
}
"""

_TWO_LAYERS = """\
uniform sampler2D picture_b;
uniform vec4 at_b;
uniform int level_b;
uniform vec2 kernel_b;
uniform vec4 target_a;       // left, bottom, right, top in gl_FragCoord; black outside
uniform vec4 target_b;
uniform float weight_b;

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

float inside(vec4 target) {
    vec2 p = gl_FragCoord.xy;
    return float(all(greaterThan(p, target.xy)) && all(lessThan(p, target.zw)));
}

void main() {
    vec3 a = decoded(picture(picture_a, at_a, level_a, kernel_a)) * inside(target_a);
    vec3 b = decoded(picture(picture_b, at_b, level_b, kernel_b)) * inside(target_b);
    color = vec4(dithered(gain * encoded(mix(a, b, weight_b))), 1.0);
}
"""


def fragment(layers: int) -> str:
    """The fragment shader for a shot of one or two layers."""
    rows = "".join(
        _ROW.format(
            row=row, taps=" + ".join(_TAP.format(column=column, row=row) for column in range(4))
        )
        for row in range(4)
    )
    return _HEAD + rows + _TAIL + (_ONE_LAYER if layers == 1 else _TWO_LAYERS)
