"""What ships as knowledge, as YAML in our own words with its sources, and how it is read."""
