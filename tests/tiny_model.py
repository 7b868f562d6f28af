"""A language model of half a megabyte with random weights: real files for real servers.

What it writes is noise, yet the same noise for the same seed; what a server makes of it (the
schema kept to, tokens counted, a stream, a context that is full) is real.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, LlamaFileType, PoolingType, TokenType
from ollama import Client

WIDTH, BLOCKS, HEADS, INNER, CONTEXT = 64, 2, 4, 128, 8192
END = 2
NAME = "tiny:latest"
EMBEDDER = "tiny-embedder:latest"
TEMPLATE = "{{ range .Messages }}<{{ .Role }}>{{ .Content }}\n{{ end }}<assistant>"
"""Ollama's, as a Modelfile would give it: it does not use the one in the file."""
JINJA = "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}<assistant>"


def write_gguf(path: Path, *, embeds: bool = False, seed: int = 7) -> Path:
    """Write a model of llama's shape; one that `embeds` says so by how it pools."""
    tokens, scores, kinds = _vocabulary()
    writer = GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(BLOCKS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(END)
    writer.add_add_bos_token(True)
    if embeds:
        writer.add_pooling_type(PoolingType.MEAN)
    else:
        writer.add_chat_template(JINJA)
    for name, weights in _tensors(len(tokens), seed):
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _vocabulary() -> tuple[list[bytes], list[float], list[int]]:
    """Return three marks, all bytes, and the printable characters: any text can be read."""
    marks = [(b"<unk>", TokenType.UNKNOWN), (b"<s>", TokenType.CONTROL)]
    marks += [(b"</s>", TokenType.CONTROL)]
    bytes_ = [(f"<0x{byte:02X}>".encode(), TokenType.BYTE) for byte in range(256)]
    letters = [(chr(code).encode(), TokenType.NORMAL) for code in range(33, 127)]
    letters += [("▁".encode(), TokenType.NORMAL)]  # how this tokenizer writes a space
    known = marks + bytes_ + letters
    return [text for text, _ in known], [0.0] * len(known), [kind for _, kind in known]


def _tensors(vocabulary: int, seed: int) -> list[tuple[str, np.ndarray]]:
    draw = np.random.default_rng(seed)
    ones = np.ones(WIDTH, dtype=np.float32)

    def noise(*shape: int) -> np.ndarray:
        return draw.standard_normal(shape, dtype=np.float32)

    output = noise(vocabulary, WIDTH)
    output[END] = 0  # it does not stop by itself: only a schema or a limit ends what it writes
    found = [("token_embd.weight", noise(vocabulary, WIDTH)), ("output_norm.weight", ones)]
    found += [("output.weight", output)]
    for block in range(BLOCKS):
        here = f"blk.{block}."
        found += [(f"{here}{norm}_norm.weight", ones) for norm in ("attn", "ffn")]
        found += [(f"{here}attn_{part}.weight", noise(WIDTH, WIDTH)) for part in ("q", "k", "v")]
        found += [(f"{here}attn_output.weight", noise(WIDTH, WIDTH))]
        found += [(f"{here}ffn_{part}.weight", noise(INNER, WIDTH)) for part in ("gate", "up")]
        found += [(f"{here}ffn_down.weight", noise(WIDTH, INNER))]
    return found


def create(url: str, folder: Path, *, name: str = NAME, embeds: bool = False) -> None:
    """Give an Ollama server the model, as `ollama create` does."""
    file = write_gguf(folder / f"{name.partition(':')[0]}.gguf", embeds=embeds)
    client = Client(host=url, timeout=60)
    digest = client.create_blob(file)
    template = None if embeds else TEMPLATE
    one = {"num_thread": 1}  # two wait for one another longer than so small a model takes
    client.create(
        model=name, files={file.name: digest}, template=template, parameters=one, stream=False
    )
