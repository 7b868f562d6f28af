"""Models: embeddings, search, classifiers, the language model. Doors decide nothing."""
