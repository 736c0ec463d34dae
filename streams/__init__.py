"""The drivers around the engine: files, replay, demo, the command line, and the engine itself."""
