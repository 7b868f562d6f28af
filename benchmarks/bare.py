"""A route that answers 202 at once: FastAPI, served as ours is. What stands beside the edge."""

from __future__ import annotations

import asyncio
import json
import sys

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from gateways.http import listen, serving, url_of


async def main() -> None:
    """Serve until standard input ends."""
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.post("/messages")
    async def take(request: Request) -> JSONResponse:
        await request.body()
        return JSONResponse({"event_id": "", "trace_id": "", "duplicate": False}, 202)

    listener = listen("127.0.0.1", 0)
    async with serving(app, listener):
        print(json.dumps({"url": url_of(listener)}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
    print(json.dumps({}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
