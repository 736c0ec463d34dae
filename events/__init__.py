"""What comes in: the event contract, its decoding into columns, and dead letters. Pure: no clock, no files."""
