"""The command line `python -m generator <verb>`: what is in a file, and converting it.

`python -m generator.bench` measures the engine.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from generator.errors import CheckpointError

if TYPE_CHECKING:
    from generator.description import FileDescription, NetworkDescription

EXIT_FAULT = 2
EXIT_INTERRUPTED = 130
DTYPES = ("float16", "bfloat16", "float32")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code: 0 done, 2 a fault, 130 interrupted."""
    args = _parser().parse_args(arguments)
    name = f"generator {args.verb}"
    try:
        return int(args.run(args))
    except CheckpointError as fault:
        print(f"{name}: {fault}", file=sys.stderr)
        return EXIT_FAULT
    except OSError as fault:
        path = getattr(args, "out", args.file)
        print(f"{name}: {path}: {fault.strerror or type(fault).__name__}", file=sys.stderr)
        return EXIT_FAULT
    except KeyboardInterrupt:
        print(f"{name}: stopped by Ctrl-C.", file=sys.stderr)
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m generator",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="verb", required=True)

    info = verbs.add_parser("info", help="what a file is")
    info.add_argument("file", type=Path, help="a snapshot (.pkl) or a file of this project")
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=_info)

    convert = verbs.add_parser("import", help="a published snapshot to a file of this project")
    convert.add_argument("file", type=Path, help="a StyleGAN2 snapshot (.pkl), read as data")
    convert.add_argument("out", type=Path, help="where its G_ema goes (.safetensors)")
    convert.add_argument("--dtype", choices=DTYPES, default=DTYPES[0], help="default: %(default)s")
    convert.set_defaults(run=_import)

    export = verbs.add_parser(
        "export", help="a snapshot of the TensorFlow layout, for existing tools"
    )
    export.add_argument("file", type=Path, help="a generator of this project, or a snapshot")
    export.add_argument("out", type=Path, help="what is written (.pkl)")
    export.add_argument("--discriminator", type=Path, help="default: the one in or beside the file")
    export.set_defaults(run=_export)

    for verb in (convert, export):
        verb.add_argument("--force", action="store_true", help="replace files that are there")
    return parser


# torch is imported by the verbs alone, so that --help does not wait for it


def _info(args: argparse.Namespace) -> int:
    from generator.description import describe

    described = describe(args.file)
    if args.json:
        print(json.dumps(asdict(described), indent=2))
    else:
        print(as_text(described))
    return 0


def _import(args: argparse.Namespace) -> int:
    import torch

    from generator.conversion import import_snapshot

    dtype: torch.dtype = getattr(torch, args.dtype)
    done = import_snapshot(args.file, args.out, dtype, replace=args.force)
    if done.note:
        print(f"generator import: {done.note}", file=sys.stderr)
    print(f"{args.out}: content hash {done.content_hash}")
    if done.discriminator is not None:
        print(f"{done.discriminator}: its discriminator")
    return 0


def _export(args: argparse.Namespace) -> int:
    from generator.conversion import export_snapshot

    export_snapshot(args.file, args.out, args.discriminator, replace=args.force)
    print(f"{args.out}: G, D and Gs")
    return 0


def as_text(described: FileDescription) -> str:
    """A description for a person to read."""
    lines = [f"{described.file}: {described.kind}, {described.bytes / 1e6:.1f} MB"]
    for network in described.networks:
        lines += ["", f"{network.role}: {network.network}"]
        lines += [f"  {label:18} {value}" for label, value in _facts(network)]
    for role, fault in described.unusable.items():
        lines += ["", f"{role}: not usable here: {fault}"]
    return "\n".join([*lines, "", f"content hash ({described.hash_of}):", described.content_hash])


def _facts(network: NetworkDescription) -> list[tuple[str, object]]:
    config = network.config
    facts: list[tuple[str, object]] = [
        ("resolution", f"{config['img_resolution']} px, {config['img_channels']} channels"),
        ("architecture", config["architecture"]),
        ("feature maps", f"min({config['channel_base']} / size, {config['channel_max']})"),
    ]
    if network.network == "generator":
        facts += [
            ("z_dim, w_dim", f"{config['z_dim']}, {config['w_dim']}"),
            ("layers with a w", network.num_ws),
        ]
    if network.network == "generator" or config["c_dim"]:
        facts.append(("mapping layers", config["num_mapping_layers"]))
    facts.append(("labels (c_dim)", config["c_dim"] or "none"))
    if config["conv_clamp"] is not None:
        facts.append(("conv_clamp", config["conv_clamp"]))
    facts.append(("parameters", f"{network.parameters:,}".replace(",", " ")))
    return facts


if __name__ == "__main__":
    sys.exit(main())
