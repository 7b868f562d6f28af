"""How messages are classified; `services.settings` takes it in."""

from __future__ import annotations

from pydantic import DirectoryPath, Field
from pydantic_settings import BaseSettings

from services.settings_frigo import variables


class ClassifySettings(BaseSettings):
    """How sure classify has to be, and what it learned from."""

    model_config = variables("CLASSIFY")

    model: DirectoryPath | None = Field(
        default=None, description="folder made by `astreinte train classify`; empty: what ships"
    )
    risk: float = Field(
        default=0.02, gt=0, lt=1, description="share of wrong ones among those answered alone"
    )
    ask_below: float = Field(
        default=0.5, ge=0, le=1, description="the language model is asked below it; 0: never"
    )
    ask_s: float = Field(
        default=4.0, gt=0, le=60, description="seconds that a batch may wait for its answers"
    )
