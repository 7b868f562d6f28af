"""What is measured, each figure beside its floor and a raw loop or peer of the same run."""
