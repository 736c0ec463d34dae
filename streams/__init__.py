"""The drivers around the engine: files, replay, demo, workers on Kafka (`live`), the command line (`commands`), and studies for rule authors."""
