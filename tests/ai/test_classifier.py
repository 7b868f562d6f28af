"""The small classifier: it learns, and its probabilities mean something."""

from __future__ import annotations

import numpy as np
import pytest

from ai.classifier import Classifier
from ai.embeddings import Embedder

PHRASES = {
    "jam": ["bourrage papier", "papier coincé", "feuille bloquée", "paper jam", "sheet is stuck"],
    "bill": ["ma facture", "facture fausse", "trop facturé", "my invoice", "wrong bill"],
    "thanks": ["merci", "merci beaucoup", "grand merci", "thank you", "thanks a lot"],
}
TEXTS = [text for texts in PHRASES.values() for text in texts]
LABELS = [label for label, texts in PHRASES.items() for _ in texts]


@pytest.fixture(scope="module")
def classifier(embedder: Embedder) -> Classifier:
    return Classifier(TEXTS, embedder.compute(TEXTS), LABELS)


def test_labels_are_each_there_once_in_a_fixed_order(classifier: Classifier) -> None:
    assert classifier.labels == sorted(PHRASES)


def test_probabilities_sum_to_one(classifier: Classifier, embedder: Embedder) -> None:
    texts = [*TEXTS, "", "zzz", "🖨️", "mot " * 3_000]
    found = classifier.probabilities(texts, embedder.compute(texts))
    assert found.shape == (len(texts), 3)
    assert (found >= 0).all()
    assert found.sum(1) == pytest.approx(np.ones(len(texts)))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("il y a un bourage de papier", "jam"),
        ("une feuille est coincée", "jam"),
        ("the invoice is wrong", "bill"),
        ("MERCI", "thanks"),
        ("many thanks", "thanks"),
    ],
)
def test_it_learns_from_fifteen_phrases(
    classifier: Classifier, embedder: Embedder, text: str, label: str
) -> None:
    (found,) = classifier.probabilities([text], embedder.compute([text]))
    assert classifier.labels[int(np.argmax(found))] == label
    assert found.max() > 0.4


def test_training_twice_gives_the_same(classifier: Classifier, embedder: Embedder) -> None:
    again = Classifier(TEXTS, embedder.compute(TEXTS), LABELS)
    vectors = embedder.compute(TEXTS)
    assert np.allclose(
        classifier.probabilities(TEXTS, vectors), again.probabilities(TEXTS, vectors), atol=1e-6
    )


def test_what_resembles_nothing_is_less_certain(classifier: Classifier, embedder: Embedder) -> None:
    texts = ["bourrage papier", "la capitale de l'Australie"]
    known, strange = classifier.probabilities(texts, embedder.compute(texts)).max(1)
    assert known > strange
