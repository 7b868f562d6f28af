"""What is here, and what is outside: by the address alone, in doubt outside."""

from __future__ import annotations

import pytest

from ai.addresses import is_loopback, leaves


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:11434",
        "http://localhost:11434",
        "http://[::1]:8000/v1",
        "http://ollama:11434",
        "http://gpu_1:8000",
        "http://10.1.2.3:8000/v1",
        "http://192.168.1.20",
        "http://[fd00::1]",
        "http://169.254.1.1",
        "http://vllm.lan:8000/v1",
        "http://vllm.astreinte.svc:8000",
    ],
)
def test_what_is_here_does_not_leave(url: str) -> None:
    assert not leaves(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://openrouter.ai/api/v1",
        "https://ollama.com",
        "http://8.8.8.8:11434",
        "http://[2001:4860:4860::8888]",
        "http://[::ffff:8.8.8.8]",
        "http://134744072",
        "http://0x08080808",
        "http://models.company.example:8000",
        "http://localhost.example",
        "http://10.1.2.3.example",
        "https://user@openrouter.ai",
        "nonsense",
        "",
    ],
)
def test_whatever_else_counts_as_outside(url: str) -> None:
    assert leaves(url)


def test_this_machine_is_its_loopback() -> None:
    assert is_loopback("http://127.8.0.1:11434")
    assert is_loopback("http://localhost")
    assert not is_loopback("http://ollama:11434")
    assert not is_loopback("http://192.168.1.20")
