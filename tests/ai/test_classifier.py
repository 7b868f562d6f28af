"""The small classifier: it learns, and its probabilities mean something."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ai import training
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
    return training.learn(TEXTS, embedder.compute(TEXTS), LABELS)


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
    again = training.learn(TEXTS, embedder.compute(TEXTS), LABELS)
    vectors = embedder.compute(TEXTS)
    assert np.allclose(
        classifier.probabilities(TEXTS, vectors), again.probabilities(TEXTS, vectors), atol=1e-6
    )


def test_what_resembles_nothing_is_less_certain(classifier: Classifier, embedder: Embedder) -> None:
    texts = ["bourrage papier", "la capitale de l'Australie"]
    known, strange = classifier.probabilities(texts, embedder.compute(texts)).max(1)
    assert known > strange


def test_what_resembles_nothing_is_less_in_scope(
    classifier: Classifier, embedder: Embedder
) -> None:
    texts = ["bourrage de papier", "die Hauptstadt von Australien liegt im Süden"]
    known, strange = classifier.scope(texts, embedder.compute(texts))
    assert known > strange


def test_texts_known_to_be_strange_are_learned_from(embedder: Embedder) -> None:
    strange = ["quelle heure est-il", "what time is it", "le train est parti", "it rains"]
    made = training.learn(
        TEXTS, embedder.compute(TEXTS), LABELS, strangers=(strange, embedder.compute(strange))
    )
    known = made.scope(TEXTS, embedder.compute(TEXTS))
    assert made.scope(strange, embedder.compute(strange)).max() < known.min()


def test_two_labels_are_enough(embedder: Embedder) -> None:
    texts, labels = TEXTS[:10], LABELS[:10]
    made = training.learn(texts, embedder.compute(texts), labels)
    found = made.probabilities(["facture fausse", "papier coincé"], embedder.compute(texts[:2]))
    assert found.shape == (2, 2)
    said = made.probabilities(texts, embedder.compute(texts)).argmax(1)
    assert [made.labels[place] for place in said] == labels


def test_fifteen_phrases_promise_nothing(classifier: Classifier) -> None:
    assert classifier.thresholds(0.02) == {"bill": math.inf, "jam": math.inf, "thanks": math.inf}


def test_groups_of_labels_have_thresholds_of_their_own(classifier: Classifier) -> None:
    found = classifier.thresholds(0.9, lambda label: "kind" if label == "thanks" else "work")
    assert found.keys() == {"kind", "work"}
    assert 0 < found["work"] <= 1
