"""Other programs over the same topics, each as its framework's first page shows it (`make bench-kafka`).

Each is started as `SERVERS GROUP FOLDER EVENTS TOPICS`, reads from the group's committed offsets, and prints how many of the
`EVENTS` it has worked on since a tenth of them, and in how many seconds.
"""
