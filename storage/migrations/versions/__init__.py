"""One file a step; a step that was released is never changed.

`LOST` names the tables and columns whose content a way back takes away.
"""
