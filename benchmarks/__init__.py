"""What is measured, each figure beside its floor and beside a raw loop or a peer of the same run."""
