"""A network's sizes without its memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class SizesOnly(TorchFunctionMode):
    """Networks constructed within it have tensors of the right shapes, which hold no numbers.

    They are given theirs by `load_state_dict(..., assign=True)`. Does what `torch.device("meta")`
    does for the few calls of our constructors; that way imports 800 modules at the first random
    number or quotient, which is seconds at the start of a show.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name == "randn":
            return torch.empty(*args, device="meta")
        if name in ("zeros", "full"):
            return func(*args, **{**(kwargs or {}), "device": "meta"})
        if name == "div" and _is_unfilled(args[0]) and isinstance(args[1], int | float):
            return args[0]
        return func(*args, **(kwargs or {}))


def _is_unfilled(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_meta
