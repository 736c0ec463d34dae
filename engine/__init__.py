"""The pure engine: batches in, decisions out; no clock, no files, no metrics. Whoever drives it brings them."""
