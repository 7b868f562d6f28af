"""Documents that people have: files and pages into blocks of text, with their headings."""
