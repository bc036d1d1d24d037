"""The word `notify` of a show file: who is told when the show opens, and when it is in trouble.

A webhook's URL and a mail server's password are secrets: the show file names the environment
variables that hold them, and nothing else.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from shows.schema_base import StrictModel, listed

Occasion = Literal["open", "red"]
SMTP_ENV = "INSPACE_SMTP"


def _address(value: str) -> str:
    if len(value) > 254 or not re.fullmatch(r"[\w.+-]{1,64}@[\w-]+(\.[\w-]+)*", value, re.ASCII):
        raise ValueError("is no e-mail address such as desk@gallery.example")
    return value


def _one_or_more(value: object) -> object:
    return listed("e-mail addresses")([value] if isinstance(value, str) else value)


Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Address = Annotated[str, AfterValidator(_address)]


class Notify(StrictModel):
    """webhook_env, smtp_env: environment variables; email: who gets mail; on: when."""

    webhook_env: Variable | None = None
    email: Annotated[tuple[Address, ...], BeforeValidator(_one_or_more), Field(max_length=16)] = ()
    smtp_env: Variable = SMTP_ENV
    on: Annotated[
        tuple[Occasion, ...], BeforeValidator(listed("open and red")), Field(min_length=1)
    ] = ("open", "red")

    @model_validator(mode="before")
    @classmethod
    def _on_is_a_word(cls, data: Any) -> Any:
        """YAML takes a bare `on` for true."""
        if isinstance(data, dict) and True in data and "on" not in data:
            return {"on" if key is True else key: value for key, value in data.items()}
        return data
