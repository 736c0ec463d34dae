"""Where decisions go: files, tables of scores, the terminal."""
