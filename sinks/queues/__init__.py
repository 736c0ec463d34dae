"""The care queues on Redis: warnings in, people's work on them, outcomes out (docs/queue.md)."""
