"""Which language models may be asked; `services.settings` takes them in."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from services.settings_frigo import variables


class OllamaSettings(BaseSettings):
    """The language model. Without one, replies are made from templates."""

    model_config = variables("OLLAMA")

    url: str = Field(default="http://127.0.0.1:11434", description="Ollama's address; empty: none")
    model: str = Field(default="", description="its name; empty: the largest that fits here")
    key: SecretStr = Field(
        default=SecretStr(""), description="for a door before it; OLLAMA_API_KEY is not read"
    )
    remote: bool = Field(
        default=False, description="let text leave the private network, personal data masked"
    )
    timeout_s: float = Field(default=60.0, gt=0, le=600, description="for one whole answer")
    parallel: int = Field(
        default=1, ge=1, le=64, description="requests at once (OLLAMA_NUM_PARALLEL)"
    )
    queue: int = Field(default=8, ge=0, le=1000, description="more that may wait for their turn")
    context_tokens: int = Field(default=4096, ge=512, description="num_ctx: one for all requests")


class OpenaiSettings(BaseSettings):
    """A server that speaks OpenAI's API, asked where Ollama does not answer."""

    model_config = variables("OPENAI")

    url: str = Field(
        default="",
        pattern="^(https?://.+)?$",
        description="e.g. http://vllm:8000/v1; empty: none",
    )
    model: str = Field(
        default="", description="its name, of OpenRouter several by commas; empty: the only one"
    )
    key: SecretStr = Field(default=SecretStr(""), description="its API key")
    remote: bool = Field(
        default=False, description="let text leave the private network, personal data masked"
    )
    timeout_s: float = Field(default=60.0, gt=0, le=600, description="for one whole answer")
    parallel: int = Field(default=4, ge=1, le=256, description="requests at once")
    queue: int = Field(default=16, ge=0, le=1000, description="more that may wait for their turn")
    context_tokens: int = Field(default=8192, ge=512, description="longer questions are not asked")
    price_in: float = Field(default=0.0, ge=0, description="of 1,000 tokens of a question")
    price_out: float = Field(default=0.0, ge=0, description="of 1,000 tokens of an answer")
    monthly_cap: float = Field(
        default=0.0, ge=0, description="in the same money; no question beyond it; 0: none"
    )
