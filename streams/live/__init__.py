"""The engine live on Kafka: Faust agents, one engine per partition, checkpoints, delivery."""
