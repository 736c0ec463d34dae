"""What several tests share: small streams that reach everything, and engines to run them through."""
