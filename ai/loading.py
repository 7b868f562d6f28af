"""A model that is being read into memory, beside everything else."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from ai.llm import Busy

PATIENCE_S = 5.0
"""How long a customer's question waits for it; a template is better than a minute of nothing."""


class Loading:
    """At most one load at a time. Who waits for it does not end it, as leaving Ollama would."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    @property
    def going(self) -> bool:
        """The model is on its way."""
        return self._task is not None and not self._task.done()

    def begin(self, load: Coroutine[None, None, None]) -> None:
        """Load in the background."""
        self._task = asyncio.create_task(load, name="load a language model")

    async def wait(self) -> None:
        """Wait a little for it.

        Raises
        ------
        Busy
            It is still on its way.
        """
        if self._task is None or self._task.done():
            return
        await asyncio.wait({self._task}, timeout=PATIENCE_S)
        if self.going:
            msg = "the model is being loaded"
            raise Busy(msg)

    async def stop(self) -> None:
        """Give it up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
