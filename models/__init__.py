"""River models that learn from outcomes in the stream, and score every touched customer on the hot path.

`champion.Champion` is what the engine holds; the other files are its parts, each usable alone.
"""
