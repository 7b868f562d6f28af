"""How names, codes and numbers are read out of a text. Pure, and below the stages."""
